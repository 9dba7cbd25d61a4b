package floxtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

var fanChecks = []check{
	{"Small", fanSmall},
	{"Kept", fanKept},
	{"One", fanOne},
	{"NoneWithJoin", fanNoneWithJoin},
	{"NoneInFrame", fanNoneInFrame},
	{"NoneWithoutJoin", fanNoneWithoutJoin},
	{"OtherQueues", fanOtherQueues},
	{"Paused", fanPaused},
	{"Large", fanLarge},
	{"LargeWithoutFrame", fanLargeWithoutFrame},
	{"LargePaused", fanLargePaused},
	{"LargeKept", fanLargeKept},
	{"ReleaseReclaimed", fanReleaseReclaimed},
}

// small is the largest fan-out that is made at once.
const small = flox.ReleaseChunk

func fanSmall(d *driver) {
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	for token, l := range d.takeAll(3) {
		number, step := 0, 1
		if token != flox.RootToken {
			fmt.Sscanf(token, "0.0.%d", &number)
			step = 0
		}
		if token != flox.RootToken && token != flox.ChildToken(flox.RootToken, 0, number) {
			d.t.Errorf("took token %q, want a child of item 0.0", token)
		}
		if l.Lease.Step != step || l.Item.Node != "branch" || string(l.Item.Input.Payload) != fmt.Sprintf("branch %d", number) {
			d.t.Errorf("took %s at %q with %q, want branch %d", l.Lease.Item(), l.Item.Node, l.Item.Input.Payload, number)
		}
	}
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Version: 1})
	d.idle(d.queue)
}

func fanKept(d *driver) {
	l := d.begin()
	c := fanJoin(l, 3)
	c.Keep = true
	d.commit(c, flox.VerdictKept)
	d.commit(deposit(kept(l, c), "a"), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(deposit(items["0.0.2"], "c"), flox.VerdictReleased)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictReleased)
	d.wantJoin("0.0.j", "a", "b", "c")
}

func fanOne(d *driver) {
	d.commit(fanJoin(d.begin(), 1), flox.VerdictReleased)
	d.commit(deposit(d.take(), "a"), flox.VerdictReleased)
	d.wantJoin("0.0.j", "a")
}

func fanNoneWithJoin(d *driver) {
	c := fanJoin(d.begin(), 0)
	c.Fan.Frame.Carry = []byte("carried")
	d.commit(c, flox.VerdictReleased)
	l := d.wantJoin("0.0.j")
	if string(l.Item.Input.Payload) != "carried" {
		d.t.Errorf("join got %q, want carried", l.Item.Input.Payload)
	}
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Version: 1})
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func fanNoneInFrame(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fanJoin(items["0"], 0), flox.VerdictReleased)
	d.commit(deposit(d.wantJoin("0.1.j"), "none"), flox.VerdictReleased)
	d.commit(fan(items["0.0.1"], 0), flox.VerdictReleased)
	d.wantJoin("0.0.j", "none")
}

func fanNoneWithoutJoin(d *driver) {
	d.commit(fan(d.begin(), 0), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "ended with no output" {
		d.t.Errorf("cause %q, want: ended with no output", info.Cause)
	}
	d.wantCounts(flox.Counts{Created: 1, Committed: 1, Version: 1})
}

func fanOtherQueues(d *driver) {
	c := fan(d.begin(), 2)
	c.Keep = true
	c.Queue = d.other
	d.commit(c, flox.VerdictReleased)
	if l := d.takeFrom(d.other); l.Lease.Token != flox.RootToken {
		d.t.Errorf("took %s from the other queue, want 0", l.Lease.Token)
	}
	if l := d.take(); l.Lease.Token != "0.0.1" {
		d.t.Errorf("took %s, want 0.0.1", l.Lease.Token)
	}
}

func fanPaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(fan(l, 3), flox.VerdictParked)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Parked: 3, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.takeAll(3)
	d.idle(d.queue)
}

// releaseAll releases a large fan-out, which has chunks of chunks, and returns
// its branches as they come, with the last release's answer.
func (d *driver) releaseAll(chunks int) map[string]flox.Loaded {
	d.t.Helper()
	branches := map[string]flox.Loaded{}
	for chunk := 1; chunk <= chunks; {
		l := d.take()
		if l.Item.Release == nil {
			branches[l.Lease.Token] = l
			continue
		}
		r := l.Item.Release
		if r.Chunk != chunk || r.Chunks != chunks || l.Lease.Token != flox.RootToken || l.Lease.Step != chunk {
			d.t.Fatalf("took %s, release %d of %d, want 0.%d, %d of %d", l.Lease.Item(), r.Chunk, r.Chunks, chunk, chunk, chunks)
		}
		d.commit(release(l), flox.VerdictReleased)
		chunk++
	}
	return branches
}

