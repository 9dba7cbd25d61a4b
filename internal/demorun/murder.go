package demorun

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// murder kills the worker that has most work in hand and starts another in its
// place. One that had finished its work just before it died does not count: then
// another one has to go.
func (w *world) murder(ctx context.Context, report *Report) error {
	for i := range workers {
		var victim *process
		err := until(ctx, func() (_ bool, err error) {
			victim, err = w.busiest(ctx)
			return victim != nil, err
		})
		if err != nil {
			return err
		}
		victim.kill()
		held, err := w.held(ctx)
		if err != nil {
			return err
		}
		report.Killed, report.KilledPID, report.Held = victim.name, victim.pid(), held[victim.name]
		w.cfg.Event(fmt.Sprintf("killed %s (pid %d) with SIGKILL while it held %d steps; starting a replacement",
			victim.name, victim.pid(), report.Held))
		if err := w.hire(fmt.Sprintf("demo-worker-%d", workers+1+i)); err != nil {
			return err
		}
		if report.Held > 0 {
			return nil
		}
	}
	return errors.New("no worker could be killed with work in hand")
}

// busiest returns the worker with most work in hand once the demo is in its
// middle, nil while there is none.
func (w *world) busiest(ctx context.Context) (*process, error) {
	left, err := w.unfinished(ctx)
	if err != nil {
		return nil, err
	}
	total := int64(1 + len(w.cases))
	w.cfg.Progress(fmt.Sprintf("%d of %d runs have ended", total-left, total))
	if left == 0 {
		return nil, errors.New("all runs ended before a worker could be killed with work in hand")
	}
	if left > total*3/4 {
		return nil, nil
	}
	held, err := w.held(ctx)
	if err != nil {
		return nil, err
	}
	var busiest *process
	for _, p := range w.procs {
		if held[p.name] > 0 && !p.ended() && (busiest == nil || held[p.name] > held[busiest.name]) {
			busiest = p
		}
	}
	return busiest, nil
}

// held counts the leased tokens by their workers' names.
func (w *world) held(ctx context.Context) (map[string]int, error) {
	held := map[string]int{}
	for cursor := ""; ; {
		page, err := w.st.List(ctx, flox.ListRequest{RunFilter: flox.RunFilter{Statuses: flox.ActiveStatuses()}, Cursor: cursor, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, run := range page.Runs {
			tokens, _, err := w.st.Checkpoint(ctx, run.ID, "", 1000)
			if errors.Is(err, flox.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			for _, t := range tokens {
				if name, ok := ownerName(t.Owner); ok && t.Place == flox.PlaceLeased {
					held[name]++
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			return held, nil
		}
	}
}

// ownerName cuts a lease's owner, "<worker's name>-<process>-<counter>".
func ownerName(owner string) (string, bool) {
	parts := strings.Split(owner, "-")
	if len(parts) < 3 {
		return "", false
	}
	return strings.Join(parts[:len(parts)-2], "-"), true
}
