package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	stepLease  = 3 * time.Second
	crashLimit = 3
)

var stepQueues = []string{"q0", "q1"}

// stepper drives a store by one goroutine: at each step one actor makes its next
// call. The seed decides which, what befalls the call, and how time passes.
type stepper struct {
	ctx     context.Context
	st      flox.Store
	r       *rand.Rand
	calm    bool // no more faults
	began   time.Time
	trace   *strings.Builder // nil: none
	steps   int
	plans   []*plan
	workers []*stepWorker
	born    int // workers, ever
	owners  int
	nonces  int
	late    []func() // calls that may arrive once more
	fired   map[string]int

	judge judge
}

// stepWorker is what a worker process remembers.
type stepWorker struct {
	name    string
	entries []flox.Entry // claimed, to be loaded
	hands   []*hand
}

// hand is a token in a worker's hand.
type hand struct {
	loaded flox.Loaded
	commit *flox.Commit // decided, and not answered
}

// errViolation is that something does not hold that must.
var errViolation = errors.New("violation")

// newStepper makes a system of a seed. It must be used in a synctest bubble, whose
// clock it moves.
func newStepper(seed uint64, st flox.Store, trace bool) *stepper {
	s := &stepper{
		ctx: context.Background(), st: st, r: rand.New(rand.NewPCG(seed, 11)), began: time.Now(),
		fired: map[string]int{}, judge: newJudge(),
	}
	if trace {
		s.trace = &strings.Builder{}
	}
	for i := range 1 + s.r.IntN(3) {
		kind := s.r.IntN(5)
		s.plans = append(s.plans, &plan{
			run: fmt.Sprint("r", i), seed: seed*31 + uint64(i), undoes: kind == 0, quorum: kind == 1,
		})
	}
	for range 1 + s.r.IntN(3) {
		s.workers = append(s.workers, s.hire())
	}
	return s
}

func (s *stepper) hire() *stepWorker {
	s.born++
	return &stepWorker{name: fmt.Sprint("w", s.born)}
}

// say writes a line of the trace.
func (s *stepper) say(format string, args ...any) {
	if s.trace != nil {
		fmt.Fprintf(s.trace, "%4d %9s  ", s.steps, time.Since(s.began))
		fmt.Fprintf(s.trace, format+"\n", args...)
	}
}

// fate is what becomes of a call.
type fate int

const (
	heard   fate = iota // it is made and answered
	unsent              // it gets lost on its way
	unheard             // its answer gets lost
)

// call makes a call, or loses it or its answer, and reports whether the caller has
// heard the answer. again is whether it may arrive once more, later.
func (s *stepper) call(again bool, make func()) bool {
	f := heard
	if !s.calm {
		switch s.r.IntN(20) {
		case 0:
			f = unsent
		case 1:
			f = unheard
		}
	}
	if f == unsent {
		s.fired["request lost"]++
		s.say("  (the request is lost)")
		return false
	}
	make()
	if again && !s.calm && s.r.IntN(10) == 0 {
		s.late = append(s.late, make)
	}
	if f == unheard {
		s.fired["reply lost"]++
		s.say("  (the reply is lost)")
	}
	return f == heard
}

// run makes some steps with faults, then goes on in calm until all runs have
// ended, and returns the first violation.
func (s *stepper) run(steps int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			violation, ok := p.(error)
			if !ok || !errors.Is(violation, errViolation) {
				panic(p)
			}
			err = violation
		}
	}()
	for range steps {
		s.step()
	}
	s.calm = true
	const most = 6000
	for range most {
		if s.settled() {
			return s.atEnd()
		}
		s.step()
	}
	return fmt.Errorf("%w: after %d steps in calm not all has ended:\n%s", errViolation, most, s.stands())
}

// step lets one actor act.
func (s *stepper) step() {
	s.steps++
	switch n := s.r.IntN(100); {
	case n < 70:
		s.work(s.workers[s.r.IntN(len(s.workers))])
	case n < 80:
		s.tend()
	case n < 90:
		s.client(s.plans[s.r.IntN(len(s.plans))])
	case n < 97:
		s.pass()
	case n < 98 && !s.calm:
		i := s.r.IntN(len(s.workers))
		s.say("%s dies", s.workers[i].name)
		s.fired["killed"]++
		s.workers[i] = s.hire()
	case len(s.late) > 0 && !s.calm:
		i := s.r.IntN(len(s.late))
		s.say("a late request arrives")
		s.fired["request late"]++
		s.late[i]()
	}
}

// pass lets time go on: mostly a little, sometimes longer than any lease, which
// makes zombies of all who have one.
func (s *stepper) pass() {
	d := time.Duration(1+s.r.IntN(400)) * time.Millisecond
	if s.r.IntN(12) == 0 {
		d = stepLease + time.Duration(s.r.IntN(3))*time.Second
		s.fired["clock jumped"]++
	}
	time.Sleep(d)
	s.say("%v pass", d)
}

// tend is the work of every worker's loops, for all of them.
func (s *stepper) tend() {
	if s.r.IntN(2) == 0 {
		s.call(true, func() {
			p, err := s.st.Promote(s.ctx, 1+s.r.IntN(3))
			s.must(err)
			s.say("promote = %d moved, next in %v", p.Moved, p.Next)
		})
	} else {
		s.call(true, func() {
			done, err := s.st.Settle(s.ctx, "")
			s.must(err)
			s.say("settle = %+v", done)
		})
	}
	s.judgeAll()
}

func (s *stepper) must(err error) {
	if err != nil {
		panic(fmt.Errorf("%w: an error from the store: %w", errViolation, err))
	}
}

func (s *stepper) wrong(format string, args ...any) {
	panic(fmt.Errorf("%w: "+format, append([]any{errViolation}, args...)...))
}
