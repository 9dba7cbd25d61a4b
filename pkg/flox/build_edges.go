package flox

import (
	"reflect"
	"slices"
)

// checkNames checks that names are well-formed and taken once.
func (p *plan) checkNames() {
	taken := map[string]*nodeDef{}
	for _, n := range p.w.nodes {
		if err := CheckName("node name", n.name); err != nil {
			p.errorf(n.pos, "%w", err)
		}
		if first := taken[n.name]; first != nil {
			p.nodeErrorf(n.pos, n, "the name is taken by the node added at %s", first.pos)
			continue
		}
		taken[n.name] = n
	}
	for _, n := range p.w.nodes {
		for _, alias := range n.aliases {
			if first := taken[alias]; first != nil {
				p.nodeErrorf(n.pos, n, "the alias %s is taken by the node %s added at %s", alias, first.name, first.pos)
				continue
			}
			taken[alias] = n
		}
	}
}

// checkEdges checks each node's edges for themselves.
func (p *plan) checkEdges() {
	p.checkForeign(p.pos, nil, "start", p.start)
	if len(p.ends) == 0 {
		p.errorf(p.pos, "workflow %s: no end is named; name the nodes whose output is the run's, or one that yields flox.None if none is", p.w.name)
	}
	for _, end := range p.ends {
		p.checkForeign(p.pos, nil, "end", end)
		p.checkEnd(end)
	}
	for _, n := range p.nodes {
		p.checkKinds(n)
		p.checkTargets(n)
		p.checkWidened(n)
		p.checkFanout(n)
	}
}

// checkWidened checks that what n yields can be stored as the sum type that As
// widened it to.
func (p *plan) checkWidened(n *nodeDef) {
	check := func(pos string, to reflect.Type) {
		if d := p.sums[to]; d != nil && n.out.Kind() != reflect.Interface && !slices.Contains(d.variants, n.out) {
			p.nodeErrorf(pos, n, "yields %s, which is not among the declared variants of %s", shortName(n.out), shortName(to))
		}
	}
	for _, e := range n.to[:min(1, len(n.to))] {
		check(e.pos, e.to.in)
	}
	for _, e := range n.joins {
		check(e.pos, e.element)
	}
	for _, a := range n.arms {
		if a.variant == nil {
			check(a.pos, a.to.in)
		}
	}
	if p.isEnd(n) && kindOf(n) == edgeNone {
		check(p.pos, p.output)
	}
}

// checkForeign reports a node of another builder and whether it is one.
func (p *plan) checkForeign(pos string, from *nodeDef, what string, to *nodeDef) bool {
	if to.w == p.w {
		return false
	}
	if from != nil {
		p.nodeErrorf(pos, from, "%s to %q, a node of another builder (%s)", what, to.name, to.w.name)
	} else {
		p.errorf(pos, "%s %q is a node of another builder (%s)", what, to.name, to.w.name)
	}
	return true
}

func (p *plan) checkEnd(end *nodeDef) {
	switch {
	case kindOf(end) != edgeNone:
		p.nodeErrorf(p.pos, end, "is an end but has successors; end the run in a node of its own: flox.End[%s](b, %q)", end.out, "done")
	case end.fanout:
		p.nodeErrorf(p.pos, end, "is an end but fans out; lead its elements to a node that ends")
	}
}

// checkKinds checks that there is one way to choose successors.
func (p *plan) checkKinds(n *nodeDef) {
	kinds := 0
	for _, used := range []bool{len(n.to) > 0, len(n.routes) > 0, len(n.joins) > 0} {
		if used {
			kinds++
		}
	}
	if kinds > 1 {
		p.nodeErrorf(firstEdge(n), n, "has more than one of To, Route and Join; a token can take only one")
	}
	if len(n.routes) > 1 {
		p.nodeErrorf(n.routes[1], n, "Route was called before at %s; give all arms to one call", n.routes[0])
	}
	p.checkSingle(n, n.joins, "join")
	p.checkSingle(n, n.fallback, "fallback")
}

func firstEdge(n *nodeDef) string {
	switch {
	case len(n.to) > 0:
		return n.to[0].pos
	case len(n.routes) > 0:
		return n.routes[0]
	}
	return n.joins[0].pos
}

func (p *plan) checkSingle(n *nodeDef, edges []edge, what string) {
	for _, e := range edges[min(1, len(edges)):] {
		p.nodeErrorf(e.pos, n, "has a %s already: %s (at %s)", what, edges[0].to.name, edges[0].pos)
	}
}

// checkTargets checks where edges lead.
func (p *plan) checkTargets(n *nodeDef) {
	drawn := map[*nodeDef]edge{}
	for _, e := range n.to {
		if first, ok := drawn[e.to]; ok {
			p.errorf(e.pos, "edge %s -> %s: drawn twice (first at %s)", n.name, e.to.name, first.pos)
			continue
		}
		drawn[e.to] = e
		if !p.checkForeign(e.pos, n, "edge", e.to) && e.to.in != n.to[0].to.in {
			p.nodeErrorf(e.pos, n, "%s takes %s but %s takes %s; widen both edges with flox.As or neither",
				e.to.name, e.to.in, n.to[0].to.name, n.to[0].to.in)
		}
	}
	for _, a := range n.arms {
		p.checkForeign(a.pos, n, "arm", a.to)
	}
	for _, e := range n.joins {
		p.checkForeign(e.pos, n, "join", e.to)
		if e.fan != nil {
			p.checkForeign(e.pos, n, "join of the fan-out", e.fan)
		}
	}
	for _, e := range n.fallback {
		p.checkForeign(e.pos, n, "fallback", e.to)
	}
}

// manyType is implemented by Many of any element.
var manyType = reflect.TypeFor[many]()

func (p *plan) checkFanout(n *nodeDef) {
	if n.out.Implements(manyType) {
		p.nodeErrorf(n.pos, n, "fans out but was added as a plain node; use flox.AddFanout")
	}
	if !n.fanout {
		return
	}
	switch kindOf(n) {
	case edgeNone:
		if !p.isEnd(n) {
			p.nodeErrorf(n.pos, n, "fans out into nothing; lead its elements to a node")
		}
	case edgeJoin:
		p.nodeErrorf(n.joins[0].pos, n, "joins its own fan-out; put a node between")
	}
}
