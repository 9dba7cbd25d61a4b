package flox

import (
	"fmt"
	"reflect"
)

// mergers are the plans of how types merge. That of a type which is still being
// made is there already: by way of a MapOf, a struct may contain itself.
type mergers map[reflect.Type]*mergeFunc

// of makes the plan for values of type t; path names t in errors.
func (ms mergers) of(t reflect.Type, path string) (mergeFunc, error) {
	if planned := ms[t]; planned != nil {
		return func(a, b reflect.Value) reflect.Value { return (*planned)(a, b) }, nil
	}
	planned := new(mergeFunc)
	ms[t] = planned
	var err error
	*planned, err = ms.plan(t, path)
	return *planned, err
}

func (ms mergers) plan(t reflect.Type, path string) (mergeFunc, error) {
	m, ok := t.MethodByName("Merge")
	switch {
	case ok && t.Kind() != reflect.Interface && m.Type.NumIn() == 2 && m.Type.In(1) == t &&
		m.Type.NumOut() == 1 && m.Type.Out(0) == t:
		return func(a, b reflect.Value) reflect.Value {
			return m.Func.Call([]reflect.Value{a, b})[0]
		}, nil
	case t.Implements(mapOfType) && t.Kind() == reflect.Map:
		return ms.ofMap(t, path)
	case t.Kind() == reflect.Struct && t != timeType && storesItself(t) < 0:
		return ms.ofStruct(t, path)
	}
	return nil, fmt.Errorf("state field %s: %s does not merge; %s, or give the type a method Merge", path, typeName(t), mergeHint(t))
}

func (ms mergers) ofMap(t reflect.Type, path string) (mergeFunc, error) {
	merge, err := ms.of(t.Elem(), path+"["+typeName(t.Key())+"]")
	if err != nil {
		return nil, err
	}
	return func(a, b reflect.Value) reflect.Value {
		return reflect.ValueOf(a.Interface().(mergesMap).mergeMap(b.Interface(), merge))
	}, nil
}

func (ms mergers) ofStruct(t reflect.Type, path string) (mergeFunc, error) {
	fields := make([]mergeFunc, t.NumField())
	for i := range fields {
		f := t.Field(i)
		if !f.IsExported() {
			return nil, fmt.Errorf("state field %s.%s: it is unexported and would be lost", path, f.Name)
		}
		var err error
		if fields[i], err = ms.of(f.Type, path+"."+f.Name); err != nil {
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

// mergeHint says what a field of type t might be instead.
func mergeHint(t reflect.Type) string {
	name := typeName(t)
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("use flox.Sum, Max[%s] or Last[%[1]s]", name)
	case reflect.Float32, reflect.Float64:
		return fmt.Sprintf("use flox.SumFloat, Max[%s] or Last[%[1]s]", name)
	case reflect.Slice:
		return fmt.Sprintf("use flox.List[%s] or Last[%s]", typeName(t.Elem()), name)
	case reflect.Map:
		if t.Elem() == emptyType || t.Elem().Kind() == reflect.Bool {
			return fmt.Sprintf("use flox.Set[%s] or Last[%s]", typeName(t.Key()), name)
		}
		return fmt.Sprintf("use flox.MapOf[%s, V] with a V that merges, or Last[%s]", typeName(t.Key()), name)
	}
	return fmt.Sprintf("use flox.Last[%s], Fixed[%[1]s] or List[%[1]s]", name)
}
