package flox

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

func TestPayloadJSON(t *testing.T) {
	type inner struct {
		A int               `json:"a"`
		B []string          `json:"b"`
		M map[int]bool      `json:"m"`
		T time.Time         `json:"t"`
		R []byte            `json:"r"`
		F float64           `json:"f"`
		X map[string]uint64 `json:"x"`
	}
	v := inner{
		A: -3, B: []string{"x", "<y>"}, M: map[int]bool{7: true}, T: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		R: []byte("raw"), F: 1.5, X: map[string]uint64{"big": math.MaxUint64},
	}
	got, err := PayloadJSON(append([]byte{codecMsgpack}, EncodeRecord(v)...))
	const want = `{"a":-3,"b":["x","\u003cy\u003e"],"m":{"7":true},"t":"2026-01-02T03:04:05.000006Z","r":"cmF3","f":1.5,"x":{"big":18446744073709551615}}`
	if err != nil || string(got) != want {
		t.Errorf("PayloadJSON = %s, %v, want %s", got, err, want)
	}
	if got, err := PayloadJSON([]byte("\x01 { \"a\" : [1, 2] } ")); err != nil || string(got) != `{"a":[1,2]}` {
		t.Errorf("PayloadJSON of JSON = %s, %v, want it compact", got, err)
	}
	if got, err := PayloadJSON(append([]byte{codecMsgpack}, EncodeRecord(math.Inf(1))...)); err != nil || string(got) != `"+Inf"` {
		t.Errorf("PayloadJSON of infinity = %s, %v, want a string", got, err)
	}
	far := time.Date(34865, 1, 2, 3, 4, 5, 0, time.UTC)
	if got, err := PayloadJSON(append([]byte{codecMsgpack}, EncodeRecord(far)...)); err != nil || string(got) != `"34865-01-02T03:04:05Z"` {
		t.Errorf("PayloadJSON of the year 34865 = %s, %v, want it as a string", got, err)
	}
}

// TestPayloadJSONKeys renders keys that a Go map cannot have.
func TestPayloadJSONKeys(t *testing.T) {
	var buf bytes.Buffer
	enc := msgpack.NewEncoder(&buf)
	buf.WriteByte(codecMsgpack)
	enc.EncodeMapLen(2)
	enc.Encode([]int{1, 2})
	enc.Encode("list")
	enc.EncodeNil()
	enc.Encode("nil")
	if got, err := PayloadJSON(buf.Bytes()); err != nil || string(got) != `{"[1,2]":"list","null":"nil"}` {
		t.Errorf("PayloadJSON = %s, %v, want keys as strings", got, err)
	}
}

func TestPayloadJSONBroken(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":       "",
		"no value":      "\x00",
		"unknown codec": "\x07\x01",
		"bomb":          "\x00\xdd\xff\xff\xff\xff",
		"two values":    "\x00\x01\x02",
		"deep":          "\x00" + strings.Repeat("\x91", maxDepth+2) + "\x01",
		"bad JSON":      "\x01{",
	} {
		if got, err := PayloadJSON([]byte(b)); err == nil {
			t.Errorf("%s: PayloadJSON = %s, want an error", name, got)
		}
	}
}
