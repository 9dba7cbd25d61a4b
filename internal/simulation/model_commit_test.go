package simulation

import (
	"context"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// Commit is the model's.
func (m *model) Commit(_ context.Context, c flox.Commit) (flox.CommitResult, error) {
	r, ok := m.runs[c.Run]
	if !ok {
		return flox.CommitResult{Verdict: flox.VerdictGone}, nil
	}
	defer func() { m.runs[c.Run] = r }()
	t, res, ok := m.fence(&r, c.Lease)
	if !ok {
		return res, nil
	}
	failure := c.Op == flox.OpRetry || c.Op == flox.OpFail
	switch {
	case failure && c.Attempt != t.attempt:
		return flox.CommitResult{Verdict: flox.VerdictRepeat}, nil
	case c.Read <= r.n.Version && (c.Op != flox.OpHold || c.Read == r.n.Version):
	case r.status == flox.StatusRunning:
		return flox.CommitResult{Verdict: flox.VerdictStale, Version: r.n.Version, Committed: r.n.Committed}, nil
	default:
		r.park(t)
		return flox.CommitResult{Verdict: flox.VerdictParked}, nil
	}
	if c.Delta != nil {
		r.deltas = append(r.deltas, string(c.Delta))
		r.n.Version++
	}
	switch {
	case failure:
	case c.Fallback:
		r.n.Failed++
	default:
		r.n.Committed++
	}
	open := !r.status.Terminal()
	v := m.apply(&r, t, c)
	res = flox.CommitResult{Verdict: v}
	if v == flox.VerdictKept {
		res.Version, res.Committed = r.n.Version, r.n.Committed
	}
	if open && r.status.Terminal() {
		res.Ended = r.status
	}
	return res, nil
}

// apply moves the token.
func (m *model) apply(r *modelRun, t modelToken, c flox.Commit) flox.Verdict {
	keep := c.Keep && c.Delay <= 0 && r.status == flox.StatusRunning
	goOn := func() flox.Verdict {
		if keep {
			r.put(t)
			return flox.VerdictKept
		}
		return m.place(r, t, c.Delay)
	}
	switch c.Op {
	case flox.OpRetry:
		t.attempt++
		t.place, t.soon = flox.PlaceDelayed, soon(c.Delay)
		r.put(t)
	case flox.OpFail:
		t.failed = true
		r.park(t)
		if r.status == flox.StatusRunning || r.status == flox.StatusPaused {
			r.status, r.cause = flox.StatusFailed, c.Cause
		}
	case flox.OpNext:
		keep = keep && c.Queue == t.queue
		t.advance(r, c.Node, c.Queue, flox.Input{Payload: c.Input})
		return goOn()
	case flox.OpFan:
		return m.fan(r, t, c, keep)
	case flox.OpAwait:
		t.advance(r, t.node, t.queue, flox.Input{Payload: c.Input})
		if payload, ok := r.kept[c.Signal]; ok {
			delete(r.kept, c.Signal)
			t.in.Answer = &flox.Answered{Payload: []byte(payload)}
			if c.Delay = 0; c.Keep && r.status == flox.StatusRunning {
				keep = true
			}
			return goOn()
		}
		r.waits++
		t.place, t.signal, t.since = flox.PlaceWaiting, c.Signal, r.waits
		t.soon = c.Delay > 0 && soon(c.Delay)
		r.put(t)
	case flox.OpHold:
		r.n.Held++
		if !slices.Contains(r.held, t.node) {
			r.held = append(r.held, t.node)
		}
		r.holds[t.node]++
		m.ended(r, t)
	case flox.OpEnd:
		if c.Output != nil {
			r.outs = append(r.outs, string(c.Output))
			r.n.Outputs++
		}
		m.ended(r, t)
	case flox.OpDeposit:
		if f, ok := r.frames[t.frame]; ok {
			f.deposits = append(slices.Clone(f.deposits), modelDeposit{t.index, t.id, flox.ItemID(t.id, t.step), c.Output})
			r.frames[t.frame] = f
		}
		m.ended(r, t)
	}
	return flox.VerdictReleased
}

func (m *model) fan(r *modelRun, t modelToken, c flox.Commit, keep bool) flox.Verdict {
	item, spec := flox.ItemID(t.id, t.step), c.Fan.Frame
	if c.Fan.Size == 0 {
		if spec != nil {
			// The join's token takes the place of the one that ends.
			frame := modelFrame{join: spec.Join, queue: spec.Queue, parent: t.frame, index: t.index}
			m.fire(r, item, frame)
			t.frame = ""
		}
		m.ended(r, t)
		return flox.VerdictReleased
	}
	if spec != nil {
		r.frames[item] = modelFrame{join: spec.Join, queue: spec.Queue, parent: t.frame, index: t.index, live: c.Fan.Size}
		t.frame, t.index = item, 0
	} else if f, ok := r.frames[t.frame]; ok {
		f.live += c.Fan.Size - 1
		r.frames[t.frame] = f
	}
	keep = keep && c.Queue == t.queue
	parent, step := t.id, t.step
	t.advance(r, c.Node, c.Queue, flox.Input{Payload: c.Input})
	for i, b := range c.Fan.Branches {
		child := modelToken{
			id: flox.ChildToken(parent, step, i+1), node: b.Node, queue: b.Queue,
			frame: t.frame, index: t.index, in: flox.Input{Payload: b.Input},
		}
		if spec != nil {
			child.index = i + 1
		}
		m.make(r, child, c.Delay)
	}
	if keep {
		r.put(t)
		return flox.VerdictKept
	}
	return m.place(r, t, c.Delay)
}
