package flox

import (
	"cmp"
	"slices"
)

// expansion copies the nodes of a builder, so that building changes nothing in
// it, and puts those of nested workflows in the places of their nests.
type expansion struct {
	w       *wiring
	nodes   []*nodeDef
	entries map[*nodeDef]*nodeDef   // where an edge to a node leads
	exits   map[*nodeDef][]*nodeDef // where the edges of a node leave
	carried nodeSet                 // the fan-outs whose input a JoinWith takes along
}

// expand fills p.nodes, and redirects p.start and p.ends to them.
func (p *plan) expand() {
	x := &expansion{w: p.w, entries: map[*nodeDef]*nodeDef{}, exits: map[*nodeDef][]*nodeDef{}, carried: nodeSet{}}
	for _, def := range p.w.nodes {
		for _, e := range def.joins {
			x.carried[e.fan] = true
		}
	}
	for _, def := range p.w.nodes {
		if def.nest != nil {
			if def.awaits != "" {
				p.nodeErrorf(def.awaits, def, "is a nested workflow and awaits nothing itself; its nodes name their signals")
			}
			x.addNest(def)
			continue
		}
		c := def.clone()
		x.nodes = append(x.nodes, c)
		x.entries[def], x.exits[def] = c, []*nodeDef{c}
	}
	for _, n := range x.nodes {
		n.redirect(x.entry, x.exit)
	}
	p.nodes, p.start = x.nodes, x.entry(p.start)
	var ends []*nodeDef
	for _, end := range p.ends {
		if exits, ok := x.exits[end]; ok {
			ends = append(ends, exits...)
		} else {
			ends = append(ends, end)
		}
	}
	p.ends = ends
}

// entry is where an edge to n leads. A node of another builder stays what it is.
func (x *expansion) entry(n *nodeDef) *nodeDef { return cmp.Or(x.entries[n], n) }

// exit is the node that n's fan-out is one of.
func (x *expansion) exit(n *nodeDef) *nodeDef {
	if exits := x.exits[n]; len(exits) > 0 {
		return exits[0]
	}
	return n
}

func (def *nodeDef) clone() *nodeDef {
	c := *def
	c.to, c.joins = slices.Clone(def.to), slices.Clone(def.joins)
	c.fallback, c.undo = slices.Clone(def.fallback), slices.Clone(def.undo)
	c.arms = make([]*armDef, len(def.arms))
	for i, a := range def.arms {
		arm := *a
		c.arms[i] = &arm
	}
	return &c
}

// redirect changes where n's edges lead, and which fan-outs they close.
func (def *nodeDef) redirect(to, fan func(*nodeDef) *nodeDef) {
	for _, edges := range [][]edge{def.to, def.joins, def.fallback, def.undo} {
		for i := range edges {
			edges[i].to = to(edges[i].to)
			if edges[i].fan != nil {
				edges[i].fan = fan(edges[i].fan)
			}
		}
	}
	for _, a := range def.arms {
		a.to = to(a.to)
	}
}

// addNest puts copies of the nested workflow's nodes in its place.
func (x *expansion) addNest(def *nodeDef) {
	inner := def.nest.inner
	copies := map[*nodeDef]*nodeDef{}
	own := def.ownScope()
	scopes := map[*scopeDef]*scopeDef{nil: own}
	visits := map[*visitDef]*visitDef{nil: nil} // both ends of a visit know the same one
	for _, in := range inner.nodes {
		c := in.clone()
		c.adopt(def, inner.w)
		c.scope = def.scopeOf(in.scope, scopes)
		c.visit = def.visitOf(in.visit, visits, scopes)
		copies[in] = c
		x.nodes = append(x.nodes, c)
	}
	of := func(n *nodeDef) *nodeDef { return copies[n] }
	for _, c := range copies {
		c.redirect(of, of)
	}
	start := copies[inner.start]
	var ends []*nodeDef
	for _, end := range inner.ends {
		ends = append(ends, copies[end])
	}
	if x.framed(def) {
		x.frameVisits(def, own, start, ends)
		return
	}
	if def.quorum > 0 {
		start.quorum, start.needs = def.quorum, def.needs
	}
	for _, end := range ends {
		leave := def.clone()
		end.to, end.routes, end.arms, end.joins = leave.to, leave.routes, leave.arms, leave.joins
	}
	x.entries[def], x.exits[def] = start, ends
}

