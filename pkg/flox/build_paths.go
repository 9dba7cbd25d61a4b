package flox

import (
	"slices"
	"strings"
)

// checkPaths checks that every node can be reached, and an end from it.
func (p *plan) checkPaths() {
	reached := reach(p.start, later)
	for _, n := range p.nodes {
		if !reached[n] {
			p.nodeErrorf(n.pos, n, "unreachable from start %q", p.start.name)
		}
	}
	stuck := false
	for _, n := range p.nodes {
		if reached[n] && kindOf(n) == edgeNone && !p.isEnd(n) && !isQuiet(n) {
			p.nodeErrorf(n.pos, n, "no path from here to an end; add an edge or name it as an end")
			stuck = true
		}
	}
	if !stuck {
		p.checkTraps(reached)
	}
}

// checkTraps finds cycles that nothing leads out of.
func (p *plan) checkTraps(reached map[*nodeDef]bool) {
	var trapped []string
	pos := ""
	for _, n := range p.nodes {
		if !reached[n] {
			continue
		}
		out := false
		for at := range reach(n, successors) {
			out = out || kindOf(at) == edgeNone
		}
		if !out {
			trapped = append(trapped, n.name)
			if pos == "" {
				pos = n.pos
			}
		}
	}
	if len(trapped) > 0 {
		p.errorf(pos, "node %s: no path from here to an end; add an edge or name it as an end", strings.Join(trapped, ", "))
	}
}

// reach is the set of nodes that next leads to from n, n included.
func reach(n *nodeDef, next func(*nodeDef) []*nodeDef) map[*nodeDef]bool {
	seen := map[*nodeDef]bool{n: true}
	for todo := []*nodeDef{n}; len(todo) > 0; todo = todo[1:] {
		for _, to := range next(todo[0]) {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return seen
}

// checkCycles demands a step limit of workflows that can go round.
func (p *plan) checkCycles() {
	if p.w.maxSteps != 0 {
		return
	}
	done := map[*nodeDef]bool{}
	for _, n := range p.nodes {
		if done[n] {
			continue
		}
		cycle := cycleAt(n)
		if cycle == nil {
			continue
		}
		for at := range reach(n, successors) { // one report for what hangs together
			if slices.Contains(cycle, at) || reach(at, successors)[n] {
				done[at] = true
			}
		}
		names := make([]string, len(cycle))
		for i, at := range cycle {
			names[i] = at.name
		}
		p.errorf(n.pos, "cycle %s has no limit; set b.MaxSteps", strings.Join(names, " -> "))
	}
}

// cycleAt is a shortest way from n back to n, both ends included, or nil.
func cycleAt(n *nodeDef) []*nodeDef {
	from := map[*nodeDef]*nodeDef{}
	for todo := []*nodeDef{n}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		for _, to := range successors(at) {
			if to == n {
				cycle := []*nodeDef{n}
				for ; at != n; at = from[at] {
					cycle = append(cycle, at)
				}
				cycle = append(cycle, n)
				slices.Reverse(cycle)
				return cycle
			}
			if from[to] == nil {
				from[to] = at
				todo = append(todo, to)
			}
		}
	}
	return nil
}
