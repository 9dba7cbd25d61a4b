package model

import "fmt"

// Model is one exploration: a setup, and at most one rule that is changed. It is
// for one goroutine.
type Model struct {
	setup    Setup
	graph    *Graph
	mutation Mutation

	wrong string // the first violation that a rule has seen since it was cleared
	want  []string
	buf   []byte
}

// New makes a model of a setup with a mutation, or None. Of what a graph of the kind
// "same" does, the fault-free run tells.
func New(setup Setup, mutation Mutation) *Model {
	if setup.Chunk == 0 {
		setup.Chunk = 100
	}
	if setup.Limit == 0 {
		setup.Limit = 3
	}
	m := &Model{setup: setup, graph: setup.Graph}
	if m.graph.same {
		m.want = m.plain()
	}
	m.mutation = mutation
	return m
}

func (m *Model) broken(mutation Mutation) bool { return m.mutation == mutation }

func (m *Model) violate(format string, args ...any) {
	if m.wrong == "" {
		m.wrong = fmt.Sprintf(format, args...)
	}
}

// initial is the state after start.
func (m *Model) initial() *State {
	s := &State{db: &db{}}
	for f, n := range m.setup.Left {
		s.left[f] = n
	}
	m.start(s)
	return s
}

// plain returns the items that the graph does if nothing goes wrong.
func (m *Model) plain() []string {
	s := m.initial()
	s.left = budget{}
	for {
		var next *State
		m.successors(s, func(step Step, to *State) bool {
			if step.fair {
				next = to
			}
			return next == nil
		})
		if next == nil {
			break
		}
		m.arrange(next)
		s = next
	}
	if m.wrong != "" || s.db.status != completed {
		panic("model: the fault-free run of " + m.graph.Name + " ends " + s.db.status.String() + " " + m.wrong)
	}
	return s.db.log
}

// Step is one transition: a script, or what happens besides.
type Step struct {
	does script
	uid  int8 // session
	tok  string
	op   op
	n    int8 // fault, control, signal or node
	lost bool // the reply
	fair bool // it happens sooner or later, if it stays possible
}

// script is what a step runs, named as its file; those behind are no script's.
type script uint8

const (
	scriptStart script = iota
	scriptLoad
	scriptNext
	scriptLater
	scriptAwait
	scriptEnd
	scriptClose
	scriptFan
	scriptRelease
	scriptRetry
	scriptFail
	scriptHandback
	scriptRenew
	scriptReclaim
	scriptUnclaim
	scriptPromote
	scriptDeadline
	scriptControl
	scriptRestart
	scriptSignal
	scriptSettle
	scriptDelete
	scriptRebuild
	scriptState
	scriptCompact
	scripts  // the number of them
	claims   // XREADGROUP
	happens  // a fault
	recalls  // what a janitor does by a mutation
	allSteps // the number of them all
)
