package proptest

import "fmt"

// block is a part of a workflow with one way in: a value comes, and one goes on,
// or the token ends. Each is wired in wire.go and evaluated in model.go.
type block interface {
	wire(w *wirer) port
	eval(m *model, in V) result
}

// maxAttempts is that of every node.
const maxAttempts = 3

// fate is how an attempt at a step ends.
type fate int

const (
	fateOK fate = iota
	fateError
	fatePanic
	fatePermanent
	fateAbort
)

// step is one node from anything that folds to a V, to a V.
type step struct {
	name  string
	salt  int64
	turns int // of the loop that it begins; -1: it ends a turn
	depth int // of that loop
	after int // NextAfter, in units
	bare  bool
	reads bool
	queue string

	flaky    int   // attempts that fail, of two values in three
	fails    fate  // of the values that are a multiple of every
	every    int64 // 0: never
	bomb     bool  // it fails only while the case is armed
	fallback *step
	undo     *step
}

func (s *step) entry(v V) string { return fmt.Sprint(s.name, ":", v.N) }

// undoing is what undoing in to out enters.
func (s *step) undoing(in, out V) string { return fmt.Sprint(s.name, ":", in.N, ":", out.N) }

func (s *step) fate(v V, attempt int, armed bool) fate {
	switch {
	case s.every > 0 && v.N%s.every == 0 && (armed || !s.bomb):
		return s.fails
	case attempt <= s.flaky && v.N%3 != 0:
		return fateError
	}
	return fateOK
}

func (s *step) out(v V) V {
	v.N = mix(v.N, s.salt)
	left := &v.L0
	if s.depth > 0 {
		left = &v.L1
	}
	switch {
	case s.turns > 0:
		*left = 1 + int(v.N)%s.turns
	case s.turns < 0:
		*left--
	}
	return v
}

// left is how many turns of the loop v still has before it.
func (s *step) left(v V) int {
	if s.depth > 0 {
		return v.L1
	}
	return v.L0
}

type (
	// seq is one block after the other.
	seq []block

	// quiet ends its token with no output; with hold it does so by Hold, and for
	// every third value only.
	quiet struct {
		step *step
		hold bool
	}

	// fan sends copies into arms, and joins what comes out.
	fan struct {
		open  *step
		arms  []block
		slow  []*step // further arms that take so long that a quorum is had before
		how   joinKind
		join  *step
		needs int // quorum
	}

	// split makes as many elements as the value says; unjoined if join is nil.
	split struct {
		name  string
		plain bool // flox.Split, which has no state
		least int
		span  int64
		body  block
		how   joinKind
		join  *step
	}

	// route sends a value into one of its arms.
	route struct {
		open *step
		arms []block
	}

	// side sends a copy where it ends quietly, and goes on without waiting.
	side struct {
		open  *step
		main  block
		first *step
		last  *quiet
	}

	// loop goes round as often as its head says.
	loop struct {
		head, tail, done *step
		body             block
	}

	// nest is a workflow of its own, as one node.
	nest struct {
		name     string
		own      bool // state of its own
		list     bool
		body     block
		unlist   *step // takes the list
		fallback *step
		undo     *step
	}

	// gather is a nest whose tokens hold until the last has come.
	gather struct {
		name, split   string
		collect, then *step
	}

	// ask awaits a signal, which comes early, or never.
	ask struct {
		step    *step
		then    *step
		payload string // "": it never comes
	}
)

// joinKind is how a fan-out is joined.
type joinKind int

const (
	joinList joinKind = iota
	joinWith
	joinPair
	joinAny // the quorum of any arms; the join sees only how many came
)

func (s *split) size(v V) int { return s.least + int(v.N%s.span) }

// gathered is how many a gathering is of.
func gathered(v V) int { return 1 + int(v.N%5) }

func (q *quiet) holds(v V) bool { return q.hold && v.N%3 == 0 }
