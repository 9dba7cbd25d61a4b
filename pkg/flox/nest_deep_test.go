package flox_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

// TestNestsInNests nests workflows with a state of their own two deep: each
// lifts once, and what one visits is closed before the other is.
func TestNestsInNests(t *testing.T) {
	double := func(s trail) trail { return trail{Total: 10 * s.Total} }
	for name, drive := range drivers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := flox.New[trail]("innermost")
				mid := flox.New[trail]("middle")
				b := flox.New[trail]("w")
				a := plus(in, "a", 1)
				inner := flox.NestWith(mid, "inner", build(t, in, a, a), double)
				outer := flox.NestWith(b, "outer", build(t, mid, inner, inner), double)
				drive.want(t, build(t, b, outer, outer), 1, finished{Output: "2", State: trail{Total: 100}, Items: []string{
					"0.0 outer fan", "0.0.j.0 outer/$end end", "0.1 outer/inner fan",
					"0.1.j.0 outer/inner/$end deposit", "0.2 outer/inner/a deposit"}})
			})
		})
	}
}

// TestNestWithNoOutput has a nested workflow end with no output where one was
// needed: its fallback takes that.
func TestNestWithNoOutput(t *testing.T) {
	in := flox.New[trail]("silent")
	hold := flox.AddFunc(in, "hold", func(*flox.Context[trail], int) (flox.Transition[int], error) {
		return flox.Hold[int](), nil
	})
	b := flox.New[trail]("w")
	nest := flox.Nest(b, "nest", build(t, in, hold, hold))
	rescue := flox.Func(b, "rescue", func(_ context.Context, f flox.Failure[int]) (int, error) {
		if f.Node != "nest/$end" || f.Err.Message != "the nested workflow ended with no output" {
			t.Errorf("the fallback got %+v", f)
		}
		return -f.Input, nil
	})
	nest.OnFailure(rescue)
	if res, err := flox.Run(t.Context(), build(t, b, nest, nest, rescue), 4); err != nil || res.Output != -4 {
		t.Errorf("Run = %d, %v, want -4 from the fallback", res.Output, err)
	}
}
