package flox

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// codec stores and restores values of one type. Payloads begin with a byte that
// names their format: values are written as msgpack, and read as msgpack or as
// JSON, which is what a command line or an API gives.
type codec struct {
	typ  reflect.Type
	enc  func(e *encoder, v reflect.Value) error
	dec  func(d *decoder, v reflect.Value) error
	json func(raw []byte, v reflect.Value) error
	err  error // why values of the type cannot be stored
}

const (
	codecMsgpack = 0
	codecJSON    = 1
)

// encoder is a msgpack encoder that stops at maxDepth, which a value that
// contains itself reaches.
type encoder struct {
	*msgpack.Encoder
	depth int
	buf   bytes.Buffer
}

// decoder is a msgpack decoder that notes what it had to leave out.
type decoder struct {
	*msgpack.Decoder
	skipped bool // a field that the struct at hand does not have
	src     bytes.Reader
	field   []byte // see name
}

var (
	encoders = sync.Pool{New: func() any { return &encoder{Encoder: msgpack.NewEncoder(nil)} }}
	decoders = sync.Pool{New: func() any { return &decoder{Decoder: msgpack.NewDecoder(nil)} }}
)

// maxPooled is the size of the largest buffer that waits for the next value.
const maxPooled = 64 << 10

// codecs makes the codecs of one workflow. Sums are its sum types.
type codecs struct {
	mu     sync.Mutex
	sums   map[reflect.Type]*sum
	byType map[reflect.Type]*codec
}

func newCodecs(sums map[reflect.Type]*sum) *codecs {
	return &codecs{sums: sums, byType: map[reflect.Type]*codec{}}
}

// of returns the codec of t, or an error that says why t cannot be stored.
func (cs *codecs) of(t reflect.Type) (*codec, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.get(t)
}

func (cs *codecs) get(t reflect.Type) (*codec, error) {
	if c, ok := cs.byType[t]; ok {
		return c, c.err // a type that contains itself finds its unfinished codec
	}
	c := &codec{typ: t, json: plainJSON}
	cs.byType[t] = c
	c.err = cs.compile(c)
	if c.err == nil && cs.holdsSum(t, map[reflect.Type]bool{}) {
		c.json = cs.jsonOf(t)
	}
	return c, c.err
}

// encode makes a payload of v, whose type is the codec's or, if that is an
// interface, one of its variants.
func (c *codec) encode(v any) ([]byte, error) {
	addressable := reflect.New(c.typ).Elem()
	if v != nil {
		addressable.Set(reflect.ValueOf(v))
	}
	return c.encodeAt(addressable)
}

// encodeAt is encode of the value that v refers to, which is not copied if its type
// is the codec's.
func (c *codec) encodeAt(v reflect.Value) ([]byte, error) {
	if v.Type() != c.typ {
		return c.encode(v.Interface())
	}
	b, err := c.write([]byte{codecMsgpack}, v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", c.typ, err)
	}
	return b, nil
}

// write returns prefix and the msgpack of v, which is addressable.
func (c *codec) write(prefix []byte, v reflect.Value) ([]byte, error) {
	e := encoders.Get().(*encoder)
	e.buf.Reset()
	e.buf.Write(prefix)
	e.depth = 0
	e.Reset(&e.buf)
	e.SetCustomStructTag("json")
	e.UseCompactInts(true)
	if err := c.enc(e, v); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, e.buf.Len()), e.buf.Bytes()...)
	if e.buf.Cap() <= maxPooled {
		encoders.Put(e)
	}
	return b, nil
}

// decode restores a value of the codec's type.
func (c *codec) decode(b []byte) (any, error) {
	p, err := c.decodePointer(b)
	if err != nil {
		return nil, err
	}
	return p.Elem().Interface(), nil
}

// decodePointer returns a pointer to the restored value.
func (c *codec) decodePointer(b []byte) (reflect.Value, error) {
	p := reflect.New(c.typ)
	if err := c.decodeInto(b, p.Elem()); err != nil {
		return reflect.Value{}, fmt.Errorf("decode %s: %w", c.typ, err)
	}
	return p, nil
}

func (c *codec) decodeInto(b []byte, v reflect.Value) error {
	if len(b) == 0 {
		return errors.New("the payload is empty")
	}
	switch b[0] {
	case codecMsgpack:
		_, err := c.read(b[1:], v)
		return err
	case codecJSON:
		return c.json(b[1:], v)
	}
	return fmt.Errorf("unknown payload format %d", b[0])
}

// decodeKnown is decode that also says whether all that is in b came to be in
// v: not if it skipped struct fields, anywhere inside, as a program does that is
// older than the one which wrote them. Of JSON it says no, for it cannot tell.
func (c *codec) decodeKnown(b []byte) (v any, complete bool, err error) {
	if len(b) == 0 || b[0] != codecMsgpack {
		v, err = c.decode(b)
		return v, false, err
	}
	p := reflect.New(c.typ).Elem()
	if complete, err = c.read(b[1:], p); err != nil {
		return nil, false, fmt.Errorf("decode %s: %w", c.typ, err)
	}
	return p.Interface(), complete, nil
}

// read decodes msgpack, and says whether it left nothing out.
func (c *codec) read(b []byte, v reflect.Value) (complete bool, err error) {
	if err := checkMsgpack(b); err != nil {
		return false, err
	}
	d := decoders.Get().(*decoder)
	d.skipped = false
	d.src.Reset(b)
	d.Reset(&d.src)
	d.SetCustomStructTag("json")
	err = c.dec(d, v)
	complete = !d.skipped
	d.src.Reset(nil)
	if cap(d.field) <= maxPooled {
		decoders.Put(d)
	}
	return complete, err
}
