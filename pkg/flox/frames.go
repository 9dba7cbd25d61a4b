package flox

import "fmt"

// frameDef is a frame while its workflow is being built.
type frameDef struct {
	opener *nodeDef
	join   *nodeDef
	drawn  edge // the edge that join is known from
	outer  *frameDef
}

// name says where a node stands, for messages.
func (f *frameDef) name() string {
	if f == nil {
		return "no fan-out"
	}
	return "the fan-out of " + f.opener.name
}

// framing is where every node stands: a token's frames are known before any run.
type framing struct {
	fans   map[*nodeDef]bool      // nodes that split their token into several that count
	joins  map[*nodeDef]nodeSet   // the joins that close the frame a node stands in
	opened map[*nodeDef]*frameDef // by opener
	inside map[*nodeDef]*frameDef // by node; nil: stands in none
}

type nodeSet map[*nodeDef]bool

// checkFrames finds where frames open and close. A fan-out opens a frame if a
// join closes it; if none does, its branches simply go on.
func (p *plan) checkFrames() framing {
	f := framing{
		fans: map[*nodeDef]bool{}, joins: map[*nodeDef]nodeSet{},
		opened: map[*nodeDef]*frameDef{}, inside: map[*nodeDef]*frameDef{},
	}
	for _, n := range p.nodes {
		f.fans[n] = p.isFan(n)
		f.joins[n] = nodeSet{}
	}
	for grown := true; grown; {
		grown = false
		for _, n := range p.nodes {
			grown = f.grow(n) || grown
		}
	}
	p.walkFrames(&f)
	if len(p.errs) == 0 && !p.list && p.output != noneType {
		p.checkOutputs(&f)
	}
	return f
}

// isFan says that n makes more than one token of one. Branches that end quietly
// whatever happens do not count.
func (p *plan) isFan(n *nodeDef) bool {
	live := 0
	for _, e := range n.to {
		for at := range reach(e.to, successors) {
			if kindOf(at) == edgeJoin || p.isEnd(at) && at.out != noneType {
				live++
				break
			}
		}
	}
	return n.fanout || live > 1
}

// branches are what stands in the frame that n opens, and in n's own if it
// opens none.
func branches(n *nodeDef) []*nodeDef {
	if kindOf(n) == edgeJoin {
		return nil
	}
	return forward(n)
}

// opens says that a join closes n's fan-out, and returns these joins.
func (f *framing) opens(n *nodeDef) nodeSet {
	if !f.fans[n] {
		return nil
	}
	closing := nodeSet{}
	for _, b := range branches(n) {
		for j := range f.joins[b] {
			if n.closedBy(j) {
				closing[j] = true
			}
		}
	}
	return closing
}

// closedBy says that a token which arrives at the join j may close n's fan-out.
// The node that ends the visits of a nested workflow closes what the one opened
// that begins them, and nothing else.
func (n *nodeDef) closedBy(j *nodeDef) bool {
	ends := j.visit != nil && !j.fanout
	if n.visit != nil && n.fanout {
		return ends && j.visit == n.visit
	}
	return !ends
}

// grow adds to the joins that close n's frame those its successors know, and
// says whether there were new ones. What a fan-out opens itself does not count:
// it goes on behind the join.
func (f *framing) grow(n *nodeDef) bool {
	from := branches(n)
	mine := f.joins[n]
	before := len(mine)
	if f.fans[n] {
		from = nil
		for j := range f.opens(n) {
			from = append(from, j)
		}
		for _, b := range branches(n) {
			for j := range f.joins[b] {
				if !n.closedBy(j) {
					mine[j] = true
				}
			}
		}
	}
	for _, e := range n.fallback {
		from = append(from, e.to)
	}
	for _, e := range n.joins {
		mine[e.to] = true
	}
	for _, at := range from {
		for j := range f.joins[at] {
			mine[j] = true
		}
	}
	return len(mine) > before
}

// walkFrames follows the tokens from the start and notes the frame each node
// stands in; that must be the same on all ways.
func (p *plan) walkFrames(f *framing) {
	f.inside[p.start] = nil
	reported := nodeSet{}
	todo := []*nodeDef{p.start}
	visit := func(n *nodeDef, in *frameDef) {
		at, seen := f.inside[n]
		switch {
		case !seen:
			f.inside[n] = in
			todo = append(todo, n)
		case at != in && !reported[n]:
			reported[n] = true
			hint := ""
			if at != nil && in != nil && !at.opener.fanout && !in.opener.fanout {
				hint = fmt.Sprintf(", or let %s and %s lead to one node that fans out for both, such as a flox.End", at.opener.name, in.opener.name)
			}
			p.nodeErrorf(n.pos, n, "is reached inside %s and inside %s; join before the paths meet%s", at.name(), in.name(), hint)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		n := todo[0]
		in := f.inside[n]
		for _, e := range n.fallback {
			visit(e.to, in)
		}
		for _, e := range n.undo {
			visit(e.to, nil)
		}
		for _, e := range n.joins {
			if p.closeFrame(n, in, e) {
				visit(e.to, in.outer)
			}
		}
		if len(f.opens(n)) > 0 {
			in = &frameDef{opener: n, outer: in}
			f.opened[n] = in
		}
		for _, b := range branches(n) {
			visit(b, in)
		}
	}
}

// closeFrame notes that n's edge e closes the frame in, if that is possible.
func (p *plan) closeFrame(n *nodeDef, in *frameDef, e edge) bool {
	switch {
	case in == nil:
		p.nodeErrorf(e.pos, n, "joins into %s, but no fan-out comes before it", e.to.name)
		return false
	case e.wrap != nil && in.opener.fanout:
		p.nodeErrorf(e.pos, n, "joins in a pair, but %s may have any number of branches; use flox.JoinWith, or To with two successors", in.name())
		return false
	case e.fan != nil && e.fan != in.opener:
		p.nodeErrorf(e.pos, n, "joins the fan-out of %s, but the innermost one here is %s", e.fan.name, in.name())
		return false
	case in.join != nil && in.join != e.to:
		p.nodeErrorf(e.pos, n, "joins into %s, but %s joins into %s at %s; one fan-out has one join",
			e.to.name, in.name(), in.join.name, in.drawn.pos)
		return false
	}
	in.join, in.drawn = e.to, e
	return true
}

// checkOutputs checks that a run has one output.
func (p *plan) checkOutputs(f *framing) {
	const several = "ends a run after the fan-out %s, which would give it several outputs; join it, or use BuildAll"
	reported := nodeSet{}
	report := func(end, fan *nodeDef) {
		if !reported[end] {
			reported[end] = true
			p.nodeErrorf(end.pos, end, several, fan.name)
		}
	}
	for _, end := range p.ends {
		if in := f.inside[end]; in != nil {
			report(end, in.opener)
		}
	}
	for _, n := range p.nodes {
		if !f.fans[n] || f.opened[n] != nil || f.inside[n] != nil {
			continue // its branches come to a join, or end in a frame as said above
		}
		for _, end := range p.ends {
			for _, b := range branches(n) {
				if reach(b, successors)[end] {
					report(end, n)
				}
			}
		}
	}
}
