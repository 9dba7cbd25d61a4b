package redisstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// inPartition names a run of a partition.
func inPartition(prefix string, partition, of int) string {
	for i := 0; ; i++ {
		if id := fmt.Sprint(prefix, "-", i); flox.Partition(id, of) == partition {
			return id
		}
	}
}

// TestSharedKeyOfWrongType takes a partition a key that all its runs need, for a
// while. Runs of other partitions go on meanwhile, those of this one afterwards,
// and nothing of theirs is applied twice or lost.
func TestSharedKeyOfWrongType(t *testing.T) {
	t.Parallel()
	const runs = 5
	d := newDamage(t, 1, 2)
	ctx := t.Context()
	d.works(t, inPartition("before", 0, 2), "the start")
	for _, name := range []string{"stats", "delayed", "runs:todo", "runs:active", "runs:completed", "runs:failed", "queue:tour"} {
		gate := make(chan struct{})
		d.gate.Store(&gate)
		var ids []string
		for i := range runs {
			id := inPartition(fmt.Sprintf("%s-%d", fmt.Sprint("k", len(name), name[len(name)-2:]), i), 0, 2)
			ids = append(ids, id)
			d.start(t, id, tour{Width: 4, Stop: stopFirst + 4*(i%2)}) // at the first node or the last
		}
		until(t, "the runs to stand", func() bool {
			for _, id := range ids {
				if _, ok := d.halted.Load(id); !ok {
					return false
				}
			}
			return true
		})
		key := fmt.Sprintf("flox:{%s:0}:%s", d.ns, name)
		d.c.Rename(ctx, key, key+":kept") // fails if there is none yet
		if err := d.c.Set(ctx, key, "not flox's", 0).Err(); err != nil {
			t.Fatal(err)
		}
		close(gate)
		d.works(t, inPartition("beside-"+ids[0], 1, 2), name+" of partition 0 is a string")
		time.Sleep(200 * time.Millisecond) // for some loops to meet it
		d.c.Del(ctx, key)
		d.c.Rename(ctx, key+":kept", key)
		d.works(t, inPartition("after-"+ids[0], 0, 2), name+" is back")
		for _, id := range ids {
			bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
			out, err := d.orch.Wait(bounded, id)
			cancel()
			if err != nil || out.Output != 1 {
				t.Errorf("%s: run %s = %+v, %v, want it completed", name, id, out, err)
				continue
			}
			seen := map[string]int{}
			for _, s := range out.State.Steps {
				seen[s]++
			}
			if seen["1"] != 1 || seen["4"] != 1 || seen["5"] != 1 {
				t.Errorf("%s: run %s has merged %v, want 1, 4 and 5 once each", name, id, out.State.Steps)
			}
		}
	}
}
