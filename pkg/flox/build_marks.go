package flox

import "reflect"

// checkSignals checks that every node that awaits names its signals, that they
// carry what its answer takes, and that a signal carries one type everywhere.
func (p *plan) checkSignals() {
	type first struct {
		payload reflect.Type
		node    *nodeDef
	}
	known := map[string]first{}
	for _, n := range p.nodes {
		awaits := n.out.Implements(answerType) && !n.passes && n.visit == nil
		switch {
		case awaits && len(n.signals) == 0:
			p.nodeErrorf(n.pos, n, "yields %s but names no signal; add .Awaits(signal)", typeName(n.out))
		case !awaits && len(n.signals) > 0:
			p.nodeErrorf(n.awaits, n, "awaits signal %q but yields %s; a node that awaits returns a flox.Awaiting", n.signals[0].Name(), typeName(n.out))
			continue
		}
		for _, s := range n.signals {
			if err := CheckName("signal", s.Name()); err != nil {
				p.nodeErrorf(n.awaits, n, "%v", err)
			}
			if _, payload := answerTypes(n.out); payload != s.payload() {
				p.nodeErrorf(n.awaits, n, "signal %q carries %s, but its answer takes %s", s.Name(), typeName(s.payload()), typeName(payload))
				continue
			}
			if before, ok := known[s.Name()]; ok && before.payload != s.payload() {
				p.nodeErrorf(n.awaits, n, "signal %q carries %s here and %s at node %s",
					s.Name(), typeName(s.payload()), typeName(before.payload), before.node.name)
				continue
			}
			known[s.Name()] = first{s.payload(), n}
		}
	}
}

// checkUndos checks the edges to what undoes, quorums, and what nodes say of
// themselves.
func (p *plan) checkUndos() {
	undoes := nodeSet{}
	for _, n := range p.nodes {
		p.checkSingle(n, n.undo, "undo")
		for _, e := range n.undo {
			undoes[e.to] = true
			p.checkForeign(e.pos, n, "undo", e.to)
			switch {
			case n.fanout:
				p.nodeErrorf(e.pos, n, "fans out and cannot be undone as a whole; give its branches the undo")
			case len(n.signals) > 0:
				p.nodeErrorf(e.pos, n, "awaits a signal, and cannot be undone; give the node before or after it the undo")
			}
		}
		if n.problem != "" {
			p.nodeErrorf(n.pos, n, "%s", n.problem)
		}
		if n.quorum > 0 {
			p.checkQuorum(n)
		}
	}
	for _, n := range p.nodes {
		if undoes[n] {
			p.checkUndoer(n, undoes)
		}
		for _, next := range successors(n) {
			if undoes[next] {
				p.nodeErrorf(next.pos, next, "undoes what others did; no edge may lead to it, but one does from %s", n.name)
			}
		}
	}
}

// checkUndoer checks a node that undoes: it is done when it has run.
func (p *plan) checkUndoer(n *nodeDef, undoes nodeSet) {
	switch {
	case kindOf(n) != edgeNone:
		p.nodeErrorf(firstEdge(n), n, "undoes what others did; it has no successors")
	case n.visit != nil || n.passes:
		p.nodeErrorf(n.pos, n, "undoes what others did; it cannot be a nested workflow")
	case len(n.undo) > 0:
		p.nodeErrorf(n.undo[0].pos, n, "undoes what others did; it cannot be undone itself")
	}
	for _, e := range n.fallback {
		if !isQuiet(e.to) || len(e.to.fallback) > 0 || undoes[e.to] {
			p.nodeErrorf(e.pos, n, "undoes what others did; its fallback must yield flox.None and have no successors")
		}
	}
}

func (p *plan) checkQuorum(n *nodeDef) {
	switch e := p.joinTo(n); {
	case e == nil:
		p.nodeErrorf(n.needs, n, "has a quorum, but no join leads to it")
	case e.wrap != nil:
		p.nodeErrorf(n.needs, n, "has a quorum, but joins a pair, which needs both")
	}
}

// joinTo is an edge by which a join leads to n, nil if none does.
func (p *plan) joinTo(n *nodeDef) *edge {
	for _, from := range p.nodes {
		for i := range from.joins {
			if from.joins[i].to == n {
				return &from.joins[i]
			}
		}
	}
	return nil
}

// checkScope makes the state type of the scope that n is in.
func (p *plan) checkScope(n *nodeDef) {
	for def := n.scope; def != nil; def = def.outer {
		if _, ok := p.scopes[def]; ok {
			return
		}
		s := &scope{name: def.names[0], aliases: def.names[1:], lift: def.lift}
		p.scopes[def] = s
		var err error
		if s.state, err = newStateType(def.state, p.codecs); err != nil {
			p.nodeErrorf(n.pos, n, "%v", err)
		}
	}
}
