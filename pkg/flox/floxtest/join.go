package floxtest

import (
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

var joinChecks = []check{
	{"AnyOrder", joinAnyOrder},
	{"Carry", joinCarry},
	{"BranchesEnd", joinBranchesEnd},
	{"AllBranchesEnd", joinAllBranchesEnd},
	{"Nested", joinNested},
	{"InnerFanWithoutFrame", joinInnerFan},
	{"RetryKeepsInput", joinRetryKeepsInput},
	{"Paused", joinPaused},
	{"Failed", joinFailed},
	{"LongTokens", joinLongTokens},
}

// wantJoin takes the join's item and checks what it gets.
func (d *driver) wantJoin(token string, want ...string) flox.Loaded {
	d.t.Helper()
	l := d.take()
	if l.Lease.Token != token || l.Lease.Step != 0 || l.Item.Node != "join" || !l.Item.Input.Joined {
		d.t.Fatalf("took %s at %q, joined %t, want %s.0 at join", l.Lease.Item(), l.Item.Node, l.Item.Input.Joined, token)
	}
	d.wantDeposits(l, want...)
	return l
}

func (d *driver) wantDeposits(l flox.Loaded, want ...string) {
	d.t.Helper()
	if got := fmt.Sprintf("%q", l.Item.Input.Deposits); got != fmt.Sprintf("%q", want) {
		d.t.Fatalf("input of %s = %s, want %q", l.Lease.Item(), got, want)
	}
	var items []string
	for _, output := range want {
		item, _ := d.deposits.Load(output)
		items = append(items, fmt.Sprint(item))
	}
	if !slices.Equal(l.Item.Input.Sources, items) {
		d.t.Fatalf("input of %s came from %q, want %q", l.Lease.Item(), l.Item.Input.Sources, items)
	}
}

func joinAnyOrder(d *driver) {
	orders := [][]string{
		{"0", "0.0.1", "0.0.2"}, {"0", "0.0.2", "0.0.1"}, {"0.0.1", "0", "0.0.2"},
		{"0.0.1", "0.0.2", "0"}, {"0.0.2", "0", "0.0.1"}, {"0.0.2", "0.0.1", "0"},
	}
	for i, order := range orders {
		d := d.scene(fmt.Sprintf("order%d", i))
		d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
		items := d.takeAll(3)
		for _, token := range order {
			d.idle(d.queue)
			d.commit(deposit(items[token], "from "+token), flox.VerdictReleased)
		}
		l := d.wantJoin("0.0.j", "from 0", "from 0.0.1", "from 0.0.2")
		d.idle(d.queue)
		d.wantCounts(flox.Counts{Created: 5, Committed: 4, Live: 1, Version: 4})
		d.commit(end(l, "out"), flox.VerdictReleased)
		d.wantStatus(flox.StatusCompleted)
	}
}

func joinCarry(d *driver) {
	c := fanJoin(d.begin(), 1)
	c.Fan.Frame.Carry = []byte("the order")
	c.Fan.Frame.Queue = d.other
	d.commit(c, flox.VerdictReleased)
	last := deposit(d.take(), "line")
	last.JoinQueue = d.other
	d.commit(last, flox.VerdictReleased)
	l := d.takeFrom(d.other)
	if string(l.Item.Input.Payload) != "the order" || l.Lease.Queue != d.other {
		d.t.Errorf("join got %q in %q, want the order in %q", l.Item.Input.Payload, l.Lease.Queue, d.other)
	}
	d.wantDeposits(l, "line")
	d.commit(next(l, "after"), flox.VerdictReleased)
	l = d.takeFrom(d.other)
	if l.Item.Input.Joined || len(l.Item.Input.Deposits) > 0 || string(l.Item.Input.Payload) != "input of after" {
		d.t.Errorf("after the join: input %+v, want a plain one", l.Item.Input)
	}
}

func joinBranchesEnd(d *driver) {
	d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(deposit(items["0.0.2"], "c"), flox.VerdictReleased)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.commit(endSilently(items["0.0.1"]), flox.VerdictReleased)
	d.wantJoin("0.0.j", "a", "c")
}

func joinAllBranchesEnd(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	for _, l := range d.takeAll(2) {
		d.commit(endSilently(l), flox.VerdictReleased)
	}
	d.commit(end(d.wantJoin("0.0.j"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func joinNested(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	outer := d.takeAll(2)
	d.commit(fanJoin(outer["0.0.1"], 2), flox.VerdictReleased)
	inner := d.takeAll(2)
	d.commit(deposit(inner["0.0.1.0.1"], "y"), flox.VerdictReleased)
	d.commit(deposit(outer["0"], "a"), flox.VerdictReleased)
	d.idle(d.queue)
	d.commit(deposit(inner["0.0.1"], "x"), flox.VerdictReleased)
	l := d.wantJoin("0.0.1.0.j", "x", "y")
	d.idle(d.queue)
	d.commit(deposit(l, "xy"), flox.VerdictReleased)
	l = d.wantJoin("0.0.j", "a", "xy")
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 7, Committed: 7, Outputs: 1, Version: 7})
	d.wantStatus(flox.StatusCompleted)
}

// joinInnerFan lets a branch fan out again without a frame of its own: its
// branches stand where it stood, in the order of their tokens.
func joinInnerFan(d *driver) {
	d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(fan(items["0.0.1"], 2), flox.VerdictReleased)
	inner := d.takeAll(2)
	d.commit(deposit(items["0.0.2"], "last"), flox.VerdictReleased)
	d.commit(deposit(inner["0.0.1.0.1"], "third"), flox.VerdictReleased)
	d.commit(deposit(items["0"], "first"), flox.VerdictReleased)
	d.idle(d.queue)
	d.commit(deposit(inner["0.0.1"], "second"), flox.VerdictReleased)
	d.wantJoin("0.0.j", "first", "second", "third", "last")
}

func joinRetryKeepsInput(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictReleased)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.commit(retry(d.wantJoin("0.0.j", "a", "b")), flox.VerdictReleased)
	d.promote(1)
	d.commit(fail(d.wantJoin("0.0.j", "a", "b"), "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(end(d.wantJoin("0.0.j", "a", "b"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func joinPaused(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.control(flox.ControlPause)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictReleased)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.idle(d.queue)
	d.wantStatus(flox.StatusPaused)
	d.wantCounts(flox.Counts{Created: 4, Committed: 3, Live: 1, Parked: 1, Version: 3})
	d.control(flox.ControlResume)
	d.settle()
	d.wantJoin("0.0.j", "a", "b")
}

// joinFailed fails one branch: it keeps its place in the frame.
func joinFailed(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictReleased)
	d.idle(d.queue)
	d.wantStatus(flox.StatusFailed)
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(deposit(d.take(), "a"), flox.VerdictReleased)
	d.wantJoin("0.0.j", "a", "b")
}

// joinLongTokens nests so deep that token ids are shortened.
func joinLongTokens(d *driver) {
	const depth = 40
	l := d.begin()
	var siblings []flox.Loaded
	for range depth {
		d.commit(fanJoin(l, 2), flox.VerdictReleased)
		child := flox.ChildToken(l.Lease.Token, l.Lease.Step, 1)
		items := d.takeAll(2)
		if items[child].Lease.Token == "" {
			d.t.Fatalf("took %v, want %s", items, child)
		}
		siblings = append(siblings, items[l.Lease.Token])
		l = items[child]
	}
	if len(l.Lease.Token) > 96 {
		d.t.Errorf("token %q is longer than 96 bytes", l.Lease.Token)
	}
	for _, sibling := range slices.Backward(siblings) {
		d.commit(deposit(sibling, "left"), flox.VerdictReleased)
		d.commit(deposit(l, "right"), flox.VerdictReleased)
		l = d.take()
		d.wantDeposits(l, "left", "right")
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}
