package floxtest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/floxrun/flox/pkg/flox"
)

// WantState checks that a run ended in this state. Unexported fields count, as
// those of flox.Max do; a list or map that is empty is equal to one that is nil,
// for a store does not tell them apart, and a NaN to a NaN.
func WantState[S, O any](t testing.TB, r flox.Result[S, O], want S) {
	t.Helper()
	if d := diff(want, r.State); d != "" {
		t.Errorf("floxtest: the state is not as wanted (-want +got):\n%s", d)
	}
}

// diff shows how got differs from want, "" if it does not.
func diff[T any](want, got T) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs(), cmp.Comparer(sameError),
		cmp.Exporter(func(reflect.Type) bool { return true }))
}

// sameError says that one error is the other, or reads like it.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return errors.Is(a, b) || errors.Is(b, a) || a.Error() == b.Error()
}