func fanLarge(d *driver) {
	const size = 600
	c := fanJoin(d.begin(), size)
	c.Keep = true
	d.commit(c, flox.VerdictReleased)
	branches := d.releaseAll(3)
	if len(branches) != 2*small {
		d.t.Errorf("%d branches came before the last chunk, want %d", len(branches), 2*small)
	}
	maps.Copy(branches, d.takeAll(size-len(branches)))
	if branches[flox.RootToken].Item.Release != nil {
		d.t.Error("branch 0 is still releasing")
	}
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: size + 1, Committed: 1, Live: size, Version: 1})
	tokens := slices.Sorted(maps.Keys(branches))
	for _, token := range tokens {
		l := branches[token]
		commit := deposit(l, string(l.Item.Input.Payload))
		if _, err := d.s.Commit(d.ctx, commit); err != nil {
			d.t.Fatal(err)
		}
	}
	l := d.take()
	if l.Lease.Token != "0.0.j" || len(l.Item.Input.Deposits) != size {
		d.t.Fatalf("took %s with %d deposits, want 0.0.j with %d", l.Lease.Token, len(l.Item.Input.Deposits), size)
	}
	for i, payload := range l.Item.Input.Deposits {
		if string(payload) != string(branchInput(i)) {
			d.t.Fatalf("deposit %d = %q, want %q", i, payload, branchInput(i))
		}
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: size + 2, Committed: size + 2, Outputs: 1, Version: size + 2})
	d.wantStatus(flox.StatusCompleted)
}

func fanLargeWithoutFrame(d *driver) {
	const size = small + 1
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fan(items["0.0.1"], size), flox.VerdictReleased)
	d.commit(deposit(items["0"], "first"), flox.VerdictReleased)
	l := d.take()
	d.commit(release(l), flox.VerdictReleased)
	for token, l := range d.takeAll(size) {
		if !strings.HasPrefix(token, "0.0.1") {
			d.t.Fatalf("took %s, want a branch of 0.0.1", token)
		}
		d.commit(deposit(l, "x"), flox.VerdictReleased)
	}
	l = d.take()
	if n := len(l.Item.Input.Deposits); l.Lease.Token != "0.0.j" || n != size+1 || string(l.Item.Input.Deposits[0]) != "first" {
		d.t.Errorf("took %s with %d deposits, want 0.0.j with %d, first first", l.Lease.Token, n, size+1)
	}
}

func fanLargePaused(d *driver) {
	const size = small + 1
	d.commit(fan(d.begin(), size), flox.VerdictReleased)
	l := d.take()
	d.control(flox.ControlPause)
	d.commit(release(l), flox.VerdictParked)
	d.wantCounts(flox.Counts{Created: size + 1, Committed: 1, Live: size, Parked: size, Version: 1})
	d.idle(d.queue)
	d.control(flox.ControlResume)
	d.settle()
	d.takeAll(size)
	d.idle(d.queue)
}

func fanLargeKept(d *driver) {
	const size = small + 1
	d.commit(fan(d.begin(), size), flox.VerdictReleased)
	l := d.take()
	if l.Item.Node != "branch" || string(l.Item.Input.Payload) != "branch 0" {
		d.t.Errorf("took %q with %q, want branch 0, which the release leads to", l.Item.Node, l.Item.Input.Payload)
	}
	c := release(l)
	c.Keep = true
	d.commit(c, flox.VerdictKept)
	d.commit(end(kept(l, flox.Commit{Node: "branch"}), "out"), flox.VerdictReleased)
	d.takeAll(size - 1)
}

func fanReleaseReclaimed(d *driver) {
	d.commit(fan(d.begin(), small+1), flox.VerdictReleased)
	old := d.take()
	d.expire()
	l := d.wantGrant(d.reclaim("w1")[0], flox.GrantOK)
	if l.Item.Release == nil || l.Item.Release.Chunk != 1 {
		d.t.Fatalf("reclaimed %+v, want release 1", l.Item)
	}
	d.commit(release(l), flox.VerdictReleased)
	d.unchanged("a release by the old holder", func() { d.commit(release(old), flox.VerdictLost) })
	d.takeAll(small + 1)
	d.idle(d.queue)
}
