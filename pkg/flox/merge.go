package flox

import (
	"fmt"
	"reflect"
)

// mergeFunc combines two values of one type and modifies neither.
type mergeFunc func(a, b reflect.Value) reflect.Value

// stateType is how values of a workflow's state type combine and are stored.
// Everything about the type is settled at Build.
type stateType struct {
	typ    reflect.Type
	merger mergeFunc
	codec  *codec
}

// newStateType makes the plan for a state type, or says which field prevents it.
func newStateType(t reflect.Type, cs *codecs) (*stateType, error) {
	merger, err := mergers{}.of(t, t.Name())
	if err != nil {
		return nil, err
	}
	c, err := cs.of(t)
	if err != nil {
		return nil, fmt.Errorf("state %s cannot be stored: %w", t, err)
	}
	return &stateType{typ: t, merger: merger, codec: c}, nil
}

func (st *stateType) zero() any { return reflect.Zero(st.typ).Interface() }

// merge returns a followed by b; it modifies neither.
func (st *stateType) merge(a, b any) any {
	return mergeField(st.merger, reflect.ValueOf(a), reflect.ValueOf(b)).Interface()
}

func (st *stateType) decode(delta []byte) (any, error) { return st.codec.decode(delta) }

func (st *stateType) encode(v any) ([]byte, error) { return st.codec.encode(v) }

// fold merges deltas onto base, and says whether they are complete in what it
// returns, see codec.decodeKnown.
func (st *stateType) fold(base any, deltas [][]byte) (folded any, complete bool, err error) {
	values := make([]any, len(deltas))
	complete = true
	for i, d := range deltas {
		v, known, err := st.codec.decodeKnown(d)
		if err != nil {
			return nil, false, fmt.Errorf("state delta %d: %w", i, err)
		}
		values[i] = v
		complete = complete && known
	}
	if len(values) == 0 {
		return base, complete, nil
	}
	return st.merge(base, st.mergeAll(values)), complete, nil
}

// mergeAll merges neighbours pairwise, so that a long log costs n log n, not n
// squared, though no merge modifies its operands. It uses up values.
func (st *stateType) mergeAll(values []any) any {
	for len(values) > 1 {
		half := values[:0]
		for i := 0; i < len(values); i += 2 {
			if i+1 == len(values) {
				half = append(half, values[i])
				continue
			}
			half = append(half, st.merge(values[i], values[i+1]))
		}
		values = half
	}
	return values[0]
}

// mergeField leaves out the merge with a value that was not set.
func mergeField(merge mergeFunc, a, b reflect.Value) reflect.Value {
	if b.IsZero() {
		return a
	}
	if a.IsZero() {
		return b
	}
	return merge(a, b)
}
