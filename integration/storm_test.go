package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

const (
	stormRuns    = 1000
	stormWorkers = 4
	stormClients = 6
	stormParts   = 4
	stormTime    = 12 * time.Second
)

var stormNames = []string{"files", "approval", "agent", "trip"}

// stormNodes are where each workflow is retried from.
var stormNodes = map[string]string{"files": "check", "agent": "think", "approval": "ask", "trip": "flight"}

func stormID(number int) string {
	return fmt.Sprintf("%s-%d", stormNames[number%len(stormNames)], number)
}

// TestControlStorm lets several clients pause, resume, cancel, retry, signal and
// delete a thousand runs of four workflows at random, one by one and in bulk, while
// four worker processes do them. What was deleted is started again under the same
// id. Every command of the server is judged as it takes effect (S6-S8, S11),
// the whole namespace at moments in between (S9, S12), and at the end each run's
// state (S1, S5): then the runs are deleted, and nothing of them is left.
func TestControlStorm(t *testing.T) {
	server := testredis.Start(t)
	raw := server.Client()
	t.Cleanup(func() { raw.Close() })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &storm{t: t, url: server.URL(), namespace: fmt.Sprintf("storm-%d", seed), raw: raw}
	s.judge = newJudge(t, s.namespace, stormParts, raw)
	fleet := newFleet(t, s.url, s.namespace, stormWorkers, "FLOX_LEASE=3s",
		fmt.Sprintf("FLOX_PARTITIONS=%d", stormParts))
	s.awaitWorkers()
	s.rage(seed)
	s.calm()
	s.checkRuns()
	s.remove()
	for len(fleet.procs) > 0 {
		fleet.end(0, 15)
	}
	r := s.judge.watched()
	s.judge.fail("in the storm", r)
	t.Logf("judged: %s; counted: %v", r, r.Counts)
	for _, rule := range []string{"S1", "S2", "S3", "S5", "S6", "S7", "S8", "S9", "S11", "S12", "S15", "S16", "L5"} {
		if n, _ := r.Of(rule); n == 0 {
			t.Errorf("%s has judged nothing", rule)
		}
	}
	if r.Counts["deleted"] <= stormRuns {
		t.Errorf("%d runs were deleted: the storm was too weak", r.Counts["deleted"])
	}
	for _, move := range []string{"running to paused", "paused to running", "running to cancelled", "paused to cancelled",
		"failed to running", "running to undoing", "undoing to failed", "running to completed"} {
		if r.Counts[move] == 0 {
			t.Errorf("no run went from %s: the storm was too weak", move)
		}
	}
}

type storm struct {
	t              *testing.T
	url, namespace string
	raw            *redis.Client
	judge          *judge
	started        atomic.Int64
	done, refused  atomic.Int64
}

func (s *storm) control() *flox.Control {
	s.t.Helper()
	st, err := redisstore.Open(s.t.Context(), redisstore.Config{URL: s.url, Namespace: s.namespace, Partitions: stormParts})
	if err != nil {
		s.t.Fatalf("open store: %v", err)
	}
	s.t.Cleanup(func() { st.Close() })
	return flox.NewControl(st)
}

// awaitWorkers waits until the workflows are registered.
func (s *storm) awaitWorkers() {
	ctl := s.control()
	for _, name := range stormNames {
		await(s.t, name+" is registered", func() bool {
			_, err := ctl.Workflow(s.t.Context(), name)
			return err == nil
		})
	}
}

// start starts all runs, those of the first numbers first.
func (s *storm) start(ctl *flox.Control) {
	for n := range stormRuns {
		if err := s.startRun(ctl, n); err != nil {
			s.t.Errorf("start %d: %v", n, err)
		}
		s.started.Store(int64(n + 1))
		time.Sleep(stormTime / 2 / stormRuns)
	}
}

func (s *storm) startRun(ctl *flox.Control, number int) error {
	input := fmt.Appendf(nil, `{"number":%d}`, number)
	_, err := ctl.Start(s.t.Context(), stormNames[number%len(stormNames)], input, flox.WithID(stormID(number)))
	return err
}

