package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// requestTimeout is how long the store may take to answer unless --timeout says
// otherwise.
const requestTimeout = 10 * time.Second

// session is an open store and its controls.
type session struct {
	st  flox.Store
	ctl *flox.Control
}

// request bounds a conversation with the store.
func (a *app) request(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := requestTimeout
	if a.timeout > 0 {
		limit = a.timeout
	}
	return context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("no answer from Redis within %v; see that it is up, or raise --timeout", limit))
}

// with opens the store for fn and closes it afterwards.
func (a *app) with(ctx context.Context, fn func(context.Context, *session) error) error {
	ctx, cancel := a.request(ctx)
	defer cancel()
	return a.connected(ctx, func(s *session) error { return timedOut(ctx, fn(ctx, s)) })
}

// open is with for commands that ask more than once, or wait: fn bounds each
// question itself, with ask.
func (a *app) open(ctx context.Context, fn func(*session) error) error {
	opening, cancel := a.request(ctx)
	defer cancel()
	return a.connected(opening, fn)
}

// asker bounds one question to the store.
type asker func(ctx context.Context, question func(context.Context) error) error

// ask is the asker of commands that read many pages: each has its own time.
func (a *app) ask(ctx context.Context, question func(context.Context) error) error {
	ctx, cancel := a.request(ctx)
	defer cancel()
	return timedOut(ctx, question(ctx))
}

// connected is with for commands that wait for longer than an answer takes: ctx
// bounds the opening alone.
func (a *app) connected(ctx context.Context, fn func(*session) error) error {
	st, err := redisstore.Open(ctx, redisstore.Config{
		URL: a.redis, Namespace: a.namespace, Embedded: a.embedded, Logger: slog.New(slog.DiscardHandler),
		Durability: redisstore.Durability(a.durability.Mode()), Replicas: a.durability.Replicas(),
	})
	if err != nil {
		return timedOut(ctx, err)
	}
	defer st.Close()
	s := &session{st: st, ctl: flox.NewControl(st)}
	return s.suggest(ctx, fn(s))
}

// long is with for commands that may take any time: they end with --timeout if
// it is given.
func (a *app) long(ctx context.Context, fn func(context.Context, *session) error) error {
	opening, cancel := a.request(ctx)
	defer cancel()
	return a.connected(opening, func(s *session) error {
		if a.timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, a.timeout, fmt.Errorf("--timeout of %v is over", a.timeout))
			defer cancel()
		}
		return fn(ctx, s)
	})
}

// interrupted says what ended a command's ctx.
func interrupted(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return errors.New("interrupted")
	}
	return context.Cause(ctx)
}

// timedOut says what ended ctx instead of what that broke.
func timedOut(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, redisstore.ErrNotReplicated) {
		return interrupted(ctx)
	}
	return err
}

// unknownRun says that there is no run of an id, and which was probably meant. It
// is what its cause is.
type unknownRun struct {
	id, near string
	cause    error
}

func (e *unknownRun) Error() string {
	if e.near != "" {
		return fmt.Sprintf("run %q: not found; did you mean %s?", e.id, e.near)
	}
	return fmt.Sprintf("run %q: not found; see: %s list", e.id, program)
}

func (e *unknownRun) Unwrap() error { return e.cause }

// explain adds to an error about a run how to go on.
func explain(id string, err error) error {
	switch {
	case isNotFound(err):
		return &unknownRun{id: id, cause: err}
	case errors.Is(err, flox.ErrInvalid):
		return because(err, "run %q: %v: something else wrote to flox's keys; see: %s doctor", id, flox.ErrInvalid, program)
	}
	return err
}

// suggest adds the newest run that an unknown one was probably meant to be. Ids
// are much alike, so it differs by a letter or two.
func (s *session) suggest(ctx context.Context, err error) error {
	unknown, ok := errors.AsType[*unknownRun](err)
	if !ok {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeWithin)
	defer cancel()
	page, listed := s.ctl.List(ctx, flox.ListRequest{Limit: completeRuns})
	least := 2 + len(unknown.id)/10
	for _, run := range page.Runs {
		if d := distance(unknown.id, run.ID); listed == nil && d < least && d < len(unknown.id)/2 {
			unknown.near, least = run.ID, d
		}
	}
	return err
}
