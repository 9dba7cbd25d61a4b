package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	// pollEvery is how often a run is looked at, besides when an event says so.
	pollEvery = time.Second
	// patience is how many looks in a row may fail: a store that restarts is
	// waited for.
	patience = 15
)

// await follows a run to its end, or as long as --timeout allows, and shows it.
// With events it prints each change of status too. The error carries the exit
// code.
func (a *app) await(ctx context.Context, s *session, id string, events bool) error {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	p := a.progress()
	p.lines = events && !a.structured()
	var status flox.Status
	info, err := s.follow(ctx, id, func(i flox.RunInfo) error {
		if events && i.Status != status {
			p.clear()
			if err := a.printEvent(statusEvent{time.Now(), i.ID, i.Workflow, i.Status}); err != nil {
				return err
			}
		}
		status = i.Status
		p.show(progressText(i))
		return nil
	})
	p.end()
	if err != nil {
		return a.notAwaited(ctx, id, err)
	}
	// The wait may have used up its time; what it led to is still shown.
	v, err := a.view(context.WithoutCancel(ctx), s, id)
	if err != nil {
		return explain(id, err)
	}
	if err := a.printView(v); err != nil {
		return err
	}
	return ended(info)
}

// notAwaited says why the end of a run was not seen.
func (a *app) notAwaited(ctx context.Context, id string, err error) error {
	switch ctx.Err() {
	case nil:
		if a.stdout.err != nil {
			return a.stdout.err
		}
		return explain(id, err)
	case context.DeadlineExceeded:
		return &exitError{ExitTimeout, fmt.Sprintf("run %s: has not ended within %v; it goes on, see: %s watch %s",
			id, a.timeout, program, id)}
	}
	return fmt.Errorf("run %s: interrupted; it goes on, see: %s watch %s", id, program, id)
}

// ended is the error of a run that did not complete.
func ended(info flox.RunInfo) error {
	switch info.Status {
	case flox.StatusFailed:
		text := fmt.Sprintf("run %s: failed: %s; see: %s errors %s", info.ID, info.Cause, program, info.ID)
		if info.Counts.Live > 0 {
			text += fmt.Sprintf("; go on with: %s retry %s", program, info.ID)
		}
		return &exitError{ExitFailed, text}
	case flox.StatusCancelled:
		return &exitError{ExitCancelled, fmt.Sprintf("run %s: was cancelled", info.ID)}
	}
	return nil
}

// follow reports how a run stands, at each event of it and every second, until
// it has ended. An error of seen ends it.
func (s *session) follow(ctx context.Context, id string, seen func(flox.RunInfo) error) (flox.RunInfo, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	events, err := s.st.Watch(watching)
	if err != nil {
		events = nil // looking every second does
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last flox.RunInfo
	for failures := 0; ; {
		info, err := s.ctl.Show(ctx, id)
		switch {
		case err == nil:
			last, failures = info, 0
			if err := seen(info); err != nil {
				return last, err
			}
			if info.Status.Terminal() {
				return info, nil
			}
		case ctx.Err() != nil || failures == patience || isNotFound(err):
			return last, err
		default:
			failures++
		}
		if events, err = nextLook(ctx, id, events, tick.C); err != nil {
			return last, err
		}
	}
}

// nextLook waits until it is worth looking at the run again. It returns events,
// or nil once they have ended.
func nextLook(ctx context.Context, id string, events <-chan flox.RunEvent, tick <-chan time.Time) (<-chan flox.RunEvent, error) {
	for {
		select {
		case <-ctx.Done():
			return events, ctx.Err()
		case <-tick:
			return events, nil
		case e, ok := <-events:
			if !ok {
				events = nil
			}
			if e.Run == id {
				return events, nil
			}
		}
	}
}

// progressText is how a run stands in one line.
func progressText(i flox.RunInfo) string {
	text := fmt.Sprintf("run %s: %s, %d steps done, %d in progress", i.ID, i.Status, i.Counts.Committed, inProgress(i.Counts))
	if i.Counts.Parked > 0 {
		text += fmt.Sprintf(", %d parked", i.Counts.Parked)
	}
	if i.Counts.Failed > 0 {
		text += fmt.Sprintf(", %d fallbacks", i.Counts.Failed)
	}
	return text
}

// inProgress counts the live tokens that are not parked.
func inProgress(c flox.Counts) int64 { return c.Live - c.Parked }
