package flox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// PayloadJSON renders a stored payload (an input, an output, a delta) as JSON
// without knowing its type: structs and maps as objects, bytes as base64, times
// as RFC 3339. The bytes are checked before they are decoded.
func PayloadJSON(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, errors.New("payload: empty; want a codec byte and a value")
	}
	switch b[0] {
	case codecMsgpack:
		return msgpackJSON(b[1:])
	case codecJSON:
		var buf bytes.Buffer
		if err := json.Compact(&buf, b[1:]); err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		return buf.Bytes(), nil
	}
	return nil, fmt.Errorf("payload: unknown codec %d", b[0])
}

// msgpackJSON rewrites one msgpack value as JSON.
func msgpackJSON(b []byte) ([]byte, error) {
	if err := checkMsgpack(b); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	var out bytes.Buffer
	if err := writeJSON(&out, msgpack.NewDecoder(bytes.NewReader(b))); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return out.Bytes(), nil
}

// writeJSON goes through maps and arrays itself: keys of any type are legal in
// msgpack, and a Go map could not hold all of them.
func writeJSON(out *bytes.Buffer, dec *msgpack.Decoder) error {
	code, err := dec.PeekCode()
	if err != nil {
		return err
	}
	switch {
	case msgpcode.IsFixedMap(code), code == msgpcode.Map16, code == msgpcode.Map32:
		return writeObject(out, dec)
	case msgpcode.IsFixedArray(code), code == msgpcode.Array16, code == msgpcode.Array32:
		return writeArray(out, dec)
	}
	v, err := dec.DecodeInterface()
	if err != nil {
		return err
	}
	if f, ok := float(v); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		v = fmt.Sprint(f)
	}
	if at, ok := v.(time.Time); ok { // json refuses years of more than four digits
		v = at.Format(time.RFC3339Nano)
	}
	scalar, err := json.Marshal(v)
	out.Write(scalar)
	return err
}

// float returns v if it is a number that JSON may be unable to hold.
func float(v any) (float64, bool) {
	if f, ok := v.(float32); ok {
		return float64(f), true
	}
	f, ok := v.(float64)
	return f, ok
}

func writeObject(out *bytes.Buffer, dec *msgpack.Decoder) error {
	n, err := dec.DecodeMapLen()
	if err != nil {
		return err
	}
	out.WriteByte('{')
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		var key bytes.Buffer
		if err := writeJSON(&key, dec); err != nil {
			return err
		}
		name := key.Bytes()
		if name[0] != '"' {
			if name, err = json.Marshal(key.String()); err != nil {
				return err
			}
		}
		out.Write(name)
		out.WriteByte(':')
		if err := writeJSON(out, dec); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func writeArray(out *bytes.Buffer, dec *msgpack.Decoder) error {
	n, err := dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	out.WriteByte('[')
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeJSON(out, dec); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}