// ownScope is the scope of a NestWith, nil for a Nest. It is a copy that knows
// the names of the nest.
func (def *nodeDef) ownScope() *scopeDef {
	if def.nest.own == nil {
		return nil
	}
	own := *def.nest.own
	own.names = def.names()
	return &own
}

// names are the node's name and its aliases.
func (def *nodeDef) names() []string { return append([]string{def.name}, def.aliases...) }

// within are the names of what is called inner in the nest.
func (def *nodeDef) within(inner []string) []string {
	var all []string
	for _, nest := range def.names() {
		for _, name := range inner {
			all = append(all, nest+"/"+name)
		}
	}
	return all
}

// scopeOf copies a scope of the nested workflow, whose run's state (nil) is the
// nest's own, if it has one.
func (def *nodeDef) scopeOf(s *scopeDef, scopes map[*scopeDef]*scopeDef) *scopeDef {
	if c, ok := scopes[s]; ok {
		return c
	}
	c := *s
	scopes[s] = &c
	c.names = def.within(s.names)
	c.outer = def.scopeOf(s.outer, scopes)
	return &c
}

// visitOf copies what the two ends of a nested workflow's nest know.
func (def *nodeDef) visitOf(v *visitDef, visits map[*visitDef]*visitDef, scopes map[*scopeDef]*scopeDef) *visitDef {
	if c, ok := visits[v]; ok {
		return c
	}
	c := *v
	if c.own != nil {
		c.own = def.scopeOf(c.own, scopes)
	}
	visits[v] = &c
	return &c
}

// adopt makes c a node of the nest def, which had its defaults from inner.
func (c *nodeDef) adopt(def *nodeDef, inner *wiring) {
	names := def.within(c.names())
	c.w, c.name, c.aliases = def.w, names[0], names[1:]
	c.queue = cmp.Or(c.queue, inner.queue, def.queue)
	c.timeout = cmp.Or(c.timeout, inner.timeout, def.timeout)
	c.retry = c.retry.orElse(inner.retry).orElse(def.retry)
}

// framed says whether the visits of a nest need a frame: when something must be
// known of a visit as a whole, or its begin or its end must be one node.
func (x *expansion) framed(def *nodeDef) bool {
	inner := def.nest.inner
	switch {
	case def.nest.own != nil, inner.list, inner.output == noneType, len(def.fallback) > 0, len(def.undo) > 0:
		return true
	case x.carried[def], len(def.to) > 1 && len(inner.ends) > 1: // it fans out
		return true
	}
	// Joins inside lead to its start as well, and want other quorums.
	return inner.joinTo(inner.start) != nil && inner.start.quorum != def.quorum
}

// frameVisits puts a fan-out of one branch in front of the nested nodes, and
// behind them the join that closes it.
func (x *expansion) frameVisits(def *nodeDef, own *scopeDef, start *nodeDef, ends []*nodeDef) {
	inner := def.nest.inner
	visit := &visitDef{
		output: inner.output, list: inner.list, catches: len(def.fallback) > 0, own: own,
	}
	opener, closer := def.clone(), def.clone()
	opener.out, opener.fanout, opener.process, opener.visit = def.in, true, openVisit, visit
	opener.to = []edge{{to: start, pos: def.pos}}
	opener.routes, opener.arms, opener.joins, opener.undo, opener.done = nil, nil, nil, nil, nil
	opener.nest, closer.nest = nil, nil
	opener.signals, closer.signals = nil, nil
	closer.name, closer.aliases = def.name+closerName, nil
	for _, alias := range def.aliases {
		closer.aliases = append(closer.aliases, alias+closerName)
	}
	closer.visit, closer.quorum = visit, 0
	for _, end := range ends {
		end.joins = []edge{{to: closer, fan: opener, pos: def.pos, element: inner.output}}
	}
	x.nodes = append(x.nodes, opener, closer)
	x.entries[def], x.exits[def] = opener, []*nodeDef{closer}
}

// closerName is appended to a nest's name for the node that ends its visits. No
// node of a user is called so.
const closerName = "/$end"