// rage starts the runs, lets the clients loose, and looks at the ledger meanwhile.
func (s *storm) rage(seed uint64) {
	ctx, cancel := context.WithTimeout(s.t.Context(), stormTime)
	defer cancel()
	var wg sync.WaitGroup
	starter := s.control()
	wg.Go(func() { s.start(starter) })
	for client := range stormClients {
		ctl, random := s.control(), rand.New(rand.NewPCG(seed, uint64(client)))
		wg.Go(func() {
			for ctx.Err() == nil {
				s.strike(ctl, random)
				time.Sleep(time.Duration(random.IntN(4)) * time.Millisecond)
			}
		})
	}
	bulk := s.control()
	wg.Go(func() { s.bulk(ctx, bulk, rand.New(rand.NewPCG(seed, stormClients))) })
	looks := 0
	for ; ctx.Err() == nil; looks++ {
		s.judge.fail("in the storm", s.judge.read().Judge(checker.Case{Merges: stormMerges}))
		time.Sleep(500 * time.Millisecond)
	}
	wg.Wait()
	s.t.Logf("%d controls done, %d refused, the ledger looked at %d times", s.done.Load(), s.refused.Load(), looks)
}

// strike does one thing to one run.
func (s *storm) strike(ctl *flox.Control, random *rand.Rand) {
	ctx, started := s.t.Context(), int(s.started.Load())
	if started == 0 {
		return
	}
	// Mostly those that have begun last: the others have ended.
	number := max(0, started-1-random.IntN(200))
	if random.IntN(4) == 0 {
		number = random.IntN(started)
	}
	id := stormID(number)
	var err error
	switch n := random.IntN(100); {
	case n < 35:
		err = ctl.Pause(ctx, id)
	case n < 65:
		err = ctl.Resume(ctx, id)
	case n < 68:
		err = ctl.Cancel(ctx, id)
	case n < 75:
		err = ctl.Retry(ctx, id)
	case n < 83:
		workflow, _, _ := strings.Cut(id, "-")
		err = ctl.RetryFrom(ctx, id, stormNodes[workflow])
	case n < 88:
		if err = ctl.Delete(ctx, id); err == nil {
			err = s.startRun(ctl, number)
		}
	default:
		err = approve.Send(ctx, ctl, id, "yes")
	}
	switch {
	case err == nil:
		s.done.Add(1)
	case errors.Is(err, flox.ErrRefused), errors.Is(err, flox.ErrNotFound), errors.Is(err, flox.ErrRunExists):
		s.refused.Add(1)
	default:
		s.t.Errorf("control of %s: %v", id, err)
	}
}

