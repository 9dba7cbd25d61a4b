package flox

import (
	"errors"
	"fmt"
	"reflect"
)

// sum is a sum type: an interface and its declared variants by tag, which is
// the variant's type name.
type sum struct {
	byTag map[string]reflect.Type
	tags  map[reflect.Type]string
}

// tagOf names a variant in what is stored.
func tagOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

func interfaceName(t reflect.Type) string {
	if t.Name() == "" && t.NumMethod() == 0 {
		return "any"
	}
	return shortName(t)
}

// compileSum stores values of an interface type as [tag, value].
func (cs *codecs) compileSum(c *codec) error {
	s := cs.sums[c.typ]
	if c.typ == reflect.TypeFor[error]() && s == nil {
		return &unstorable{why: "it is an error; keep its text as a string"}
	}
	if s == nil {
		return &unstorable{why: fmt.Sprintf("it is the interface %s; declare its variants with flox.Variants[%[1]s](b, …)", interfaceName(c.typ))}
	}
	variants := map[string]*codec{}
	for tag, t := range s.byTag {
		v, err := cs.get(t)
		if err != nil {
			return inField("("+tag+")", err)
		}
		variants[tag] = v
	}
	c.enc = func(e *encoder, v reflect.Value) error {
		if v.IsNil() {
			return e.EncodeNil()
		}
		tag, ok := s.tags[v.Elem().Type()]
		if !ok {
			return fmt.Errorf("%s is not among the declared variants of %s", v.Elem().Type(), c.typ)
		}
		if err := errors.Join(e.EncodeArrayLen(2), e.EncodeString(tag)); err != nil {
			return err
		}
		return e.nested(variants[tag], addressable(v.Elem()))
	}
	c.dec = func(d *decoder, v reflect.Value) error { return decodeSum(d, v, variants) }
	return nil
}

func decodeSum(d *decoder, v reflect.Value, variants map[string]*codec) error {
	n, err := d.DecodeArrayLen()
	if err != nil || n < 0 {
		return err
	}
	if n != 2 {
		return fmt.Errorf("a list of %d, want [variant, value]", n)
	}
	tag, err := d.DecodeString()
	if err != nil {
		return err
	}
	c := variants[tag]
	if c == nil {
		return fmt.Errorf("%q is not a declared variant of %s", tag, v.Type())
	}
	p := reflect.New(c.typ).Elem()
	if err := c.dec(d, p); err != nil {
		return err
	}
	v.Set(p)
	return nil
}
