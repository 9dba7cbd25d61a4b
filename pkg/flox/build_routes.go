package flox

import (
	"reflect"
	"slices"
)

// checkSums checks the declarations of sum types.
func (p *plan) checkSums() {
	p.sums = map[reflect.Type]*sumDef{}
	for i := range p.w.sums {
		d := &p.w.sums[i]
		name := interfaceName(d.sum)
		if d.sum.Kind() != reflect.Interface {
			p.errorf(d.pos, "flox.Variants[%s]: %s is no interface", name, d.sum)
			continue
		}
		if first := p.sums[d.sum]; first != nil {
			p.errorf(d.pos, "flox.Variants[%s]: declared before at %s", name, first.pos)
			continue
		}
		if p.checkVariants(d) {
			p.sums[d.sum] = d
		}
	}
	for _, def := range p.w.nodes {
		if def.nest != nil {
			p.adoptSums(def)
		}
	}
}

// adoptSums takes over the sum types of a nested workflow.
func (p *plan) adoptSums(def *nodeDef) {
	for t, d := range def.nest.inner.sums {
		first := p.sums[t]
		if first == nil {
			p.sums[t] = d
			continue
		}
		for _, v := range d.variants {
			if len(d.variants) != len(first.variants) || !slices.Contains(first.variants, v) {
				p.nodeErrorf(def.pos, def, "declares other variants of %s (at %s) than %s does", interfaceName(t), d.pos, first.pos)
				break
			}
		}
	}
}

func (p *plan) checkVariants(d *sumDef) bool {
	tags := map[string]reflect.Type{}
	for _, v := range d.variants {
		switch {
		case v == nil:
			p.errorf(d.pos, "flox.Variants[%s]: nil is no variant", interfaceName(d.sum))
			return false
		case tagOf(v) == "":
			p.errorf(d.pos, "flox.Variants[%s]: %s has no name of its own, by which it could be told apart", interfaceName(d.sum), v)
			return false
		case tags[tagOf(v)] == v:
			p.errorf(d.pos, "flox.Variants[%s]: %s is given twice", interfaceName(d.sum), v)
			return false
		case tags[tagOf(v)] != nil:
			p.errorf(d.pos, "flox.Variants[%s]: %s and %s have the same name, which is how they are told apart",
				interfaceName(d.sum), tags[tagOf(v)], v)
			return false
		}
		tags[tagOf(v)] = v
	}
	return true
}

// checkRoutes checks that the arms of each Route take every output once.
func (p *plan) checkRoutes() {
	for _, n := range p.nodes {
		if len(n.routes) == 0 {
			continue
		}
		if len(n.arms) == 0 {
			p.nodeErrorf(n.routes[0], n, "Route has no arms")
			continue
		}
		p.checkArms(n)
	}
}

func (p *plan) checkArms(n *nodeDef) {
	taken := map[reflect.Type]bool{}
	guarded := map[reflect.Type]bool{}
	cases, all := false, false
	for _, a := range n.arms {
		cases = cases || a.variant != nil
		switch {
		case a.blind:
			p.nodeErrorf(a.pos, n, "arm to %s: its predicate is nil", a.to.name)
		case all:
			p.nodeErrorf(a.pos, n, "arm to %s: comes after Otherwise, which takes all that is left", a.to.name)
		case a.variant != nil && taken[a.variant]:
			p.nodeErrorf(a.pos, n, "arm to %s: %s already goes elsewhere", a.to.name, shortName(a.variant))
		}
		if a.variant != nil {
			guarded[a.variant] = true
			taken[a.variant] = taken[a.variant] || !a.guarded
		}
		all = all || a.other
	}
	pos := n.routes[0]
	switch d := p.sums[n.out]; {
	case !all && !cases:
		p.nodeErrorf(pos, n, "has guards only; add flox.Otherwise")
	case d != nil:
		p.checkCases(n, d, taken, guarded, all)
	case cases && !all && !taken[n.out] && n.out.Kind() != reflect.Interface: // a variant itself, see As
		p.nodeErrorf(pos, n, "yields %s, for which there is no case; add flox.Case or flox.Otherwise", shortName(n.out))
	case n.out.Kind() == reflect.Interface:
		p.nodeErrorf(pos, n, "declare its variants with flox.Variants[%s](b, …)", interfaceName(n.out))
	}
}

// checkCases compares the arms of n with the declared variants of its output.
func (p *plan) checkCases(n *nodeDef, d *sumDef, taken, guarded map[reflect.Type]bool, all bool) {
	declared := map[reflect.Type]bool{}
	for _, v := range d.variants {
		declared[v] = true
		switch {
		case all || taken[v]:
		case guarded[v]:
			p.nodeErrorf(n.routes[0], n, "variant %s has guarded cases only; add flox.Otherwise or a case without If", shortName(v))
		default:
			p.nodeErrorf(n.routes[0], n, "variant %s has no case; add flox.Case or flox.Otherwise", shortName(v))
		}
	}
	for _, a := range n.arms {
		if a.variant != nil && !declared[a.variant] {
			p.nodeErrorf(a.pos, n, "case %s (to %s) is not among the declared variants", shortName(a.variant), a.to.name)
		}
	}
}
