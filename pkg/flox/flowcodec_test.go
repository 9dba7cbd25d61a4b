package flox

import (
	"context"
	"reflect"
	"strings"
	"testing"
)

// menagerie yields a cat for n > 0 and a dog otherwise: ends of two types.
func menagerie(b *Builder[NoState]) (Ref[int, int], Ref[int, animal], Ref[int, animal]) {
	Variants[animal](b, cat{}, &dog{})
	a := Func(b, "a", func(_ context.Context, n int) (int, error) { return n, nil })
	cats := Func(b, "cats", func(_ context.Context, n int) (cat, error) { return cat{n}, nil })
	dogs := Func(b, "dogs", func(context.Context, int) (*dog, error) { return &dog{"rex"}, nil })
	return a, As[animal](cats), As[animal](dogs)
}

func TestOutputOfOneSumFromSeveralEnds(t *testing.T) {
	b := New[NoState]("pets")
	a, cats, dogs := menagerie(b)
	a.Route(When(func(n int) bool { return n > 0 }, cats), Otherwise(dogs))
	wf, err := Build(b, a, cats, dogs)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[int]animal{9: cat{9}, 0: &dog{"rex"}} {
		res, err := Run(t.Context(), wf, in)
		if err != nil || !reflect.DeepEqual(res.Output, want) {
			t.Errorf("run of %d = %+v, %v, want %+v", in, res.Output, err, want)
		}
	}
}

func TestJoinOfOneSumFromSeveralBranches(t *testing.T) {
	b := New[NoState]("pets")
	a, cats, dogs := menagerie(b)
	sum := Func(b, "sum", func(_ context.Context, all []animal) ([]animal, error) { return all, nil })
	a.To(cats, dogs)
	cats.Join(sum)
	dogs.Join(sum)
	wf, err := BuildAll(b, a, sum)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(t.Context(), wf, 3)
	if want := [][]animal{{cat{3}, &dog{"rex"}}}; err != nil || !reflect.DeepEqual(res.Output, want) {
		t.Errorf("run = %+v, %v, want %+v", res.Output, err, want)
	}
}

func TestFlowCodecOfTypesAlone(t *testing.T) {
	c, err := newFlowCodec[tally, int, []string](nil)
	if err != nil {
		t.Fatal(err)
	}
	one, err := c.decodeOutput([][]byte{payload(t, []string{"a", "b"})})
	if err != nil || len(one) != 2 {
		t.Errorf("output %q, %v, want both strings of the one output", one, err)
	}
	c.list = true
	all, err := c.decodeOutput([][]byte{payload(t, "a"), payload(t, "b"), payload(t, "c")})
	if err != nil || len(all) != 3 {
		t.Errorf("outputs %q, %v, want three", all, err)
	}
	if _, err := newFlowCodec[tally, int, animal](nil); err == nil || !strings.Contains(err.Error(), "declare its variants") {
		t.Errorf("codec of a sum type known by name alone: %v, want an error about variants", err)
	}
}
