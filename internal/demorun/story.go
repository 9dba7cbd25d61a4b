package demorun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/pkg/flox"
)

const linkRun = "linkcheck-demo"

// until looks every now and then whether ready says so.
func until(ctx context.Context, ready func() (bool, error)) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if ok, err := ready(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// awaitWorkers waits until all have registered and beat.
func (w *world) awaitWorkers(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		for _, p := range w.procs {
			if p.ended() {
				return false, p.failure()
			}
		}
		there, err := w.st.Workers(ctx)
		w.cfg.Progress(fmt.Sprintf("%d of %d workers are up", len(there), workers))
		return len(there) >= workers, err
	})
}

func (w *world) startRuns(ctx context.Context) error {
	if _, err := w.links.Start(ctx, w.site.Input(), flox.WithID(linkRun)); err != nil {
		return err
	}
	for _, c := range w.cases {
		if _, err := w.orders.Start(ctx, c.Order, flox.WithID(c.Order.ID)); err != nil {
			return err
		}
	}
	w.cfg.Event(fmt.Sprintf("started %d runs on %d workers", 1+len(w.cases), workers))
	return nil
}

// unfinished counts the runs that have not ended.
func (w *world) unfinished(ctx context.Context) (int64, error) {
	stats, err := w.st.Stats(ctx)
	if err != nil {
		return 0, err
	}
	left := int64(1 + len(w.cases))
	for _, byStatus := range stats {
		for status, n := range byStatus {
			if status.Terminal() {
				left -= n
			}
		}
	}
	return left, nil
}

// judge waits for all runs and compares what they did with what they should
// have done.
func (w *world) judge(ctx context.Context, report *Report) error {
	err := until(ctx, func() (bool, error) {
		left, err := w.unfinished(ctx)
		w.cfg.Progress(fmt.Sprintf("%d of %d runs have ended", int64(report.Runs)-left, report.Runs))
		return left <= 0, err
	})
	if err != nil {
		return err
	}
	if err := w.judgeLinks(ctx, report); err != nil {
		return err
	}
	return w.judgeOrders(ctx, report)
}

func (w *world) judgeLinks(ctx context.Context, report *Report) error {
	res, err := w.links.Wait(ctx, linkRun)
	failed, isRun := errors.AsType[*flox.RunError](err)
	switch {
	case isRun:
		report.blame([]string{"lost: " + failed.Error()})
		return nil
	case err != nil:
		return err
	}
	report.Completed++
	report.count("linkcheck", fmt.Sprintf("%d URLs, %d broken links", res.Output.URLs, len(res.Output.Broken)))
	report.blame(demo.CheckLinkcheck(res.Output, res.State, w.site.Expected()))
	return w.ledger(ctx, linkRun, report)
}

func (w *world) judgeOrders(ctx context.Context, report *Report) error {
	runs := make([]demo.OrderRun, 0, len(w.cases))
	for _, c := range w.cases {
		res, err := w.orders.Wait(ctx, c.Order.ID)
		_, isRun := errors.AsType[*flox.RunError](err)
		switch {
		case err == nil:
			report.Completed++
			report.count("order", res.Output.Status)
		case !isRun:
			return err
		}
		runs = append(runs, demo.OrderRun{Case: c, Err: err, Outcome: res.Output, State: res.State})
		if err := w.ledger(ctx, c.Order.ID, report); err != nil {
			return err
		}
	}
	report.blame(demo.CheckOrders(runs, w.gateway.Ledger()))
	return nil
}

// ledger checks that each of a run's items is accounted for.
func (w *world) ledger(ctx context.Context, id string, report *Report) error {
	info, err := w.st.Info(ctx, id)
	if err != nil {
		return err
	}
	c := info.Counts
	report.Steps += c.Committed
	if c.Live != 0 || c.Created != c.Committed+c.Failed+c.Dropped {
		report.blame([]string{fmt.Sprintf("lost: run %s: %+v: want every item made to be committed, failed or dropped", id, c)})
	}
	errs, err := w.st.Errors(ctx, id)
	for _, e := range errs {
		if !e.Final {
			report.Retries++
		}
	}
	return err
}

// blame sorts faults by what they say.
func (r *Report) blame(faults []string) {
	for _, f := range faults {
		switch {
		case strings.Contains(f, "lost: "), strings.Contains(f, "did not complete"):
			r.Lost++
		case strings.Contains(f, "repeated: "), strings.Contains(f, "unexpected: "):
			r.Duplicated++
		default:
			r.Wrong++
		}
	}
	r.Faults = append(r.Faults, faults...)
}

func (r *Report) count(workflow, result string) {
	for i, o := range r.Outcomes {
		if o.Workflow == workflow && o.Result == result {
			r.Outcomes[i].Runs++
			return
		}
	}
	r.Outcomes = append(r.Outcomes, Outcome{workflow, result, 1})
}
