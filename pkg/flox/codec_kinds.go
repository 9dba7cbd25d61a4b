package flox

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// marshalers are the pairs of interfaces by which a type stores itself. The
// msgpack library knows all but the last.
var marshalers = [][2]reflect.Type{
	{reflect.TypeFor[msgpack.CustomEncoder](), reflect.TypeFor[msgpack.CustomDecoder]()},
	{reflect.TypeFor[msgpack.Marshaler](), reflect.TypeFor[msgpack.Unmarshaler]()},
	{reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler]()},
	{reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()},
	{jsonMarshaler, jsonUnmarshaler},
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
	emptyType       = reflect.TypeFor[struct{}]()
)

// storesItself says by which of marshalers t does, -1 for none.
func storesItself(t reflect.Type) int {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return -1
	}
	p := reflect.PointerTo(t)
	for i, m := range marshalers {
		if p.Implements(m[0]) && p.Implements(m[1]) {
			return i
		}
	}
	return -1
}

// compile fills in how values of c.typ are written and read.
func (cs *codecs) compile(c *codec) error {
	t := c.typ
	if isMaybe(t) {
		return cs.compileMaybe(c)
	}
	if by := storesItself(t); t == timeType || by >= 0 && by < len(marshalers)-1 {
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeValue(v) }
		c.dec = func(d *decoder, v reflect.Value) error { return d.DecodeValue(v) }
		return nil
	} else if by >= 0 && !isSet(t) {
		c.enc, c.dec = encodeAsJSON, decodeAsJSON
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return cs.compileStruct(c)
	case reflect.Slice, reflect.Array:
		return cs.compileList(c)
	case reflect.Map:
		return cs.compileMap(c)
	case reflect.Pointer:
		return cs.compilePointer(c)
	case reflect.Interface:
		return cs.compileSum(c)
	}
	return compileScalar(c)
}

// isSet says that t is a map which stands for its keys.
func isSet(t reflect.Type) bool { return t.Kind() == reflect.Map && t.Elem() == emptyType }

func encodeAsJSON(e *encoder, v reflect.Value) error {
	b, err := json.Marshal(v.Addr().Interface())
	if err != nil {
		return err
	}
	return e.EncodeBytes(b)
}

func decodeAsJSON(d *decoder, v reflect.Value) error {
	b, err := d.DecodeBytes()
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v.Addr().Interface())
}

func compileScalar(c *codec) error {
	switch c.typ.Kind() {
	case reflect.Bool:
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeBool(v.Bool()) }
		c.dec = func(d *decoder, v reflect.Value) error {
			b, err := d.DecodeBool()
			v.SetBool(b)
			return err
		}
	case reflect.String:
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeString(v.String()) }
		c.dec = func(d *decoder, v reflect.Value) error {
			s, err := d.DecodeString()
			v.SetString(s)
			return err
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeInt(v.Int()) }
		c.dec = decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeUint(v.Uint()) }
		c.dec = decodeUint
	case reflect.Float32:
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeFloat32(float32(v.Float())) }
		c.dec = decodeFloat
	case reflect.Float64:
		c.enc = func(e *encoder, v reflect.Value) error { return e.EncodeFloat64(v.Float()) }
		c.dec = decodeFloat
	default:
		return &unstorable{why: "it holds a " + c.typ.Kind().String()}
	}
	return nil
}

func decodeInt(d *decoder, v reflect.Value) error {
	n, err := d.DecodeInt64()
	if err == nil && v.OverflowInt(n) {
		return fmt.Errorf("%d does not fit %s", n, v.Type())
	}
	v.SetInt(n)
	return err
}

func decodeUint(d *decoder, v reflect.Value) error {
	n, err := d.DecodeUint64()
	if err == nil && v.OverflowUint(n) {
		return fmt.Errorf("%d does not fit %s", n, v.Type())
	}
	v.SetUint(n)
	return err
}

func decodeFloat(d *decoder, v reflect.Value) error {
	f, err := d.DecodeFloat64()
	v.SetFloat(f)
	return err
}

func (cs *codecs) compilePointer(c *codec) error {
	elem, err := cs.get(c.typ.Elem())
	if err != nil {
		return err
	}
	c.enc = func(e *encoder, v reflect.Value) error {
		if v.IsNil() {
			return e.EncodeNil()
		}
		return e.nested(elem, v.Elem())
	}
	c.dec = func(d *decoder, v reflect.Value) error {
		if isNil(d) {
			return d.DecodeNil()
		}
		v.Set(reflect.New(c.typ.Elem()))
		return elem.dec(d, v.Elem())
	}
	return nil
}

// nested encodes what is inside another value.
func (e *encoder) nested(c *codec, v reflect.Value) error {
	if e.depth++; e.depth > maxDepth {
		return errDepth
	}
	err := c.enc(e, v)
	e.depth--
	return err
}
