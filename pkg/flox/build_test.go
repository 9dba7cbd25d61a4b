package flox_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

type (
	shape  interface{ VariantOf(shape) }
	circle struct{ R int }
	square struct{ A int }
	wedge  struct{ circle } // VariantOf is promoted: the trap of an embedded variant
)

func (circle) VariantOf(shape) {}
func (square) VariantOf(shape) {}

type tree struct {
	Kids  []*tree
	Value int
}

func same[T any](_ context.Context, v T) (T, error) { return v, nil }

func conv[I, O any](context.Context, I) (o O, err error) { return o, nil }

func each[T any](v T) []T { return []T{v} }

type builder = flox.Builder[flox.NoState]

// buildOne names the first node as start and the last as end.
func buildOne(b *builder, start, end flox.Ref[int, int]) error {
	_, err := flox.Build(b, start, end)
	return err
}

func num(b *builder, name string) flox.Ref[int, int] { return flox.Func(b, name, same[int]) }

func buildAll(b *builder, start flox.In[int], ends ...flox.Out[int]) error {
	_, err := flox.BuildAll(b, start, ends...)
	return err
}

// buildCases are programs that compile and do not build, and what Build says.
var buildCases = []struct {
	name  string
	build func(b *builder) error
	want  []string // each in some line of the error
}{
	{"duplicate node", func(b *builder) error {
		a := num(b, "a")
		num(b, "a")
		return buildOne(b, a, a)
	}, []string{`build_test.go:\d+: node a: the name is taken by the node added at build_test.go:\d+`}},
	{"a nest and a node of one name", func(b *builder) error {
		in := flox.New[flox.NoState]("in")
		x := num(in, "x")
		inner, err := flox.Build(in, x, x)
		if err != nil {
			return err
		}
		n := flox.Nest(b, "n", inner)
		return buildOne(b, num(b, "n"), n)
	}, []string{`node n: the name is taken by the node added at build_test.go`}},
	{"duplicate alias", func(b *builder) error {
		a, c := num(b, "a").Alias("old"), num(b, "c").Alias("old", "a")
		a.To(c)
		return buildOne(b, a, c)
	}, []string{`node c: the alias old is taken by the node a`, `node c: the alias a is taken by the node a`}},
	{"bad names", func(b *builder) error {
		a := num(b, "a b").Queue("q/1").Alias("x:y")
		return buildOne(b, a, a)
	}, []string{`node name "a b": want 1 to 128`, `node a b: queue "q/1"`, `node a b: alias "x:y"`}},
	{"duplicate edge", func(b *builder) error {
		a, c := num(b, "a"), num(b, "c")
		a.To(c)
		a.To(c)
		return buildOne(b, a, c)
	}, []string{`build_test.go:\d+: edge a -> c: drawn twice \(first at build_test.go:\d+\)`}},
	{"nodes of another builder", func(b *builder) error {
		a, x, y, z := num(b, "a"), num(b, "x"), num(flox.New[flox.NoState]("billing"), "y"), num(flox.New[flox.NoState]("ship"), "z")
		a.To(x, y)
		return buildOne(b, z, y)
	}, []string{`node a: edge to "y", a node of another builder \(billing\)`, `start "z" is a node of another builder \(ship\)`,
		`end "y" is a node of another builder`}},
	{"unreachable", func(b *builder) error {
		a, c := num(b, "a"), num(b, "c")
		c.To(a)
		return buildOne(b, a, a)
	}, []string{`is an end but has successors|node c: unreachable from start "a"`}},
	{"no way to an end", func(b *builder) error {
		a, c, d := num(b, "a"), num(b, "c"), num(b, "d")
		a.Route(flox.When(func(int) bool { return true }, c), flox.Otherwise(d))
		return buildOne(b, a, d)
	}, []string{`node c: no path from here to an end; add an edge or name it as an end`}},
	{"trapped in a cycle", func(b *builder) error {
		b.MaxSteps(10)
		a, c, d, e := num(b, "a"), num(b, "c"), num(b, "d"), num(b, "e")
		a.Route(flox.When(func(int) bool { return true }, c), flox.Otherwise(d))
		c.To(e)
		e.To(c)
		return buildOne(b, a, d)
	}, []string{`node c, e: no path from here to an end`}},
	{"end with successors", func(b *builder) error {
		a, c := num(b, "a"), num(b, "c")
		a.To(c)
		_, err := flox.Build(b, a, a, c)
		return err
	}, []string{`node a: is an end but has successors; end the run in a node of its own: flox.End\[int\]\(b, "done"\)`}},
	{"two ways to choose", func(b *builder) error {
		a, c := num(b, "a"), num(b, "c")
		a.To(c)
		a.Route(flox.Otherwise(c))
		return buildOne(b, a, c)
	}, []string{`node a: has more than one of To, Route and Join; a token can take only one`}},
	{"join with no fan-out", func(b *builder) error {
		a, sum := num(b, "a"), flox.Func(b, "sum", conv[[]int, int])
		a.Join(sum)
		_, err := flox.Build(b, a, sum)
		return err
	}, []string{`node a: joins into sum, but no fan-out comes before it`}},
	{"unbalanced frames", func(b *builder) error {
		b.MaxSteps(10)
		split, work, sum := flox.Split(b, "split", each[int]), num(b, "work"), flox.Func(b, "sum", conv[[]int, int])
		last := num(b, "last")
		split.To(work)
		work.Route(flox.When(func(n int) bool { return n > 0 }, split), flox.Otherwise(last))
		last.Join(sum)
		_, err := flox.Build(b, split, sum)
		return err
	}, []string{`node split: is reached inside no fan-out and inside the fan-out of split; join before the paths meet`}},
	{"ambiguous end after a fan-out", func(b *builder) error {
		split, price := flox.Split(b, "split", each[int]), num(b, "price")
		split.To(price)
		return buildOne(b, split, price)
	}, []string{`node price: ends a run after the fan-out split, which would give it several outputs; join it, or use BuildAll`}},
	{"ambiguous end after To", func(b *builder) error {
		a, x, y := num(b, "a"), num(b, "x"), num(b, "y")
		a.To(x, y)
		_, err := flox.Build(b, a, x, y)
		return err
	}, []string{`node x: ends a run after the fan-out a`, `node y: ends a run after the fan-out a`}},
	{"ambiguous end inside a frame", func(b *builder) error {
		split, w, v, sum := flox.Split(b, "split", each[int]), num(b, "w"), num(b, "v"), flox.Func(b, "sum", conv[[]int, int])
		split.Route(flox.When(func(int) bool { return true }, w), flox.Otherwise(v))
		w.Join(sum)
		_, err := flox.Build(b, split, v, sum)
		return err
	}, []string{`node v: ends a run after the fan-out split`}},
	{"two joins of one fan-out", func(b *builder) error {
		split, x, y := flox.Split(b, "split", each[int]), num(b, "x"), num(b, "y")
		s, u := flox.Func(b, "s", conv[[]int, int]), flox.Func(b, "u", conv[[]int, int])
		split.Route(flox.When(func(int) bool { return true }, x), flox.Otherwise(y))
		x.Join(s)
		y.Join(u)
		_, err := flox.Build(b, split, s, u)
		return err
	}, []string{`node y: joins into u, but the fan-out of split joins into s at build_test.go:\d+; one fan-out has one join`}},
	{"JoinWith names another fan-out", func(b *builder) error {
		outer, inner, w := flox.Split(b, "outer", each[int]), flox.Split(b, "inner", each[int]), num(b, "w")
		sum := flox.Func(b, "sum", conv[flox.Joined[int, int], int])
		outer.To(inner)
		inner.To(w)
		flox.JoinWith(outer, w, sum)
		_, err := flox.BuildAll(b, outer, sum)
		return err
	}, []string{`node w: joins the fan-out of outer, but the innermost one here is the fan-out of inner`}},
	{"fan-out joins itself", func(b *builder) error {
		split, sum := flox.Split(b, "split", each[int]), flox.Func(b, "sum", conv[[]int, int])
		split.Join(sum)
		_, err := flox.Build(b, split, sum)
		return err
	}, []string{`node split: joins its own fan-out; put a node between`}},
	{"fan-out as an end, into nothing, by Add", func(b *builder) error {
		a, c := flox.Split(b, "a", each[int]), flox.Split(b, "c", each[int])
		d := flox.AddFunc(b, "d", func(*flox.Context[flox.NoState], int) (flox.Fanout[int], error) { return nil, nil })
		num(b, "e").To(d, c)
		_, err := flox.BuildAll(b, a, a)
		return err
	}, []string{`node a: is an end but fans out`, `node c: fans out into nothing`, `node d: fans out but was added as a plain node; use flox.AddFanout`}},
	{"variant with no case", func(b *builder) error {
		flox.Variants[shape](b, circle{}, square{})
		a := flox.Func(b, "a", conv[int, shape])
		c := flox.Func(b, "c", conv[circle, int])
		a.Route(flox.Case(c))
		_, err := flox.Build(b, a, c)
		return err
	}, []string{`build_test.go:\d+: node a: variant square has no case; add flox.Case or flox.Otherwise`}},
	{"variant with guarded cases only", func(b *builder) error {
		flox.Variants[shape](b, circle{})
		a, c := flox.Func(b, "a", conv[int, shape]), flox.Func(b, "c", conv[circle, int])
		a.Route(flox.Case(c).If(func(circle) bool { return true }))
		_, err := flox.Build(b, a, c)
		return err
	}, []string{`node a: variant circle has guarded cases only`}},
	{"undeclared variants", func(b *builder) error {
		a, c := flox.Func(b, "a", conv[int, shape]), flox.Func(b, "c", conv[circle, int])
		a.Route(flox.Case(c))
		_, err := flox.Build(b, a, c)
		return err
	}, []string{`node a: declare its variants with flox.Variants\[shape\]\(b, …\)`}},
	{"case that is not declared", func(b *builder) error {
		flox.Variants[shape](b, circle{})
		a, c, w := flox.Func(b, "a", conv[int, shape]), flox.Func(b, "c", conv[circle, int]), flox.Func(b, "w", conv[wedge, int])
		a.Route(flox.Case(c), flox.Case(w))
		_, err := flox.Build(b, a, c, w)
		return err
	}, []string{`node a: case wedge \(to w\) is not among the declared variants`}},
	{"bad declarations", func(b *builder) error {
		flox.Variants[int](b, 1)
		flox.Variants[shape](b, nil)
		flox.Variants[any](b, 1, []int{})
		a := num(b, "a")
		return buildOne(b, a, a)
	}, []string{`Variants\[int\]: int is no interface`, `Variants\[shape\]: nil is no variant`,
		`Variants\[any\]: \[\]int has no name of its own, by which it could be told apart`}},
	{"variants declared twice", func(b *builder) error {
		flox.Variants[shape](b, circle{}, circle{})
		flox.Variants[error](b, errors.New("x"))
		flox.Variants[error](b, errors.New("x"))
		a := num(b, "a")
		return buildOne(b, a, a)
	}, []string{`Variants\[shape\]: flox_test.circle is given twice`, `Variants\[error\]: declared before at build_test.go:\d+`}},
	{"variant taken twice, arm after Otherwise", func(b *builder) error {
		flox.Variants[shape](b, circle{}, square{})
		a := flox.Func(b, "a", conv[int, shape])
		c, d, e := flox.Func(b, "c", conv[circle, int]), flox.Func(b, "d", conv[circle, int]), flox.Func(b, "e", conv[shape, int])
		f := flox.Func(b, "f", conv[square, int])
		a.Route(flox.Case(c), flox.Case(d), flox.Otherwise(e), flox.Case(f))
		_, err := flox.Build(b, a, c, d, e, f)
		return err
	}, []string{`node a: arm to d: circle already goes elsewhere`, `node a: arm to f: comes after Otherwise`}},
	{"guards only", func(b *builder) error {
		a, c := num(b, "a"), num(b, "c")
		a.Route(flox.When(func(int) bool { return true }, c))
		return buildOne(b, a, c)
	}, []string{`node a: has guards only; add flox.Otherwise`}},
	{"no arms, two Routes", func(b *builder) error {
		a, c := num(b, "a"), num(b, "c")
		a.Route()
		a.Route()
		return buildOne(b, a, c)
	}, []string{`node a: Route has no arms`, `node a: Route was called before at build_test.go:\d+`}},
	{"two fallbacks", func(b *builder) error {
		a, f, g := num(b, "a"), flox.Func(b, "f", conv[flox.Failure[int], int]), flox.Func(b, "g", conv[flox.Failure[int], int])
		a.OnFailure(f)
		a.OnFailure(g)
		_, err := flox.Build(b, a, a, f, g)
		return err
	}, []string{`node a: has a fallback already: f \(at build_test.go:\d+\)`}},
	{"wide and narrow edges", func(b *builder) error {
		flox.Variants[shape](b, circle{})
		a, c, d := flox.Func(b, "a", conv[int, circle]), flox.Func(b, "c", conv[circle, int]), flox.Func(b, "d", conv[shape, int])
		a.To(c)
		flox.As[shape](a).To(d)
		_, err := flox.BuildAll(b, a, c, d)
		return err
	}, []string{`node a: d takes flox_test.shape but c takes flox_test.circle; widen both edges with flox.As or neither`}},
	{"cycle with no limit", func(b *builder) error {
		a, model, tool, end := num(b, "a"), num(b, "model"), num(b, "tool"), num(b, "end")
		a.To(model)
		model.Route(flox.When(func(int) bool { return true }, tool), flox.Otherwise(end))
		tool.To(model)
		return buildOne(b, a, end)
	}, []string{`^workflow w:\nbuild_test.go:\d+: cycle model -> tool -> model has no limit; set b.MaxSteps$`}},
	{"not storable", func(b *builder) error {
		type inner struct{ Done chan int }
		type deep struct{ In []map[string]inner }
		//lint:ignore U1000 unexported fields are the mistake
		type shut struct{ a, b int }
		type any1 struct{ V any }
		a, c := flox.Func(b, "a", conv[int, deep]), flox.Func(b, "c", conv[deep, func()])
		d, e, f := flox.Func(b, "d", conv[func(), shut]), flox.Func(b, "e", conv[shut, any1]), flox.Func(b, "f", conv[any1, shape])
		a.To(c)
		c.To(d)
		d.To(e)
		e.To(f)
		_, err := flox.Build(b, a, f)
		return err
	}, []string{`node a: output deep cannot be stored: field In.Done: it holds a chan`, `node c: output func\(\) cannot be stored: it holds a func`,
		`node d: output shut cannot be stored: all its fields are unexported`,
		`node e: output any1 cannot be stored: field V: it is the interface any; declare`,
		`node f: output shape cannot be stored: it is the interface shape; declare its variants with flox.Variants\[shape\]\(b, …\)`}},
	{"options out of range", func(b *builder) error {
		b.MaxSteps(0).Timeout(-time.Second).Queue("a b")
		a := num(b, "a").Timeout(-1).Retry(flox.RetryPolicy{Backoff: func(int) time.Duration { return -1 }})
		return buildOne(b, a, a)
	}, []string{`MaxSteps\(0\): want at least 1`, `workflow w: Timeout\(-1s\)`, `workflow w: queue "a b"`,
		`node a: Timeout\(-1ns\): want more than 0`, `node a: Retry: the back-off after attempt 1 is -1ns`}},
	{"await that names no signal", func(b *builder) error {
		a := flox.Func(b, "a", conv[int, flox.Answer[int, bool]])
		_, err := flox.Build(b, a, a)
		return err
	}, []string{`node a: yields flox.Answer\[int,bool\] but names no signal; add .Awaits\(signal\)`}},
	{"signals that do not fit", func(b *builder) error {
		a := num(b, "a").Awaits(flox.NewSignal[bool]("go"))
		c := flox.Func(b, "c", conv[int, flox.Answer[int, bool]]).Awaits(flox.NewSignal[string]("yes"))
		d := flox.Func(b, "d", conv[flox.Answer[int, bool], flox.Answer[int, string]]).Awaits(flox.NewSignal[string]("no"), flox.NewSignal[string]("bad name"))
		e := flox.Func(b, "e", conv[flox.Answer[int, string], flox.Answer[int, bool]]).Awaits(flox.NewSignal[bool]("no"))
		a.To(c)
		c.To(d)
		d.To(e)
		_, err := flox.Build(b, a, e)
		return err
	}, []string{`node a: awaits signal "go" but yields int; a node that awaits returns a flox.Awaiting`,
		`node c: signal "yes" carries string, but its answer takes bool`, `node d: signal "bad name": want 1 to 128`,
		`node e: signal "no" carries bool here and string at node d`}},
	{"quorums", func(b *builder) error {
		a, c, p := num(b, "a"), num(b, "c").Quorum(0), flox.Func(b, "p", conv[flox.Pair[int, int], int]).Quorum(1)
		x, y, z := num(b, "x"), num(b, "y"), num(b, "z").Quorum(2)
		a.To(x, y)
		flox.Join2(x, y, p)
		p.To(c)
		c.To(z)
		return buildOne(b, a, z)
	}, []string{`node c: Quorum\(0\): want at least 1`, `node p: has a quorum, but joins a pair, which needs both`,
		`node z: has a quorum, but no join leads to it`}},
	{"pair of a fan-out", func(b *builder) error {
		a, c, p := flox.Split(b, "a", each[int]), num(b, "c"), flox.Func(b, "p", conv[flox.Pair[int, int], int])
		d := num(b, "d")
		a.Route(flox.When(func(int) bool { return true }, c), flox.Otherwise(d))
		flox.Join2(c, d, p)
		_, err := flox.Build(b, a, p)
		return err
	}, []string{`node c: joins in a pair, but the fan-out of a may have any number of branches`}},
	{"undos", func(b *builder) error {
		undo := flox.Func(b, "undo", conv[flox.Done[int, int], flox.None])
		again := flox.Func(b, "again", conv[flox.Done[flox.Done[int, int], flox.None], flox.None])
		undo.UndoWith(again)
		undo.OnFailure(flox.Func(b, "f", conv[flox.Failure[flox.Done[int, int]], int]))
		a := flox.Split(b, "a", each[int]).UndoWith(undo)
		c := num(b, "c").UndoWith(undo).UndoWith(undo)
		e := flox.Func(b, "e", conv[int, flox.Answer[int, bool]]).Awaits(flox.NewSignal[bool]("s"))
		e.UndoWith(flox.Func(b, "uq", conv[flox.Done[int, flox.Answer[int, bool]], flox.None]))
		a.To(c)
		c.To(e)
		_, err := flox.BuildAll(b, a, e)
		return err
	}, []string{`node a: fans out and cannot be undone as a whole`, `node c: has a undo already`, `node undo: undoes what others did; it cannot be undone itself`,
		`node undo: undoes what others did; its fallback must yield flox.None`, `node e: awaits a signal, and cannot be undone`}},
	{"an edge to what undoes", func(b *builder) error {
		undo := flox.Func(b, "undo", conv[flox.Done[int, int], flox.None])
		a, c := num(b, "a").UndoWith(undo), flox.Func(b, "c", conv[int, flox.Done[int, int]])
		a.To(c)
		c.To(undo)
		_, err := flox.Build(b, a, undo)
		return err
	}, []string{`node undo: undoes what others did; no edge may lead to it, but one does from c`}},
	{"nests", func(b *builder) error {
		in := flox.New[flox.NoState]("in").MaxSteps(5)
		x, y, z := num(in, "x"), num(in, "y"), num(in, "z")
		x.To(y)
		y.Route(flox.When(func(int) bool { return true }, x), flox.Otherwise(z))
		inner, err := flox.Build(in, x, z)
		if err != nil {
			return err
		}
		a, n := num(b, "a"), flox.Nest(b, "n", inner)
		a.To(n)
		return buildOne(b, a, n)
	}, []string{`cycle n/x -> n/y -> n/x has no limit; set b.MaxSteps`}},
	{"nests with other variants", func(b *builder) error {
		in := flox.New[flox.NoState]("in")
		flox.Variants[shape](in, circle{})
		x := num(in, "x")
		inner, err := flox.Build(in, x, x)
		if err != nil {
			return err
		}
		flox.Variants[shape](b, circle{}, square{})
		n := flox.Nest(b, "n", inner)
		return buildOne(b, n, n)
	}, []string{`node n: declares other variants of shape \(at build_test.go:\d+\) than build_test.go:\d+ does`}},
	{"nil workflows and code", func(b *builder) error {
		type none = flox.Workflow[flox.NoState, int, int]
		nest, with := flox.Nest[flox.NoState, int, int](b, "nest", nil), flox.NestWith(b, "with", &none{}, nil)
		flox.Add(b, "composite", flox.Composite(&none{}))
		flox.Add(b, "node", flox.Node[flox.NoState, int, int](nil))
		flox.Add(b, "retry", flox.Retry(flox.NodeFunc[flox.NoState, int, int](nil), flox.RetryPolicy{}))
		flox.AddFunc[flox.NoState, int, int](b, "code", nil)
		flox.Func[flox.NoState, int, int](b, "func", nil)
		flox.Split[flox.NoState, int, int](b, "split", nil)
		nest.To(with)
		return buildOne(b, nest, with)
	}, []string{`node nest: a Nest of no workflow`, `node with: a Nest of no workflow`, `node composite: a Composite of no workflow`,
		`node node: it has no code`, `node retry: it has no code`, `node code: it has no code`, `node func: it has no code`, `node split: it has no code`}},
	{"nil predicates and signals", func(b *builder) error {
		a, c, d := num(b, "a"), num(b, "c"), num(b, "d")
		a.Route(flox.When(nil, c), flox.Otherwise(d))
		c.Awaits(nil).To(d)
		return buildOne(b, a, d)
	}, []string{`node a: arm to c: its predicate is nil`, `build_test.go:\d+: node c: Awaits\(nil\): want a signal`}},
	{"a nest awaits nothing itself", func(b *builder) error {
		in := flox.New[flox.NoState]("in")
		x := num(in, "x")
		inner, err := flox.Build(in, x, x)
		if err != nil {
			return err
		}
		n := flox.Nest(b, "n", inner).Awaits(approve)
		return buildOne(b, n, n)
	}, []string{`build_test.go:\d+: node n: is a nested workflow and awaits nothing itself`}},
	{"widened output without a case", func(b *builder) error {
		flox.Variants[shape](b, circle{}, square{})
		a, end := flox.Func(b, "a", conv[int, circle]), flox.Func(b, "end", conv[square, int])
		flox.As[shape](a).Route(flox.Case[shape](end))
		_, err := flox.Build(b, a, end)
		return err
	}, []string{`node a: yields circle, for which there is no case`}},
	{"widened to what does not declare it", func(b *builder) error {
		flox.Variants[shape](b, square{})
		a, c := flox.Func(b, "a", conv[int, circle]), flox.Func(b, "c", conv[shape, circle])
		flox.As[shape](a).To(c)
		_, err := flox.Build(b, a, flox.As[shape](c))
		return err
	}, []string{`node a: yields circle, which is not among the declared variants of shape`, `node c: yields circle, which is not`}},
	{"deadline out of range", func(b *builder) error {
		b.Deadline(-1)
		a := num(b, "a")
		return buildOne(b, a, a)
	}, []string{`workflow w: Deadline\(-1ns\): want more than 0`}},
	{"retention too short", func(b *builder) error {
		b.Retention(time.Second).Retention(0, flox.StatusFailed)
		a := num(b, "a")
		return buildOne(b, a, a)
	}, []string{`workflow w: Retention\(1s\): want at least 1m0s, .*, or KeepForever`, `Retention\(0s\): want`}},
	{"retention of what is no end", func(b *builder) error {
		b.Retention(time.Hour, flox.StatusFailed, flox.StatusPaused, "lost")
		a := num(b, "a")
		return buildOne(b, a, a)
	}, []string{`workflow w: Retention: no run ends as "paused"; want any of \["completed" "failed" "cancelled"\]`, `no run ends as "lost"`}},
	{"no end", func(b *builder) error { return buildAll(b, num(b, "a")) }, []string{`workflow w: no end is named`}},
}

func TestBuildErrors(t *testing.T) {
	for _, c := range buildCases {
		t.Run(c.name, func(t *testing.T) {
			err := c.build(flox.New[flox.NoState]("w"))
			if err == nil {
				t.Fatalf("builds, want errors %q", c.want)
			}
			for _, want := range c.want {
				if !regexp.MustCompile(want).MatchString(err.Error()) {
					t.Errorf("error\n%v\nwant a line with %s", err, want)
				}
			}
			for _, line := range strings.Split(err.Error(), "\n")[1:] {
				if !regexp.MustCompile(`^build_test.go:\d+: `).MatchString(line) {
					t.Errorf("line %q does not begin with file and line", line)
				}
			}
		})
	}
}
