package cli

import (
	"context"
	"time"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

const (
	// drawEvery is how often a live picture is drawn at most.
	drawEvery = time.Second
	// drawAnyway is how often it is drawn although no event came: one may be lost.
	drawAnyway = 10 * time.Second
)

// wantTerminal refuses to draw where nobody sees it.
func (a *app) wantTerminal(what, instead string) error {
	if a.structured() || !isTerminal(a.stdout) {
		return flags.Usagef("%s: want a terminal and a table; elsewhere use: %s %s", what, program, instead)
	}
	return nil
}

// live draws until ctx ends or --timeout has passed, when events say that there is
// something new.
func (a *app) live(ctx context.Context, s *session, draw func() error) error {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	events, err := s.st.Watch(ctx)
	if err != nil {
		return err
	}
	return redraw(ctx, events, func() error {
		a.printf("\x1b[H\x1b[2J") // to the corner, and clear
		return draw()
	})
}

// redraw calls draw now and for events, at most once in drawEvery, and without
// any in drawAnyway. It ends without an error when ctx does.
func redraw(ctx context.Context, events <-chan flox.RunEvent, draw func() error) error {
	for {
		if err := draw(); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		earliest, latest := time.NewTimer(drawEvery), time.NewTimer(drawAnyway)
		for due, changed := false, false; !due || !changed; {
			select {
			case <-ctx.Done():
				return nil
			case <-earliest.C:
				due = true
			case <-latest.C:
				changed = true
			case _, open := <-events:
				if !open {
					events = nil
				}
				changed = true
			}
		}
		earliest.Stop()
		latest.Stop()
	}
}

// limited ends ctx when --timeout has passed.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.timeout > 0 {
		return context.WithTimeout(ctx, a.timeout)
	}
	return context.WithCancel(ctx)
}
