package flox

import (
	"cmp"
	"maps"
	"reflect"
)

// assemble makes the graph of a plan that has no mistakes. Every type in it has
// its codec already.
func (p *plan) assemble(f framing) *graph {
	g := &graph{
		name: p.w.name, byName: map[string]*node{}, maxSteps: int64(p.w.maxSteps), deadline: p.w.deadline,
		retention: maps.Clone(p.w.retains),
		plan:      p, scopes: map[string]*scope{},
		needsOutput: !p.list && p.output != noneType, list: p.list, state: p.state, codecs: p.codecs,
	}
	nodes := map[*nodeDef]*node{}
	for _, def := range p.nodes {
		n := p.newNode(def)
		nodes[def] = n
		g.nodes = append(g.nodes, n)
		for _, name := range append([]string{def.name}, def.aliases...) {
			g.byName[name] = n
		}
	}
	for def, s := range p.scopes {
		if def != nil {
			s.outer = p.scopes[def.outer]
			for _, name := range append([]string{s.name}, s.aliases...) {
				g.scopes[name] = s
			}
		}
	}
	g.start = nodes[p.start]
	frames := map[*frameDef]*frame{}
	for _, def := range p.nodes {
		p.wire(nodes[def], def, nodes)
		nodes[def].frame = frameOf(f.opened[def], nodes, frames)
		nodes[def].inside = frameOf(f.inside[def], nodes, frames)
		if f := nodes[def].frame; f != nil && def.visit != nil && def.fanout {
			f.catches, f.scope = def.visit.catches, p.scopes[def.visit.own]
		}
	}
	for _, def := range p.nodes {
		nodes[def].catch = catcher(nodes[def].inside)
		for in := nodes[def].inside; in != nil; in = in.outer {
			nodes[def].mayBeLate = nodes[def].mayBeLate || in.catches || in.join.quorum > 0
		}
		r := p.newRunner(def, nodes[def])
		nodes[def].execute, nodes[def].failure = r.execute, r.failure
	}
	g.fingerprint = g.sum()
	return g
}

func (p *plan) newNode(def *nodeDef) *node {
	return &node{
		name: def.name, aliases: def.aliases, pos: def.pos,
		queue:   cmp.Or(def.queue, p.w.queue, p.w.name),
		retry:   def.retry.orElse(p.w.retry).orElse(DefaultRetry),
		timeout: cmp.Or(def.timeout, p.w.timeout),
		in:      def.in, out: def.out, fanout: def.fanout, quorum: def.quorum, signals: signalNames(def),
		end: p.isEnd(def), quiet: isQuiet(def), kind: kindOf(def), scope: p.scopes[def.scope],
	}
}

func signalNames(def *nodeDef) []string {
	var names []string
	for _, s := range def.signals {
		names = append(names, s.Name())
	}
	return names
}

// wire copies def's edges to n.
func (p *plan) wire(n *node, def *nodeDef, nodes map[*nodeDef]*node) {
	for _, e := range def.to {
		n.targets = append(n.targets, nodes[e.to])
	}
	for _, e := range def.joins {
		n.targets = append(n.targets, nodes[e.to])
	}
	for _, a := range def.arms {
		n.arms = append(n.arms, &arm{
			target: nodes[a.to], variant: a.variant, guarded: a.guarded, other: a.other, fits: a.fits,
		})
	}
	for _, e := range def.fallback {
		n.fallback = nodes[e.to]
	}
	for _, e := range def.undo {
		n.undo = nodes[e.to]
		n.undo.undoes = true
	}
	if def.visit != nil && !def.fanout {
		n.visit, n.leaves = def.visit, p.scopes[def.visit.own]
	}
}

// catcher counts the frames from in to that of the innermost nested workflow
// that has a fallback.
func catcher(in *frame) int {
	for up := 1; in != nil; up, in = up+1, in.outer {
		if in.catches {
			return up
		}
	}
	return 0
}

func frameOf(def *frameDef, nodes map[*nodeDef]*node, frames map[*frameDef]*frame) *frame {
	if def == nil {
		return nil
	}
	if f := frames[def]; f != nil {
		return f
	}
	f := &frame{opener: nodes[def.opener], join: nodes[def.join], carry: def.drawn.fan != nil}
	frames[def] = f
	f.outer = frameOf(def.outer, nodes, frames)
	return f
}

func (p *plan) newRunner(def *nodeDef, n *node) *runner {
	r := &runner{n: n, st: p.state, process: def.process, failed: def.failed, done: def.done, in: p.codec(n.in)}
	if n.scope != nil {
		r.st = n.scope.state
	}
	switch {
	case n.kind == edgeTo:
		r.to = p.codec(n.targets[0].in)
	case n.kind == edgeJoin:
		r.out, r.wrap = p.codec(def.joins[0].element), def.joins[0].wrap
	case n.end && !n.quiet:
		r.out = p.codec(p.output)
	}
	for _, a := range n.arms {
		r.arms = append(r.arms, p.codec(a.target.in))
	}
	if n.fallback != nil {
		r.fail = p.codec(n.fallback.in)
	}
	if n.undo != nil {
		r.undo = p.codec(n.undo.in)
	}
	if len(n.signals) > 0 {
		carry, payload := answerTypes(n.out)
		r.answer = &answerCodecs{p.codec(carry), p.codec(payload)}
	}
	if e := p.joinTo(def); e != nil {
		r.joined = p.joinCodecs(def, e)
	}
	return r
}

// joinCodecs are those of the input of def, to which the join e leads.
func (p *plan) joinCodecs(def *nodeDef, e *edge) *joinCodecs {
	c := &joinCodecs{element: p.codec(e.element)}
	switch {
	case def.visit != nil && !def.fanout:
		c.carry = p.codec(def.in)
		c.open = visitInput
	case def.in.Implements(joinedType):
		c.carry = p.codec(def.in.Field(0).Type)
		c.open = joinedInput
	case def.in.Implements(pairType):
		c.open = pairInput
	default:
		c.open = listInput
	}
	return c
}

// codec is that of a type that checkTypes has seen.
func (p *plan) codec(t reflect.Type) *codec {
	c, err := p.codecs.of(t)
	if err != nil {
		panic("flox: " + t.String() + " was not checked: " + err.Error())
	}
	return c
}
