package flox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// plainJSON reads JSON into types that hold no sum.
func plainJSON(raw []byte, v reflect.Value) error {
	return json.Unmarshal(raw, v.Addr().Interface())
}

// holdsSum says that encoding/json alone cannot read a t.
func (cs *codecs) holdsSum(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if isMaybe(t) {
		return cs.holdsSum(maybeOf(t), seen)
	}
	if t == timeType || storesItself(t) >= 0 {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
		return cs.holdsSum(t.Elem(), seen)
	case reflect.Struct:
		fields, _ := storedFields(t)
		for _, f := range fields {
			if cs.holdsSum(f.typ, seen) {
				return true
			}
		}
	}
	return false
}

// jsonOf reads JSON into a type that holds a sum; the JSON of that is
// ["Variant", value], as in msgpack.
func (cs *codecs) jsonOf(t reflect.Type) func([]byte, reflect.Value) error {
	if isMaybe(t) {
		return jsonMaybe(cs.byType[maybeOf(t)])
	}
	switch t.Kind() {
	case reflect.Struct:
		return cs.jsonStruct(t)
	case reflect.Slice:
		elem := cs.byType[t.Elem()]
		return func(raw []byte, v reflect.Value) error { return jsonList(raw, v, elem) }
	case reflect.Pointer:
		elem := cs.byType[t.Elem()]
		return func(raw []byte, v reflect.Value) error {
			if string(bytes.TrimSpace(raw)) == "null" {
				return nil
			}
			v.Set(reflect.New(t.Elem()))
			return elem.json(raw, v.Elem())
		}
	case reflect.Interface:
		return cs.jsonSum(t)
	}
	return func([]byte, reflect.Value) error {
		return fmt.Errorf("%s holds a sum type and cannot be read from JSON", t)
	}
}

func (cs *codecs) jsonStruct(t reflect.Type) func([]byte, reflect.Value) error {
	fields, _ := storedFields(t)
	for i, f := range fields {
		fields[i].codec = cs.byType[f.typ]
	}
	return func(raw []byte, v reflect.Value) error {
		var values map[string]json.RawMessage
		if err := json.Unmarshal(raw, &values); err != nil {
			return err
		}
		for _, f := range fields {
			value, ok := values[f.name]
			if !ok {
				continue
			}
			if err := f.codec.json(value, v.FieldByIndex(f.index)); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
		return nil
	}
}

func jsonList(raw []byte, v reflect.Value, elem *codec) error {
	var values []json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil || values == nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(values), len(values)))
	for i, value := range values {
		if err := elem.json(value, v.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

func (cs *codecs) jsonSum(t reflect.Type) func([]byte, reflect.Value) error {
	variants := map[string]*codec{}
	for tag, v := range cs.sums[t].byTag {
		variants[tag] = cs.byType[v]
	}
	return func(raw []byte, v reflect.Value) error {
		var pair []json.RawMessage
		if err := json.Unmarshal(raw, &pair); err != nil || pair == nil {
			return err
		}
		var tag string
		if len(pair) != 2 || json.Unmarshal(pair[0], &tag) != nil || variants[tag] == nil {
			return fmt.Errorf("want a %s as [\"Variant\", value]", t)
		}
		p := reflect.New(variants[tag].typ).Elem()
		if err := variants[tag].json(pair[1], p); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
}
