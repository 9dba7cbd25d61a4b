package floxtest

import (
	"strings"
	"testing"
	"testing/synctest"
)

// inBubble calls f in virtual time: in a bubble of its own or, if the test is in
// one, in that.
func (r *rig) inBubble(f func()) {
	r.t.Helper()
	if bubbled() {
		f()
		return
	}
	t, ok := r.t.(*testing.T)
	if !ok {
		r.t.Fatalf("floxtest: a run needs a *testing.T for its virtual time, and New was given a %T; give it one, or make the Harness inside synctest.Test", r.t)
	}
	leak := ownBubble(t, f)
	if leak != nil && (r.last == nil || r.last.stuck == nil) { // else it is the stuck node
		r.t.Fatalf("floxtest: the run has ended, but goroutines that its nodes started have not, nor will they (%v); what keeps some, as the clients of servers do, must be closed or faked", leak)
	}
}

// ownBubble calls f in a new bubble. The error says that goroutines are left in
// it that nothing can wake.
func ownBubble(t *testing.T, f func()) (leak error) {
	defer func() {
		p := recover()
		err, ok := p.(error)
		switch {
		case p == nil:
		case ok && strings.HasPrefix(err.Error(), "deadlock:"):
			leak = err
		default:
			panic(p)
		}
	}()
	synctest.Test(t, func(*testing.T) { f() })
	return nil
}

// bubbled reports whether the test is in a bubble.
func bubbled() (in bool) {
	defer func() { in = recover() == nil }()
	synctest.Wait() // panics outside
	return true
}
