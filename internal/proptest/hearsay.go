package proptest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

// hearsay adds up what the workers tell of each workflow, those that die included.
type hearsay struct {
	mu sync.Mutex
	by map[string]*heard
	// deaf counts calls that the store itself did not answer, as one that is too slow.
	deaf int
}

// heard is what was told of a workflow.
type heard struct {
	started, over int
	done, failed  int64 // items whose node has returned
	undone        int   // items given up, leases lost, commits that were not applied
	ended, lost   int   // ends of the run, and answers to what ended it
}

func (t *hearsay) of(workflow string) *heard {
	if t.by[workflow] == nil {
		t.by[workflow] = &heard{}
	}
	return t.by[workflow]
}

// Observe implements flox.Observer.
func (t *hearsay) Observe(e flox.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.of(e.Workflow)
	switch e.Kind {
	case flox.EventStarted:
		w.started++
	case flox.EventGivenUp:
		w.over++
		w.undone++
	case flox.EventFinished:
		w.over++
		switch e.Outcome {
		case "fallback":
			w.failed++
		case "retry", "fail":
		default:
			w.done++
		}
	case flox.EventCommitted:
		if e.Outcome != "applied" {
			w.undone++
		}
	case flox.EventLeaseLost:
		w.undone++
	case flox.EventRunEnded:
		w.ended++
	}
}

// loses notes an answer that its worker does not get.
func (t *hearsay) loses(c flox.Commit, res flox.CommitResult) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if res.Ended != "" {
		t.of(c.Run).lost++ // a case's run has the workflow's name
	}
}

// unanswered notes what the store answered to a call that may end runs.
func (t *hearsay) unanswered(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.deaf++
	}
}

// pauses notes that a run was paused: a commit that is stale then is parked, which
// looks as if it was applied.
func (t *hearsay) pauses(run string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(run).undone++
}

// check compares what was told with what came of the run, which has ended so many
// times. It is called when all workers have stopped.
func (t *hearsay) check(c *Case, counts flox.Counts) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.of(c.Name())
	var errs []error
	if w.started != w.over {
		errs = append(errs, fmt.Errorf("%d items were told to start, %d to be over", w.started, w.over))
	}
	if told := c.ends - w.lost; w.ended > told || w.ended < told-t.deaf {
		errs = append(errs, fmt.Errorf("%d ends of the run were told, want %d less %d answers that were lost", w.ended, c.ends, w.lost))
	}
	less := w.done < counts.Committed || w.failed < counts.Failed
	more := w.done > counts.Committed || w.failed > counts.Failed
	if less || more && w.undone == 0 && c.ends == 1 { // else something was done twice
		errs = append(errs, fmt.Errorf("%d items were told to be done, %d to fall back, want %+v", w.done, w.failed, counts))
	}
	return errors.Join(errs...)
}
