package checker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kept is how many violations of one rule are kept with their text.
const kept = 10

// Rule is what is known of one rule.
type Rule struct {
	Judged     int      // things that were looked at
	Violations int      // how many of them broke the rule
	Texts      []string // what the first of the violations were
}

// Report says what was judged and what was wrong. The zero Report is empty and
// ready for use. It is not for concurrent use.
type Report struct {
	Rules map[string]*Rule
	// Measures are facts that are no rule, such as how long a takeover took at most, in
	// seconds. The largest of a name stays.
	Measures map[string]float64
	// Counts are facts that add up.
	Counts map[string]int
}

func (r *Report) rule(name string) *Rule {
	if r.Rules == nil {
		r.Rules = map[string]*Rule{}
	}
	if r.Rules[name] == nil {
		r.Rules[name] = &Rule{}
	}
	return r.Rules[name]
}

// Judged counts n more things as judged by a rule.
func (r *Report) Judged(rule string, n int) { r.rule(rule).Judged += n }

// Violate records that a rule was broken.
func (r *Report) Violate(rule, format string, args ...any) {
	v := r.rule(rule)
	v.Violations++
	if len(v.Texts) < kept {
		v.Texts = append(v.Texts, fmt.Sprintf(format, args...))
	}
}

// check counts one thing as judged, and as wrong unless it is right.
func (r *Report) check(rule string, right bool, format string, args ...any) {
	r.Judged(rule, 1)
	if !right {
		r.Violate(rule, format, args...)
	}
}

// Measure records a fact; the largest of a name is kept.
func (r *Report) Measure(name string, value float64) {
	if r.Measures == nil {
		r.Measures = map[string]float64{}
	}
	r.Measures[name] = max(r.Measures[name], value)
}

// Count adds n to a fact that is counted.
func (r *Report) Count(name string, n int) {
	if r.Counts == nil {
		r.Counts = map[string]int{}
	}
	r.Counts[name] += n
}

// took records a duration, in seconds.
func (r *Report) took(name string, d time.Duration) { r.Measure(name, d.Seconds()) }

// Add takes over what another report says.
func (r *Report) Add(other *Report) {
	for name, o := range other.Rules {
		v := r.rule(name)
		v.Judged += o.Judged
		v.Violations += o.Violations
		v.Texts = append(v.Texts, o.Texts[:min(len(o.Texts), kept-min(kept, len(v.Texts)))]...)
	}
	for name, value := range other.Measures {
		r.Measure(name, value)
	}
	for name, n := range other.Counts {
		r.Count(name, n)
	}
}

// Of returns how many things were judged by a rule, and how many were wrong.
func (r *Report) Of(rule string) (judged, violations int) {
	if v := r.Rules[rule]; v != nil {
		return v.Judged, v.Violations
	}
	return 0, 0
}

// Judgements is how many things were judged in all.
func (r *Report) Judgements() int {
	n := 0
	for _, v := range r.Rules {
		n += v.Judged
	}
	return n
}

// Violations is how many of them were wrong.
func (r *Report) Violations() int {
	n := 0
	for _, v := range r.Rules {
		n += v.Violations
	}
	return n
}

// names lists the rules: S1 before S2 before S10 before L1.
func (r *Report) names() []string {
	number := func(name string) int { n, _ := strconv.Atoi(name[min(1, len(name)):]); return n }
	return slices.SortedFunc(maps.Keys(r.Rules), func(a, b string) int {
		return cmp.Or(cmp.Compare(b[:1], a[:1]), cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
	})
}

// String is one line: each rule with how many things it judged, and its
// violations behind an exclamation mark.
func (r *Report) String() string {
	var b strings.Builder
	for i, name := range r.names() {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%d", name, r.Rules[name].Judged)
		if n := r.Rules[name].Violations; n > 0 {
			fmt.Fprintf(&b, "!%d", n)
		}
	}
	return b.String()
}

// Details lists the violations, one a line, the first few of each rule.
func (r *Report) Details() string {
	var b strings.Builder
	for _, name := range r.names() {
		v := r.Rules[name]
		for _, text := range v.Texts {
			fmt.Fprintf(&b, "%s: %s\n", name, text)
		}
		if more := v.Violations - len(v.Texts); more > 0 {
			fmt.Fprintf(&b, "%s: and %d more\n", name, more)
		}
	}
	return b.String()
}