// bulk does something to some runs of a workflow at a time.
func (s *storm) bulk(ctx context.Context, ctl *flox.Control, random *rand.Rand) {
	ops := []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlResume, flox.ControlRetry, flox.ControlDelete}
	for ctx.Err() == nil {
		op, filter := ops[random.IntN(len(ops))], flox.RunFilter{Workflow: stormNames[random.IntN(len(stormNames))]}
		cfg := flox.BulkConfig{Limit: 10}
		if op == flox.ControlRetry {
			cfg.From = stormNodes[filter.Workflow]
		}
		result, err := ctl.Bulk(s.t.Context(), op, filter, &cfg)
		// A trip that was undone cannot be retried.
		if (err != nil && !errors.Is(err, flox.ErrRefused)) || result.Done+result.Skipped+result.Failed != result.Total {
			s.t.Errorf("bulk %s = %+v, %v", op, result, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// calm resumes, retries and signals until every run has ended for good, and
// waits until nothing is left to do.
func (s *storm) calm() {
	ctl := s.control()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		open := 0
		for n := range stormRuns {
			open += s.soothe(ctl, n)
		}
		if open == 0 {
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d runs have not ended", open)
		}
	}
	await(s.t, "no mark and no entry is left", func() bool {
		left := int64(0)
		for part := range stormParts {
			prefix := fmt.Sprintf("flox:{%s:%d}:", s.namespace, part)
			left += s.raw.ZCard(s.t.Context(), prefix+"runs:todo").Val()
			for _, name := range stormNames {
				left += s.raw.XLen(s.t.Context(), prefix+"queue:"+name).Val()
			}
		}
		return left == 0
	})
	s.judge.fail("at rest", s.judge.read().Judge(checker.Case{Rest: true, Merges: stormMerges}))
}

// soothe reports 1 if the run has something to do yet.
func (s *storm) soothe(ctl *flox.Control, number int) int {
	ctx, id := s.t.Context(), stormID(number)
	info, err := ctl.Show(ctx, id)
	if errors.Is(err, flox.ErrNotFound) { // it was deleted in bulk
		err = s.startRun(ctl, number)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	var does error
	switch info.Status {
	case flox.StatusCompleted, flox.StatusCancelled:
		return 0
	case flox.StatusFailed:
		if info.Workflow == "trip" {
			return 0
		}
		does = ctl.Retry(ctx, id)
	case flox.StatusPaused:
		does = ctl.Resume(ctx, id)
	case flox.StatusRunning:
		if info.Workflow == "approval" {
			does = approve.Send(ctx, ctl, id, "yes")
		}
	}
	if does != nil && !errors.Is(does, flox.ErrRefused) {
		s.t.Errorf("control of %s: %v", id, does)
	}
	return 1
}

// checkRuns judges what each run did, from raw keys.
func (s *storm) checkRuns() {
	ended := map[string]int{}
	for n := range stormRuns {
		id := stormID(n)
		workflow := stormNames[n%len(stormNames)]
		part := flox.Partition(id, stormParts)
		key := fmt.Sprintf("flox:{%s:%d}:run:%s", s.namespace, part, id)
		h, err := s.raw.HGetAll(s.t.Context(), key).Result()
		if err != nil {
			s.t.Fatal(err)
		}
		status := h["status"]
		ended[status]++
		switch {
		case status == "cancelled":
			continue
		case status == "failed" && workflow == "trip" && unpaid(n):
		case status != "completed" || h["outs"] != "1":
			s.t.Errorf("%s is %s (%s) with %s outputs, want it completed with one", id, status, h["cause"], h["outs"])
			continue
		}
		if want, got := stormWants(workflow, n), s.names(key); !maps.Equal(got, want) {
			s.t.Errorf("%s (%s): state %v, want %v", id, status, got, want)
		}
		if v, _ := strconv.Atoi(h["parked"]); v != 0 || h["live"] != "0" {
			s.t.Errorf("%s (%s): %s live, %s parked", id, status, h["live"], h["parked"])
		}
	}
	s.t.Logf("at the end: %v", ended)
}

// stormMerges says which nodes merge their item's id: all that do a step.
func stormMerges(_, node string) bool { return node != "split" }

// names counts the names in a run's state.
func (s *storm) names(key string) map[string]int {
	deltas, err := s.raw.LRange(s.t.Context(), strings.Replace(key, ":run:", ":state:", 1), 0, -1).Result()
	if err != nil {
		s.t.Errorf("%s: %v", key, err)
	}
	seen := map[string]int{}
	for _, d := range deltas {
		if d == "" { // a snapshot of nothing
			continue
		}
		var delta struct {
			Names []string `msgpack:"names"`
		}
		if err := msgpack.Unmarshal([]byte(d[1:]), &delta); err != nil {
			s.t.Errorf("%s: delta %q: %v", key, d, err)
		}
		for _, name := range delta.Names {
			seen[name]++
		}
	}
	return seen
}

// remove deletes all runs, and looks for what is left of them.
func (s *storm) remove() {
	ctl := s.control()
	for n := range stormRuns {
		if err := ctl.Delete(s.t.Context(), stormID(n)); err != nil {
			s.t.Errorf("delete: %v", err)
		}
	}
	ids := make([]string, stormRuns)
	for n := range ids {
		ids[n] = stormID(n)
	}
	after := s.judge.read()
	s.judge.fail("after all runs were deleted", after.Judge(checker.Case{Rest: true, Gone: ids}))
	for _, p := range after.Parts {
		if len(p.Runs)+len(p.Timers)+len(p.Todo) > 0 {
			s.t.Errorf("partition %d: %d runs, %d timers and %d marks are left", p.Number, len(p.Runs), len(p.Timers), len(p.Todo))
		}
	}
}
