package flox

import (
	"slices"
	"time"
)

// applyFan makes the branches of a fan-out. The token goes on as branch 0.
func (m *Memory) applyFan(t *memToken, c Commit) Verdict {
	if c.Fan.Size == 0 {
		return m.fanNothing(t, c)
	}
	queue, origin := t.queue, t.step
	m.openFrame(t, c.Fan)
	t.advance(c.Node, c.Queue, c.Input)
	framed := c.Fan.Frame != nil
	if c.Fan.Blobs != nil {
		// No baton: whoever releases queues up behind other runs' tokens.
		t.release = &memRelease{origin: origin, framed: framed, size: c.Fan.Size, next: 1, blobs: slices.Clone(c.Fan.Blobs)}
		return m.goOn(t, false, c.Delay)
	}
	m.makeBranches(t, origin, 1, framed, c.Fan.Branches, c.Delay)
	return m.goOn(t, c.Keep && c.Queue == queue, c.Delay)
}

// fanNothing ends the token; its join, if any, fires at once.
func (m *Memory) fanNothing(t *memToken, c Commit) Verdict {
	spec := c.Fan.Frame
	if spec == nil {
		return m.applyEnd(t, nil)
	}
	m.end(t)
	m.fire(t.run, newFrame(t, spec, 0))
	m.finish(t.run)
	return VerdictReleased
}

func newFrame(t *memToken, spec *FrameSpec, size int) *memFrame {
	return &memFrame{
		id: shortToken(ItemID(t.id, t.step)), join: spec.Join, queue: spec.Queue, carry: spec.Carry,
		parent: t.frame, parentIndex: t.index, live: size, quorum: spec.Quorum, outside: t.scope,
	}
}

// openFrame puts the token into the fan-out's frame. Without one, the branches
// join those of the frame it stands in.
func (m *Memory) openFrame(t *memToken, fan *Fan) {
	if fan.Frame != nil {
		f := newFrame(t, fan.Frame, fan.Size)
		t.run.frames[f.id] = f
		t.frame, t.index = f.id, 0
		if fan.Frame.Scope {
			t.scope = f.id
		}
	} else if outer := t.run.frames[t.frame]; outer != nil {
		outer.live += fan.Size - 1
	}
}

// makeBranches makes the branches from number first on, beside t.
func (m *Memory) makeBranches(t *memToken, origin, first int, framed bool, branches []Branch, delay time.Duration) {
	for i, b := range branches {
		number := first + i
		child := &memToken{
			run: t.run, id: ChildToken(t.id, origin, number),
			node: b.Node, queue: b.Queue, input: b.Input,
			frame: t.frame, index: t.index, scope: t.scope,
		}
		if framed {
			child.index = number
		}
		m.make(child, delay)
	}
}

// applyRelease makes one chunk of a large fan-out. Between chunks the token
// queues up behind its children, so that other runs get their turn.
func (m *Memory) applyRelease(t *memToken, c Commit) Verdict {
	r := t.release
	m.makeBranches(t, r.origin, (r.next-1)*ReleaseChunk+1, r.framed, c.Branches, 0)
	r.blobs[r.next-1] = nil
	t.stepOn()
	r.next++
	if r.next <= len(r.blobs) {
		return m.goOn(t, false, 0)
	}
	t.release = nil
	return m.goOn(t, c.Keep, 0)
}
