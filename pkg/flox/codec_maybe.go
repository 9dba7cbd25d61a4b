package flox

import (
	"bytes"
	"fmt"
	"reflect"
)

// The codec of Max, Min, Last and Fixed: a value is stored as itself, none as
// nil. A value that may be nil itself is stored as a list of one, so that it is
// told from none.

// maybeType is implemented by pointers to what embeds a maybe of any type.
var maybeType = reflect.TypeFor[interface{ inside() (value any, set *bool) }]()

// isMaybe says that t is Max, Min, Last or Fixed of some type. Other structs may
// embed one of these, and are stored as structs are.
func isMaybe(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 1 && t.PkgPath() == floxPath && t.Field(0).Name == "maybe" &&
		reflect.PointerTo(t).Implements(maybeType)
}

var floxPath = reflect.TypeFor[None]().PkgPath()

// maybeOf is the type of the value of a maybe.
func maybeOf(t reflect.Type) reflect.Type {
	value, _ := insideOf(reflect.New(t).Elem())
	return value.Type()
}

// insideOf is where the value of a maybe is, and whether there is one.
func insideOf(v reflect.Value) (value reflect.Value, set *bool) {
	p, set := v.Addr().Interface().(interface{ inside() (any, *bool) }).inside()
	return reflect.ValueOf(p).Elem(), set
}

func (cs *codecs) compileMaybe(c *codec) error {
	t := maybeOf(c.typ)
	elem, err := cs.get(t)
	if err != nil {
		return err
	}
	listed := mayBeNil(t)
	c.enc = func(e *encoder, v reflect.Value) error {
		value, set := insideOf(v)
		if !*set {
			return e.EncodeNil()
		}
		if listed {
			if err := e.EncodeArrayLen(1); err != nil {
				return err
			}
		}
		return e.nested(elem, value)
	}
	c.dec = func(d *decoder, v reflect.Value) error {
		if isNil(d) {
			return d.DecodeNil()
		}
		if listed {
			if n, err := d.DecodeArrayLen(); err != nil || n != 1 {
				return errListed(n, err)
			}
		}
		value, set := insideOf(v)
		*set = true
		return elem.dec(d, value)
	}
	return nil
}

// mayBeNil says that a t may be stored as nil.
func mayBeNil(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	}
	return t != timeType && (isMaybe(t) || storesItself(t) >= 0)
}

// jsonMaybe reads the JSON of a maybe whose value is read by elem.
func jsonMaybe(elem *codec) func([]byte, reflect.Value) error {
	return func(raw []byte, v reflect.Value) error {
		if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
			return nil
		}
		value, set := insideOf(v)
		*set = true
		return elem.json(raw, value)
	}
}

func errListed(n int, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("a list of %d, want one value", n)
}
