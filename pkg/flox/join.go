package flox

import "reflect"

// Joined is what a join gets that was drawn with JoinWith: what the fan-out was
// given, and what came out of its branches, in input order.
type Joined[C, O any] struct {
	Input   C   `json:"input"`
	Outputs []O `json:"outputs"`
}

// element is the type of one deposit.
func (Joined[C, O]) element() reflect.Type { return reflect.TypeFor[O]() }

type joined interface{ element() reflect.Type }

var joinedType = reflect.TypeFor[joined]()

// JoinWith closes the fan-out fan as Join does, and hands dst what fan was given
// as well.
func JoinWith[C, E, O any](fan Ref[C, E], last Out[O], dst In[Joined[C, O]]) {
	n := last.source()
	n.joins = append(n.joins, edge{to: dst.target(), fan: fan.node(), pos: callSite()})
}

// elementOf is the type of one deposit of a join that takes in.
func elementOf(in reflect.Type) reflect.Type {
	if in.Implements(joinedType) {
		return reflect.Zero(in).Interface().(joined).element()
	}
	return in.Elem()
}
