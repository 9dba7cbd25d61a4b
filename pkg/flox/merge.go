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
	merger, err := mergerOf(t, t.Name(), map[reflect.Type]bool{})
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
	return st.merger(reflect.ValueOf(a), reflect.ValueOf(b)).Interface()
}

func (st *stateType) decode(delta []byte) (any, error) { return st.codec.decode(delta) }

func (st *stateType) encode(v any) ([]byte, error) { return st.codec.encode(v) }

// fold merges deltas onto base. It merges neighbours pairwise, so that a long
// log costs n log n, not n squared, though no merge modifies its operands.
func (st *stateType) fold(base any, deltas [][]byte) (any, error) {
	values := make([]any, 0, len(deltas)+1)
	for i, d := range deltas {
		v, err := st.decode(d)
		if err != nil {
			return nil, fmt.Errorf("state delta %d: %w", i, err)
		}
		values = append(values, v)
	}
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
	if len(values) == 0 {
		return base, nil
	}
	return st.merge(base, values[0]), nil
}

// mergerOf makes the plan for values of type t; path names t in errors.
func mergerOf(t reflect.Type, path string, seen map[reflect.Type]bool) (mergeFunc, error) {
	if m, ok := t.MethodByName("Merge"); ok && m.Type.NumIn() == 2 && m.Type.In(1) == t &&
		m.Type.NumOut() == 1 && m.Type.Out(0) == t {
		return func(a, b reflect.Value) reflect.Value {
			return m.Func.Call([]reflect.Value{a, b})[0]
		}, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("state field %s: %s does not merge; use flox.Sum, List[%[2]s] or Set[%[2]s], "+
			"or give the type a method Merge", path, t)
	}
	if seen[t] {
		return nil, fmt.Errorf("state field %s: %s contains itself", path, t)
	}
	seen[t] = true
	defer delete(seen, t)
	return structMerger(t, path, seen)
}

func structMerger(t reflect.Type, path string, seen map[reflect.Type]bool) (mergeFunc, error) {
	fields := make([]mergeFunc, t.NumField())
	for i := range fields {
		f := t.Field(i)
		if !f.IsExported() {
			return nil, fmt.Errorf("state field %s.%s: it is unexported and would be lost", path, f.Name)
		}
		var err error
		if fields[i], err = mergerOf(f.Type, path+"."+f.Name, seen); err != nil {
			return nil, err
		}
	}
	return func(a, b reflect.Value) reflect.Value {
		both := reflect.New(t).Elem()
		for i, merge := range fields {
			both.Field(i).Set(mergeField(merge, a.Field(i), b.Field(i)))
		}
		return both
	}, nil
}

// mergeField leaves out the merge with a field that was not set.
func mergeField(merge mergeFunc, a, b reflect.Value) reflect.Value {
	if b.IsZero() {
		return a
	}
	if a.IsZero() {
		return b
	}
	return merge(a, b)
}
