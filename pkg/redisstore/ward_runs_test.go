package redisstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// admit makes the ward's runs: completed and cancelled ones, one that has failed,
// one that waits for a signal; and, when no worker is there any more, one that is
// queued, one that is delayed and one that is paused.
func (w *ward) admit() {
	w.t.Helper()
	stop := w.worker()
	w.start("sum", "done", 2)
	w.start("fail", "failed", 5)
	w.start("ask", "asks", 7, flox.WithDeadline(time.Hour), flox.WithLabel("team", "a"))
	w.start("ask", "off", 7)
	w.settled("done", flox.StatusCompleted)
	w.settled("failed", flox.StatusFailed)
	for _, run := range []string{"asks", "off"} {
		w.until(run+" waits", func() bool {
			tokens, _, err := w.store.Checkpoint(w.t.Context(), run, "", 10)
			return err == nil && len(tokens) == 1 && tokens[0].Place == flox.PlaceWaiting
		})
	}
	w.must(w.control.Cancel(w.t.Context(), "off"))
	stop()
	w.start("sum", "fresh", 1)
	w.start("sum", "later", 1, flox.After(50*time.Millisecond))
	w.start("sum", "paused", 1)
	w.must(w.control.Pause(w.t.Context(), "paused"))
	l := w.take("sum", "paused")
	if l.Grant != flox.GrantParked {
		w.t.Fatalf("Load of a paused run = grant %d, want it parked", l.Grant)
	}
}

// take claims what is in a queue and loads the token of a run; the others' entries
// are given back.
func (w *ward) take(queue, run string) flox.Loaded {
	w.t.Helper()
	ctx := w.t.Context()
	var loaded flox.Loaded
	for found := false; !found; {
		entries, err := w.store.Claim(ctx, flox.ClaimRequest{Consumer: "hand", Queues: []string{queue}, Max: 10, Wait: time.Minute})
		w.must(err)
		if len(entries) == 0 {
			w.t.Fatalf("no entry of run %s in queue %s", run, queue)
		}
		for _, e := range entries {
			if e.Run == run {
				loaded, err = w.store.Load(ctx, e, "hand-"+e.ID, 3)
				w.must(err)
				found = true
			}
		}
	}
	w.must(w.store.Leave(ctx, flox.WorkerInfo{ID: "hand", Queues: []string{queue}}))
	return loaded
}

// heal lets a worker and an operator bring every run of admit to its end.
func (w *ward) heal(except ...string) {
	w.t.Helper()
	ctx := w.t.Context()
	w.healthy.Store(true)
	steps := map[string]func() error{
		"failed": func() error { return w.control.Retry(ctx, "failed") },
		"asks":   func() error { return goAhead.Send(ctx, w.control, "asks", true) },
		"paused": func() error { return w.control.Resume(ctx, "paused") },
		"fresh":  func() error { return nil },
		"later":  func() error { return nil },
		"done":   func() error { return nil },
	}
	for run, step := range steps {
		if slices.Contains(except, run) {
			delete(steps, run)
			continue
		}
		w.must(step())
	}
	for run := range steps {
		w.settled(run, flox.StatusCompleted)
	}
	outputs := map[string]string{"failed": "5", "asks": "7", "paused": "3", "fresh": "3", "later": "3", "done": "6"}
	for run := range steps {
		outs, err := w.store.Outputs(ctx, run)
		w.must(err)
		if len(outs) != 1 {
			w.t.Fatalf("run %s has %d outputs, want 1", run, len(outs))
		}
		if got, err := flox.PayloadJSON(outs[0]); err != nil || string(got) != outputs[run] {
			w.t.Errorf("output of run %s = %s, %v, want %s", run, got, err, outputs[run])
		}
	}
}

// examine returns what is found, but for what is always so without a worker.
func (w *ward) examine(cfg redisstore.ExamineConfig) []redisstore.Finding {
	w.t.Helper()
	cfg.Lease = wardLease
	return examined(w.t, w.store, cfg)
}

func examined(t *testing.T, s *redisstore.Store, cfg redisstore.ExamineConfig) []redisstore.Finding {
	t.Helper()
	var found []redisstore.Finding
	for f, err := range s.Examine(t.Context(), cfg) {
		if err != nil {
			t.Fatalf("Examine = %v", err)
		}
		if f.Kind != "workflow-unserved" && f.Kind != "queue-unserved" {
			found = append(found, f)
		}
	}
	return found
}

// kinds counts findings by kind.
func kinds(found []redisstore.Finding) map[string]int {
	count := map[string]int{}
	for _, f := range found {
		count[f.Kind]++
	}
	return count
}

func problems(found []redisstore.Finding) []redisstore.Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f redisstore.Finding) bool { return !f.Problem() })
}
