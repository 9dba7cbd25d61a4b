package flox

import (
	"errors"
	"reflect"
)

// Joined is what a join gets that was drawn with JoinWith: what the fan-out was
// given, and what came out of its branches, in input order.
type Joined[C, O any] struct {
	Input   C   `json:"input"`
	Outputs []O `json:"outputs"`
}

func (Joined[C, O]) isJoined() {}

var joinedType = reflect.TypeFor[interface{ isJoined() }]()

// JoinWith closes the fan-out fan as Join does, and hands dst what fan was given
// as well.
func JoinWith[C, E, O any](fan Ref[C, E], last Out[O], dst In[Joined[C, O]]) {
	n := last.source()
	n.joins = append(n.joins, edge{to: dst.target(), fan: fan.node(), pos: callSite(), element: reflect.TypeFor[O]()})
}

// Pair is what a join gets that was drawn with Join2.
type Pair[A, B any] struct {
	First  A `json:"first"`
	Second B `json:"second"`
}

// half is what one branch of two leaves at its join. Pointers would not do: a
// value may be stored as nil itself.
type half[A, B any] struct {
	First    A    `json:"first"`
	Second   B    `json:"second"`
	IsSecond bool `json:"isSecond"`
}

// Join2 closes a fan-out of two branches whose outputs differ in type: dst runs
// once, when a and b have come. If one of them ended without coming, dst fails.
func Join2[A, B any](a Out[A], b Out[B], dst In[Pair[A, B]]) {
	pos := callSite()
	first, second := a.source(), b.source()
	e := edge{to: dst.target(), pos: pos, element: reflect.TypeFor[half[A, B]]()}
	e.wrap = func(out any) any { v, _ := out.(A); return half[A, B]{First: v} }
	first.joins = append(first.joins, e)
	e.wrap = func(out any) any { v, _ := out.(B); return half[A, B]{Second: v, IsSecond: true} }
	second.joins = append(second.joins, e)
}

// pair is what Pair is for any types.
type pair interface {
	assemble(halves any) (any, error)
}

var pairType = reflect.TypeFor[pair]()

var (
	errHalf  = errors.New("one of the two branches ended without coming to the join")
	errTwice = errors.New("two outputs came for one half of the pair")
)

// assemble makes a Pair of a []half.
func (Pair[A, B]) assemble(halves any) (any, error) {
	var p Pair[A, B]
	var first, second bool
	for _, h := range halves.([]half[A, B]) {
		if h.IsSecond && second || !h.IsSecond && first {
			return nil, errTwice
		}
		if h.IsSecond {
			p.Second, second = h.Second, true
		} else {
			p.First, first = h.First, true
		}
	}
	if !first || !second {
		return nil, errHalf
	}
	return p, nil
}
