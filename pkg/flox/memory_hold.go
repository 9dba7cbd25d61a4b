package flox

import (
	"fmt"
	"slices"
	"strings"
)

// memHold counts the items that were held at a node.
type memHold struct {
	node  string
	count int
}

// applyHold absorbs the token.
func (m *Memory) applyHold(t *memToken) Verdict {
	r := t.run
	r.counts.Held++
	i := slices.IndexFunc(r.holds, func(h memHold) bool { return h.node == t.node })
	if i < 0 {
		i = len(r.holds)
		r.holds = append(r.holds, memHold{node: t.node})
	}
	r.holds[i].count++
	m.end(t)
	m.lower(r, t.frame)
	m.finish(r)
	return VerdictReleased
}

// held says how many items were held where, in the order of the first ones.
func (r *memRun) held(separator string) string {
	var parts []string
	for _, h := range r.holds {
		parts = append(parts, fmt.Sprintf("%s=%d", h.node, h.count))
	}
	return strings.Join(parts, separator)
}

// noOutput is the cause of a run that ended without the output it needs.
func (r *memRun) noOutput() string {
	const cause = "ended with no output"
	if len(r.holds) == 0 {
		return cause
	}
	return cause + ": held " + r.held(", ")
}
