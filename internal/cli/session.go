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

// connected is with for commands that wait for longer than an answer takes: ctx
// bounds the opening alone.
func (a *app) connected(ctx context.Context, fn func(*session) error) error {
	st, err := redisstore.Open(ctx, redisstore.Config{
		URL: a.redis, Namespace: a.namespace, Embedded: a.embedded, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return timedOut(ctx, err)
	}
	defer st.Close()
	return fn(&session{st: st, ctl: flox.NewControl(st)})
}

// timedOut says what ended ctx instead of what that broke.
func timedOut(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

// explain adds to an error about a run how to go on.
func explain(id string, err error) error {
	if isNotFound(err) {
		return fmt.Errorf("run %q: not found; see: %s list", id, program)
	}
	return err
}
