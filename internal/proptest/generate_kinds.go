package proptest

import "slices"

func (g *generator) delay(p place) block {
	s := g.node("wait")
	s.bare, s.after = false, 1+g.r.IntN(3)
	return seq{s, g.risky("step", p)}
}

func (g *generator) hold(place) block {
	s := &step{name: g.name("hold"), salt: g.r.Int64N(1000), reads: g.chance(50)}
	return &quiet{step: s, hold: true}
}

func (g *generator) fan(p place) block {
	f := &fan{open: g.node("fan"), how: joinKind(g.r.IntN(3))}
	p.quiet, p.last = f.how != joinPair || g.mayFail(p), false
	arms := 2
	if f.how != joinPair {
		arms += g.r.IntN(2)
		if f.how == joinList && g.chance(30) {
			f.needs = arms
			p.quiet = g.mayFail(p)
		}
	}
	for range arms {
		arm := g.seq(p)
		if f.how == joinPair {
			arm = append(arm, &step{name: g.name("arm"), bare: true})
		}
		f.arms = append(f.arms, arm)
	}
	f.join = g.risky("join", p)
	return f
}

// mayFail says that something may fail here that cannot be mended.
func (g *generator) mayFail(p place) bool { return !p.calm && (p.catch || !g.mends) }

// race is a fan whose quorum is had while the slow arms wait.
func (g *generator) race(p place) block {
	p.quiet = false
	f := &fan{open: g.node("race"), needs: 1 + g.r.IntN(2)}
	for range f.needs {
		f.arms = append(f.arms, g.seq(p))
	}
	for range 1 + g.r.IntN(2) {
		f.slow = append(f.slow, &step{name: g.name("slow"), after: 1_000_000})
	}
	f.join = g.risky("join", p)
	return f
}

// any is a fan whose join fires for whichever arms come first.
func (g *generator) any(p place) block {
	p.quiet, p.calm = false, true
	f := &fan{open: g.node("any"), how: joinAny, needs: 1 + g.r.IntN(2)}
	for range f.needs + 1 + g.r.IntN(2) {
		f.arms = append(f.arms, g.seq(p))
	}
	f.join = g.node("join")
	return f
}

func (g *generator) split(p place) block {
	s := &split{name: g.name("split"), plain: g.chance(40), span: 1 + g.r.Int64N(5), how: joinKind(g.r.IntN(2))}
	p.times *= max(1, int(s.span)-1)
	p.quiet, p.last = true, false
	s.body = g.seq(p)
	s.join = g.risky("join", p)
	return s
}

// bigSplit crosses the size of one commit's fan-out.
func (g *generator) bigSplit(p place) block {
	s := &split{name: g.name("big"), least: 250, span: 60, how: joinKind(g.r.IntN(2))}
	s.body = g.node("step")
	s.join = g.risky("join", p)
	return s
}

func (g *generator) route(p place) block {
	f := &route{open: g.node("route")}
	for range 2 + g.r.IntN(2) {
		f.arms = append(f.arms, g.seq(p))
	}
	if p.quiet && g.chance(50) {
		f.arms[g.r.IntN(len(f.arms))] = &quiet{step: g.silent()}
	}
	return f
}

func (g *generator) silent() *step { return &step{name: g.name("quiet"), reads: g.chance(50)} }

func (g *generator) side(p place) block {
	first := g.node("beside")
	first.undo = nil
	return &side{open: g.node("side"), first: first, last: &quiet{step: g.silent()}, main: g.seq(p)}
}

func (g *generator) loop(p place) block {
	l := &loop{head: g.node("head"), tail: g.node("tail"), done: g.node("done")}
	l.head.turns, l.tail.turns = 1+g.r.IntN(3), -1
	l.head.depth, l.tail.depth = p.loops, p.loops
	p.times *= l.head.turns
	p.loops++
	l.body = g.seq(p)
	return l
}

func (g *generator) nest(p place) block {
	n := &nest{name: g.name("nest"), own: g.chance(45), list: g.chance(20)}
	if !p.calm && g.chance(50) {
		n.fallback = g.node("rescue")
	}
	if g.sagas && !n.list && g.chance(30) {
		n.undo = &step{name: g.name("undo"), flaky: g.r.IntN(2)}
	}
	in := p
	in.catch = p.catch || n.fallback != nil
	in.last = p.last && !n.framed()
	in.quiet = p.quiet && !n.framed() || n.list || n.framed() && g.mayFail(in)
	n.body = g.seq(in)
	if n.list {
		n.unlist = g.risky("list", p)
		if g.chance(60) {
			n.body = append(slices.Clip(n.body.(seq)), g.scatter(in))
		}
	}
	return n
}

// scatter is a fan-out that nothing joins: for the end of a list.
func (g *generator) scatter(p place) block {
	s := &split{name: g.name("scatter"), span: 1 + g.r.Int64N(5)}
	p.times *= int(s.span)
	p.quiet = true
	s.body = g.seq(p)
	return s
}

func (g *generator) gather(p place) block {
	return &gather{
		name: g.name("nest"), split: g.name("spread"), then: g.risky("then", p),
		collect: &step{name: g.name("collect"), salt: g.r.Int64N(1000)},
	}
}

func (g *generator) ask(p place) block {
	a := &ask{step: &step{name: g.name("ask")}, then: g.risky("answer", p)}
	if p.times == 1 && g.chance(60) {
		a.payload = "yes " + a.step.name
	}
	return a
}
