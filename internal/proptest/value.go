package proptest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// V is what goes along every edge. What a node does follows from it alone.
type V struct {
	N    int64  `json:"n"`
	L0   int    `json:"l0"`   // turns left of the outer loop
	L1   int    `json:"l1"`   // and of the inner one
	K    int    `json:"k"`    // how many a gathering waits for
	Prev string `json:"prev"` // scope and entry of a node that came before; not part of the value
}

// State is the state of runs, and of nested workflows with a state of their own.
type State struct {
	Sum flox.Sum          `json:"sum"`
	Log flox.List[string] `json:"log"` // an entry for each committed item
}

// delta is that of one item.
func delta(entry string) State { return State{1, flox.List[string]{entry}} }

// lift marks the entries of a nested workflow's own state.
func lift(s State) State {
	up := State{Sum: s.Sum}
	for _, entry := range s.Log {
		up.Log = append(up.Log, lifted(entry))
	}
	return up
}

func lifted(entry string) string { return "^" + entry }

func mix(n, salt int64) int64 { return (n*31 + salt*7919 + 11) % 1_000_003 }

// element is the ith of what v is split into.
func element(v V, i int) V {
	v.N = mix(v.N, int64(i)+1)
	return v
}

// foldList makes one value of several; their order shows.
func foldList(vs []V) V {
	out := V{N: 17}
	for i, v := range vs {
		if i == 0 {
			out.L0, out.L1, out.Prev = v.L0, v.L1, v.Prev
		}
		out.N = mix(out.N, v.N+1)
	}
	return out
}

// foldSorted is foldList where the order is free.
func foldSorted(vs []V) V {
	vs = slices.Clone(vs)
	slices.SortFunc(vs, compare)
	out := foldList(vs)
	out.L0, out.L1 = 0, 0
	return out
}

// foldCount makes the same value of any vs that are as many.
func foldCount(vs []V) V { return V{N: mix(99, int64(len(vs)))} }

func foldJoined(j flox.Joined[V, V]) V {
	out := foldList(j.Outputs)
	out.N, out.L0, out.L1 = mix(out.N, j.Input.N), j.Input.L0, j.Input.L1
	return out
}

func foldPair(p flox.Pair[V, V]) V { return foldList([]V{p.First, p.Second}) }

func foldAnswer(a flox.Answer[V, string]) V {
	if a.TimedOut {
		a.Payload = "-"
	}
	a.Carry.N = mix(a.Carry.N, int64(len(a.Payload)))
	return a.Carry
}

func same(v V) V { return v }

func compare(a, b V) int {
	return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.L0, b.L0), cmp.Compare(a.L1, b.L1))
}

// local is a node's name without those of the nests around it.
func local(node string) string {
	if nest, ok := strings.CutSuffix(node, "/$end"); ok {
		return local(nest) + "/$end"
	}
	return node[strings.LastIndex(node, "/")+1:]
}
