package model

import "fmt"

// Report is what an exploration has found.
type Report struct {
	States, Steps int
	Ends          int // states in which nothing is left to do
	Deepest       int
	Fired         [allSteps]int // steps, by what they run
	Faults        [faults]int
	Wrong         string // the violation, "" if all holds
	Trace         []string
	Cut           bool // there are more states than were looked at
}

// graph of what was seen: states by number, in the order of their distance.
type seen struct {
	index   map[key]int32
	parent  []int32
	ordinal []uint16 // which of the parent's steps led here
	depth   []uint16
	from    []int32 // fair steps
	to      []int32
	ends    []bool
}

// Explore looks at every state within the bounds of the setup, breadth first, at
// most so many. It stops at the first violation; the trace to it is a shortest one.
// If there is none it looks for states from which no end is reached by what happens
// sooner or later: stuck.
func (m *Model) Explore(most int) Report {
	var r Report
	g := seen{index: map[key]int32{}}
	first := m.initial()
	level := []*State{first}
	g.add(m.key(first), -1, 0, 0, m.goal(first))
	for at := int32(0); len(level) > 0; {
		var next []*State
		for _, s := range level {
			if wrong, n := m.expand(&g, &r, s, at, &next); wrong != "" {
				r.States = len(g.parent)
				r.Wrong, r.Trace = wrong, append(m.trace(&g, at), m.last(&g, at, n)...)
				return r
			}
			at++
			if len(g.parent) > most {
				r.States, r.Cut = len(g.parent), true
				return r
			}
		}
		if level = next; len(next) > 0 {
			r.Deepest++
		}
	}
	r.States = len(g.parent)
	if stuck := g.stuck(); stuck >= 0 {
		r.Wrong = "L1: stuck: nothing that happens by itself leads to an end"
		r.Trace = append(m.trace(&g, stuck), "and then: "+m.describe(m.at(&g, stuck)))
	}
	for _, end := range g.ends {
		if end {
			r.Ends++
		}
	}
	return r
}

// expand adds the successors of a state. If one violates something it returns that
// and the ordinal of the step.
func (m *Model) expand(g *seen, r *Report, s *State, at int32, next *[]*State) (wrong string, ordinal int) {
	n := 0
	m.wrong = ""
	m.successors(s, func(step Step, to *State) bool {
		r.Steps++
		r.Fired[step.does]++
		if step.does == happens {
			r.Faults[step.n]++
		}
		if wrong = m.check(s, step, to); wrong != "" {
			ordinal = n
			return false
		}
		k := m.key(to)
		i, known := g.index[k]
		if !known {
			i = g.add(k, at, n, g.depth[at]+1, m.goal(to))
			*next = append(*next, to)
		}
		if step.fair && i != at {
			g.from, g.to = append(g.from, at), append(g.to, i)
		}
		n++
		return true
	})
	return wrong, ordinal
}

func (g *seen) add(k key, parent int32, ordinal int, depth uint16, end bool) int32 {
	i := int32(len(g.parent))
	g.index[k] = i
	g.parent = append(g.parent, parent)
	g.ordinal = append(g.ordinal, uint16(ordinal))
	g.depth = append(g.depth, depth)
	g.ends = append(g.ends, end)
	return i
}

// stuck returns a state from which no end is reached, -1 if there is none: the
// first where nothing goes on, else the first.
func (g *seen) stuck() int32 {
	start := make([]int32, len(g.parent)+1) // of the steps that lead to a state
	for _, to := range g.to {
		start[to+1]++
	}
	for i := range g.parent {
		start[i+1] += start[i]
	}
	into := make([]int32, len(g.to))
	fill := append([]int32(nil), start...)
	for i, to := range g.to {
		into[fill[to]] = g.from[i]
		fill[to]++
	}
	reached := append([]bool(nil), g.ends...)
	var todo []int32
	for i, end := range g.ends {
		if end {
			todo = append(todo, int32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, from := range into[start[i]:start[i+1]] {
			if !reached[from] {
				reached[from] = true
				todo = append(todo, from)
			}
		}
	}
	goesOn := make([]bool, len(g.parent))
	for _, from := range g.from {
		goesOn[from] = true
	}
	first := int32(-1)
	for i := range reached {
		if reached[i] {
			continue
		}
		if !goesOn[i] {
			return int32(i)
		}
		if first < 0 {
			first = int32(i)
		}
	}
	return first
}

// path returns the ordinals of the steps that lead to a state.
func (g *seen) path(at int32) []uint16 {
	path := make([]uint16, g.depth[at])
	for ; g.parent[at] >= 0; at = g.parent[at] {
		path[g.depth[at]-1] = g.ordinal[at]
	}
	return path
}

// walk goes along a path from the initial state and hands out each step.
func (m *Model) walk(path []uint16, see func(before *State, step Step)) *State {
	s := m.initial()
	m.arrange(s)
	for _, want := range path {
		n := uint16(0)
		before := s
		m.successors(before, func(step Step, to *State) bool {
			if n++; n <= want {
				m.arrange(to)
				return true
			}
			see(before, step)
			s = to
			return false
		})
		m.arrange(s)
	}
	return s
}

func (m *Model) at(g *seen, at int32) *State {
	return m.walk(g.path(at), func(*State, Step) {})
}

func (m *Model) trace(g *seen, at int32) []string {
	lines := []string{"start"}
	m.walk(g.path(at), func(before *State, step Step) {
		lines = append(lines, fmt.Sprintf("%2d %s", len(lines), m.say(before, step)))
	})
	return lines
}

// last is the step that the violation was seen in.
func (m *Model) last(g *seen, at int32, ordinal int) []string {
	s := m.at(g, at)
	n, line := 0, ""
	m.successors(s, func(step Step, _ *State) bool {
		if n == ordinal {
			line = fmt.Sprintf("%2d %s", g.depth[at]+1, m.say(s, step))
			return false
		}
		n++
		return true
	})
	return []string{line}
}
