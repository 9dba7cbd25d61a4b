package flox

import (
	"cmp"
	"reflect"
)

// assemble makes the graph of a plan that has no mistakes. Every type in it has
// its codec already.
func (p *plan) assemble(f framing) *graph {
	g := &graph{
		name: p.w.name, byName: map[string]*node{}, maxSteps: int64(p.w.maxSteps),
		needsOutput: !p.list && p.output != noneType, list: p.list, state: p.state, codecs: p.codecs,
	}
	nodes := map[*nodeDef]*node{}
	for _, def := range p.w.nodes {
		n := p.newNode(def)
		nodes[def] = n
		g.nodes = append(g.nodes, n)
		for _, name := range append([]string{def.name}, def.aliases...) {
			g.byName[name] = n
		}
	}
	g.start = nodes[p.start]
	frames := map[*frameDef]*frame{}
	for _, def := range p.w.nodes {
		wire(nodes[def], def, nodes)
		nodes[def].frame = frameOf(f.opened[def], nodes, frames)
		nodes[def].inside = frameOf(f.inside[def], nodes, frames)
	}
	for _, def := range p.w.nodes {
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
		in:      def.in, out: def.out, fanout: def.fanout,
		end: p.isEnd(def), quiet: isQuiet(def), kind: kindOf(def),
	}
}

// wire copies def's edges to n.
func wire(n *node, def *nodeDef, nodes map[*nodeDef]*node) {
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
	r := &runner{n: n, st: p.state, process: def.process, failed: def.failed, in: p.codec(n.in)}
	switch {
	case n.kind == edgeTo:
		r.to = p.codec(n.targets[0].in)
	case n.kind == edgeJoin:
		r.out = p.codec(elementOf(n.targets[0].in))
	case n.end && !n.quiet:
		r.out = p.codec(p.output)
	}
	for _, a := range n.arms {
		r.arms = append(r.arms, p.codec(a.target.in))
	}
	if n.fallback != nil {
		r.fail = p.codec(n.fallback.in)
	}
	if p.isJoin(def) {
		r.joined = &joinCodecs{element: p.codec(elementOf(n.in))}
		if n.in.Implements(joinedType) {
			r.joined.carry = p.codec(n.in.Field(0).Type)
		}
	}
	return r
}

// isJoin says that a join leads to def.
func (p *plan) isJoin(def *nodeDef) bool {
	for _, n := range p.w.nodes {
		for _, e := range n.joins {
			if e.to == def {
				return true
			}
		}
	}
	return false
}

// codec is that of a type that checkTypes has seen.
func (p *plan) codec(t reflect.Type) *codec {
	c, err := p.codecs.of(t)
	if err != nil {
		panic("flox: " + t.String() + " was not checked: " + err.Error())
	}
	return c
}
