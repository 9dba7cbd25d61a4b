package model

import (
	"fmt"
	"math/rand/v2"
)

// Walk goes at random through what may happen, so many steps, then lets happen only
// what happens by itself until nothing is left to do. It tells the violation that it
// met, with its way there.
func (m *Model) Walk(r *rand.Rand, steps int) Report {
	var report Report
	s := m.initial()
	m.arrange(s)
	report.Trace = []string{"start"}
	for n := 0; ; n++ {
		calm := n >= steps
		if calm && m.goal(s) {
			report.Ends++
			return report
		}
		if n == steps+calmSteps {
			report.Wrong = "L1: no end after " + fmt.Sprint(calmSteps) + " steps without a fault"
			return report
		}
		chosen, step, wrong := m.choose(r, s, calm)
		if chosen == nil {
			if !calm && m.goal(s) {
				report.Ends++
				return report
			}
			report.Wrong = "L1: stuck: nothing is left that happens by itself"
			report.Trace = append(report.Trace, "and then: "+m.describe(s))
			return report
		}
		report.Steps++
		report.Fired[step.does]++
		report.Trace = append(report.Trace, fmt.Sprintf("%2d %s", len(report.Trace), m.say(s, step)))
		if wrong != "" {
			report.Wrong = wrong
			return report
		}
		m.arrange(chosen)
		s = chosen
	}
}

// calmSteps is how many steps without a fault a walk may take to its end.
const calmSteps = 2000

// choose takes one of the steps that are possible, each with the same chance.
func (m *Model) choose(r *rand.Rand, s *State, calm bool) (chosen *State, step Step, wrong string) {
	n := 0
	m.wrong = ""
	m.successors(s, func(next Step, to *State) bool {
		violated := m.wrong
		m.wrong = ""
		if calm && !next.fair {
			return true
		}
		if n++; r.IntN(n) == 0 {
			chosen, step, wrong = to, next, violated
		}
		return true
	})
	if chosen != nil && wrong == "" {
		wrong = m.check(s, step, chosen)
	}
	return chosen, step, wrong
}
