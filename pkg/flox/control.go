package flox

import (
	"context"
	"errors"
	"fmt"
)

// Control starts, watches and steers runs of any workflow by name, without
// their types: what the CLI and administration tools use. It is safe for
// concurrent use.
type Control struct {
	st         Store
	watch      *watcher
	maxPayload int // of an input, in bytes
}

// NewControl returns a Control of the runs in st.
func NewControl(st Store) *Control {
	return &Control{st: st, watch: newWatcher(st), maxPayload: DefaultMaxPayload}
}

// Pause lets no further step of the run start; steps in flight finish, commit
// and stop there. ErrNotFound, or a *RefusedError unless the run is running.
func (c *Control) Pause(ctx context.Context, id string) error { return c.do(ctx, id, ControlPause) }

// Resume lets a paused run go on. ErrNotFound, or a *RefusedError unless it is paused.
func (c *Control) Resume(ctx context.Context, id string) error { return c.do(ctx, id, ControlResume) }

// Cancel ends a run for good, also one that is paused or undoes: from then on
// nothing of it starts and no commit of it is accepted. It undoes nothing.
// ErrNotFound, or a *RefusedError if the run has ended.
func (c *Control) Cancel(ctx context.Context, id string) error { return c.do(ctx, id, ControlCancel) }

// Retry lets a failed run go on from its failed steps, with fresh attempts and no
// deadline; one whose undo failed goes on undoing. ErrNotFound, or a
// *RefusedError unless it has failed and has something to go on from.
func (c *Control) Retry(ctx context.Context, id string) error { return c.do(ctx, id, ControlRetry) }

// RetryFrom lets a failed run be done again from a node, with the input and the
// state it had when it last came there alone, that is while no other token of the
// run was anywhere. What was done since is forgotten, but in the history and the
// errors; it still counts towards the Builder's MaxSteps. Every token of the run is
// dropped, and what is done again has new item ids, and so new idempotency keys;
// what awaits a signal that was taken awaits it again. If the run stands at the
// node alone already, this is Retry: the item is the same, its idempotency key too.
// ErrNotFound, or a *RefusedError unless the run has failed; also with a Reason, if
// the run never went on from the node, or only in branches of a fan-out or as their
// join, if steps were undone, or if the state was folded since.
func (c *Control) RetryFrom(ctx context.Context, id, node string) error {
	if node == "" {
		return errors.New("retry from: want the name of a node")
	}
	return c.control(ctx, ControlRequest{Run: id, Op: ControlRetry, From: node})
}

// Delete removes a run that has ended and everything that is kept of it. Its id is
// free then: a run started under it has the idempotency keys of the one before.
// ErrNotFound, or a *RefusedError if it has not ended.
func (c *Control) Delete(ctx context.Context, id string) error {
	if _, err := c.Show(ctx, id); err != nil {
		return err
	}
	// A run that is gone by now was deleted, be it by a lost answer's call.
	if _, err := c.st.Delete(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
		if errors.Is(err, ErrRefused) {
			return err
		}
		return fmt.Errorf("delete run %s: %w", id, err)
	}
	return nil
}

// apply does any operation to a run; from is the node of a retry, if there is one.
func (c *Control) apply(ctx context.Context, id string, op ControlOp, from string) error {
	switch {
	case op == ControlDelete:
		return c.Delete(ctx, id)
	case from != "":
		return c.RetryFrom(ctx, id, from)
	}
	return c.do(ctx, id, op)
}

func (c *Control) do(ctx context.Context, id string, op ControlOp) error {
	return c.control(ctx, ControlRequest{Run: id, Op: op})
}

func (c *Control) control(ctx context.Context, req ControlRequest) error {
	id, op := req.Run, req.Op
	if err := CheckName("run id", id); err != nil {
		return err
	}
	req.Nonce = newNonce()
	if _, err := c.st.Control(ctx, req); err != nil {
		if errors.Is(err, ErrRefused) {
			return err
		}
		return fmt.Errorf("%s run %s: %w", op, id, err)
	}
	for more := op != ControlPause; more; {
		settled, err := c.st.Settle(ctx, id)
		if err != nil {
			// The status has changed; any worker's janitor settles the rest.
			return fmt.Errorf("%s run %s: done, but not settled yet: %w", op, id, err)
		}
		more = settled.More
	}
	return nil
}
