package flox

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// isNil says that the next value is nil; at the end of the input it is not.
func isNil(d *decoder) bool {
	code, err := d.PeekCode()
	return err == nil && code == msgpcode.Nil
}

// mapLen reads the length of a map. The library would take an extension for
// one, and go on with the extension's body as if it was checked.
func mapLen(d *decoder) (int, error) {
	if code, err := d.PeekCode(); err == nil && msgpcode.IsExt(code) {
		return 0, fmt.Errorf("msgpack: code %#x is no map", code)
	}
	return d.DecodeMapLen()
}

func (cs *codecs) compileStruct(c *codec) error {
	fields, err := storedFields(c.typ)
	if err != nil {
		return err
	}
	byName := make(map[string]int, len(fields))
	for i, f := range fields {
		if fields[i].codec, err = cs.get(f.typ); err != nil {
			return inField(f.goName, err)
		}
		byName[f.name] = i
	}
	c.enc = func(e *encoder, v reflect.Value) error { return encodeStruct(e, v, fields) }
	c.dec = func(d *decoder, v reflect.Value) error {
		n, err := mapLen(d)
		for range n {
			name, err := d.name()
			if err != nil {
				return err
			}
			i, ok := byName[string(name)]
			if !ok { // written by another version
				d.skipped = true
				if err := d.Skip(); err != nil {
					return err
				}
				continue
			}
			if err := fields[i].codec.dec(d, v.FieldByIndex(fields[i].index)); err != nil {
				return fmt.Errorf("%s: %w", fields[i].name, err)
			}
		}
		return err
	}
	return nil
}

// name reads a string that is valid until the next one is read.
func (d *decoder) name() ([]byte, error) {
	n, err := d.DecodeBytesLen()
	if err != nil || n <= 0 {
		return nil, err
	}
	d.field = slices.Grow(d.field[:0], n)[:n]
	return d.field, d.ReadFull(d.field)
}

// encodeStruct leaves zero fields out; they come back as they were.
func encodeStruct(e *encoder, v reflect.Value, fields []storedField) error {
	n := 0
	for _, f := range fields {
		if !v.FieldByIndex(f.index).IsZero() {
			n++
		}
	}
	if err := e.EncodeMapLen(n); err != nil {
		return err
	}
	for _, f := range fields {
		field := v.FieldByIndex(f.index)
		if field.IsZero() {
			continue
		}
		if err := e.EncodeString(f.name); err != nil {
			return err
		}
		if err := e.nested(f.codec, field); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func (cs *codecs) compileList(c *codec) error {
	elem, err := cs.get(c.typ.Elem())
	if err != nil {
		return err
	}
	isSlice := c.typ.Kind() == reflect.Slice
	if isSlice && c.typ.Elem().Kind() == reflect.Uint8 {
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeBytes(v.Bytes()) }
		c.dec = func(d *decoder, v reflect.Value) error {
			b, err := d.DecodeBytes()
			v.SetBytes(b)
			return err
		}
		return nil
	}
	c.enc = func(e *encoder, v reflect.Value) error {
		if isSlice && v.IsNil() {
			return e.EncodeNil()
		}
		if err := e.EncodeArrayLen(v.Len()); err != nil {
			return err
		}
		for i := range v.Len() {
			if err := e.nested(elem, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	c.dec = func(d *decoder, v reflect.Value) error { return decodeList(d, v, elem) }
	return nil
}

func decodeList(d *decoder, v reflect.Value, elem *codec) error {
	n, err := d.DecodeArrayLen()
	if err != nil || n < 0 {
		return err
	}
	if v.Kind() == reflect.Array && n != v.Len() {
		return fmt.Errorf("%d elements do not fit %s", n, v.Type())
	}
	slice := v.Kind() == reflect.Slice
	if slice {
		v.Set(reflect.MakeSlice(v.Type(), 0, ahead(n, v.Type().Elem())))
	}
	for i := range n {
		if slice {
			if i == v.Cap() {
				v.Grow(1)
			}
			v.SetLen(i + 1)
		}
		if err := elem.dec(d, v.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

// maxAhead is how many bytes are made for elements that were not read yet.
const maxAhead = 64 << 10

// ahead is for how many of n elements room is made at first. A length is all that
// damaged bytes need to have: it must not cost more than what follows is worth.
func ahead(n int, elem reflect.Type) int {
	return min(n, 1+maxAhead/max(1, int(elem.Size())))
}

func (cs *codecs) compileMap(c *codec) error {
	key, err := cs.get(c.typ.Key())
	if err != nil {
		return err
	}
	value, err := cs.get(c.typ.Elem())
	if err != nil {
		return err
	}
	if isSet(c.typ) {
		value = nil
	}
	c.enc = func(e *encoder, v reflect.Value) error { return encodeMap(e, v, key, value) }
	c.dec = func(d *decoder, v reflect.Value) error { return decodeMap(d, v, key, value) }
	return nil
}

// encodeMap writes a map, or, with no value codec, the list of its keys.
func encodeMap(e *encoder, v reflect.Value, key, value *codec) error {
	if v.IsNil() {
		return e.EncodeNil()
	}
	length := e.EncodeMapLen
	if value == nil {
		length = e.EncodeArrayLen
	}
	if err := length(v.Len()); err != nil {
		return err
	}
	for k, elem := range v.Seq2() {
		if err := e.nested(key, addressable(k)); err != nil {
			return err
		}
		if value == nil {
			continue
		}
		if err := e.nested(value, addressable(elem)); err != nil {
			return err
		}
	}
	return nil
}

func addressable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

func decodeMap(d *decoder, v reflect.Value, key, value *codec) error {
	length := func() (int, error) { return mapLen(d) }
	if value == nil {
		length = d.DecodeArrayLen
	}
	n, err := length()
	if err != nil || n < 0 {
		return err
	}
	m := reflect.MakeMapWithSize(v.Type(), min(ahead(n, v.Type().Key()), ahead(n, v.Type().Elem())))
	for range n {
		k, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if err := key.dec(d, k); err != nil {
			return err
		}
		if value != nil {
			if err := value.dec(d, elem); err != nil {
				return err
			}
		}
		m.SetMapIndex(k, elem)
	}
	v.Set(m)
	return nil
}
