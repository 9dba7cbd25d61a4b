package redisstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

type counted struct {
	Done flox.Sum `json:"done"`
}

// squares fans out over 0..n-1 and sums up the squares.
func squares(t *testing.T) *flox.Workflow[counted, int, int] {
	t.Helper()
	b := flox.New[counted]("squares")
	split := flox.Split(b, "split", func(n int) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	})
	square := flox.AddFunc(b, "square", func(ctx *flox.Context[counted], in int) (flox.Transition[int], error) {
		ctx.Merge(counted{Done: 1})
		return flox.Next(in * in), nil
	})
	sum := flox.AddFunc(b, "sum", func(_ *flox.Context[counted], in []int) (flox.Transition[int], error) {
		total := 0
		for i, v := range in {
			if v != i*i {
				return flox.Abort[int](fmt.Errorf("place %d holds %d", i, v)), nil
			}
			total += v
		}
		return flox.Next(total), nil
	})
	split.To(square)
	square.Join(sum)
	wf, err := flox.Build(b, split, sum)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// A fan-out of many chunks, whose join gets more than one HMGET can bring, is
// paused and resumed again and again; another one is cancelled in the middle.
func TestLargeFanOutUnderControl(t *testing.T) {
	t.Parallel()
	const size = 4500
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	wf := squares(t)
	defer run(t, s, flox.WorkerConfig{}, wf)()
	orch, err := flox.NewOrchestrator(s, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	control := orch.Control()
	for _, id := range []string{"on", "off"} {
		if _, err := orch.Start(t.Context(), size, flox.WithID(id)); err != nil {
			t.Fatal(err)
		}
	}
	var pauses int
	for pauses = 0; pauses < 20; pauses++ {
		time.Sleep(30 * time.Millisecond)
		if control.Pause(t.Context(), "on") != nil {
			break
		}
		if pauses == 5 {
			if err := control.Cancel(t.Context(), "off"); err != nil {
				t.Errorf("Cancel = %v", err)
			}
		}
		if err := control.Resume(t.Context(), "on"); err != nil {
			t.Errorf("Resume = %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	res, err := orch.Wait(ctx, "on")
	if want := (size - 1) * size * (2*size - 1) / 6; err != nil || res.Output != want || res.State.Done != size {
		t.Errorf("Wait = %d after %d deltas and %d pauses, %v, want %d after %d", res.Output, res.State.Done, pauses, err, want, size)
	}
	if pauses < 6 {
		t.Errorf("paused %d times, want it often enough to count", pauses)
	}
	for _, id := range []string{"on", "off"} {
		n := settled(t, control, id).Counts
		if n.Live != 0 || n.Parked != 0 || n.Created != n.Committed+n.Failed+n.Dropped {
			t.Errorf("run %s: counts %+v do not add up to nothing live", id, n)
		}
	}
	queues, err := s.Queues(t.Context(), []string{"squares"})
	if err != nil || queues[0].Ready+queues[0].Leased+queues[0].Delayed != 0 {
		t.Errorf("Queues = %+v, %v, want them empty", queues, err)
	}
}

// settled waits until no token of a run is left.
func settled(t *testing.T, control *flox.Control, id string) flox.RunInfo {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		info, err := control.Show(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if info.Counts.Live == 0 || time.Now().After(deadline) {
			return info
		}
	}
}
