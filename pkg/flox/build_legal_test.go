package flox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func TestBuildRefusesStates(t *testing.T) {
	type plain struct{ N int }
	type nested struct{ In plain }
	//lint:ignore U1000 an unexported field is the mistake
	type hidden struct{ n flox.Sum }
	type stored struct{ L flox.List[chan int] }
	type mapped struct {
		M flox.MapOf[string, flox.MapOf[int, plain]]
	}
	type dated struct{ At time.Time }
	type listed struct{ L []string }
	type seen struct{ S map[string]bool }
	type shares struct{ F float64 }
	type table struct{ M map[string]int }
	cases := map[string]error{
		`state field plain.N: int does not merge; use flox.Sum, Max[int] or Last[int], or give the type a method Merge`: buildState[plain](),
		`state field nested.In.N: int does not merge`:                                                                   buildState[nested](),
		`state field mapped.M[string][int].N: int does not merge`:                                                       buildState[mapped](),
		`state field hidden.n: it is unexported and would be lost`:                                                      buildState[hidden](),
		`state flox_test.stored cannot be stored: field L: it holds a chan`:                                             buildState[stored](),
		`state field int: int does not merge; use flox.Sum`:                                                             buildState[int](),
		`time.Time does not merge; use flox.Last[time.Time], Fixed[`:                                                    buildState[dated](),
		`[]string does not merge; use flox.List[string] or Last[[]string]`:                                              buildState[listed](),
		`map[string]bool does not merge; use flox.Set[string] or Last[`:                                                 buildState[seen](),
		`float64 does not merge; use flox.SumFloat, Max[float64] or`:                                                    buildState[shares](),
		`map[string]int does not merge; use flox.MapOf[string, V] with`:                                                 buildState[table](),
	}
	for want, err := range cases {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func buildState[S any]() error {
	b := flox.New[S]("w")
	a := flox.Func(b, "a", same[int])
	_, err := flox.Build(b, a, a)
	return err
}

// legalCases must build: each is close to one that must not.
var legalCases = []struct {
	name  string
	build func(b *builder) error
}{
	{"fan-out in a cycle, never joined", func(b *builder) error {
		b.MaxSteps(10)
		visit, found := flox.Split(b, "visit", each[int]), num(b, "found")
		visit.Route(flox.When(func(n int) bool { return n > 0 }, visit), flox.Otherwise(found))
		return buildAll(b, visit, found)
	}},
	{"balanced cycle of fan-out and join", func(b *builder) error {
		b.MaxSteps(10)
		split, work, sum, end := flox.Split(b, "split", each[int]), num(b, "work"), flox.Func(b, "sum", conv[[]int, int]), num(b, "end")
		split.To(work)
		work.Join(sum)
		sum.Route(flox.When(func(n int) bool { return n > 0 }, split), flox.Otherwise(end))
		return buildOne(b, split, end)
	}},
	{"nested fan-outs, fallback of a branch joins too", func(b *builder) error {
		outer, inner, work := flox.Split(b, "outer", each[int]), flox.Split(b, "inner", each[int]), num(b, "work")
		skip := flox.Func(b, "skip", conv[flox.Failure[int], int])
		s1, s2 := flox.Func(b, "s1", conv[[]int, int]), flox.Func(b, "s2", conv[flox.Joined[int, int], int])
		outer.To(inner)
		inner.To(work)
		work.OnFailure(skip).Join(s1)
		skip.Join(s1)
		flox.JoinWith(outer, s1, s2)
		_, err := flox.Build(b, outer, s2)
		return err
	}},
	{"a quiet branch does not make outputs ambiguous", func(b *builder) error {
		pay, ship := num(b, "pay"), num(b, "ship")
		prepare, audit := num(b, "prepare"), flox.Func(b, "audit", conv[int, flox.None])
		pay.To(ship, prepare)
		prepare.To(audit)
		return buildOne(b, pay, ship)
	}},
	{"ends quietly only", func(b *builder) error {
		split, note := flox.Split(b, "split", each[int]), flox.Func(b, "note", conv[int, flox.None])
		split.To(note)
		_, err := flox.Build(b, split, note)
		return err
	}},
	{"several ends of one sum", func(b *builder) error {
		flox.Variants[shape](b, circle{}, square{})
		a := num(b, "a")
		c, s := flox.Func(b, "c", conv[int, circle]), flox.Func(b, "s", conv[int, square])
		a.Route(flox.When(func(int) bool { return true }, c), flox.Otherwise(s))
		_, err := flox.Build(b, a, flox.As[shape](c), flox.As[shape](s))
		return err
	}},
	{"types that contain themselves", func(b *builder) error {
		a := flox.Func(b, "a", same[tree])
		_, err := flox.Build(b, a, a)
		return err
	}},
}

func TestBuildAccepts(t *testing.T) {
	for _, c := range legalCases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.build(flox.New[flox.NoState]("w")); err != nil {
				t.Errorf("got %v, want no error", err)
			}
		})
	}
}

func TestZeroRefPanics(t *testing.T) {
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "zero Ref") {
			t.Errorf("panic %v, want one about a zero Ref", p)
		}
	}()
	var r flox.Ref[int, int]
	r.To(r)
}
