package flox

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// bombs are inputs that the msgpack library alone must not be given.
var bombs = map[string][]byte{
	"array of 2^32 elements":  {0xdd, 0xff, 0xff, 0xff, 0xff},
	"map of 2^32 entries":     {0xdf, 0xff, 0xff, 0xff, 0xff},
	"array of 65535":          {0xdc, 0xff, 0xff},
	"string of 2^32 bytes":    {0xdb, 0xff, 0xff, 0xff, 0xff},
	"bytes of 2^32":           {0xc6, 0xff, 0xff, 0xff, 0xff},
	"map hidden in extension": {0xc7, 0x05, 0x01, 0xdf, 0xff, 0xff, 0xff, 0xff},
	"unused code":             {0xc1},
	"nothing":                 {},
	"nested too deep":         append(bytes.Repeat([]byte{0x91}, maxDepth+1), 0xc0),
	"nested very deep":        append(bytes.Repeat([]byte{0x91}, 1<<20), 0xc0),
	"trailing byte":           {0xc0, 0xc0},
	"truncated float":         {0xcb, 0x00},
	"bare timestamp":          {0xd7},
	"extension of one byte":   {0xd4, 0x01, 0x00},
	"extension of odd length": {0xc7, 0x09, 0xff},
}

func TestCheckMsgpackRefusesBombs(t *testing.T) {
	for name, b := range bombs {
		if err := checkMsgpack(b); err == nil {
			t.Errorf("%s: checkMsgpack(% x...) = nil, want an error", name, b[:min(len(b), 8)])
		}
	}
}

func TestCheckMsgpackAccepts(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x91}, maxDepth), 0xc0)
	if err := checkMsgpack(deep); err != nil {
		t.Errorf("depth %d: %v, want nil", maxDepth, err)
	}
	values := []any{
		nil, true, 1, -1, 1 << 40, -(1 << 40), uint64(1 << 63), 1.5, float32(1.5), "", strings.Repeat("x", 300),
		strings.Repeat("x", 1<<16), make([]byte, 300), make([]int, 20), make([]int, 1<<16), map[string]int{"a": 1},
		time.Unix(1, 0), time.Unix(1<<33, 5), time.Unix(1<<40, 5), time.Time{}, map[int]any{1: []any{"x", 2.5}},
	}
	for _, v := range values {
		b, err := msgpack.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkMsgpack(b); err != nil {
			t.Errorf("checkMsgpack(%T of % x...) = %v, want nil", v, b[:min(len(b), 8)], err)
		}
	}
}

// fuzzed has a field of every kind that is decoded in its own way.
type fuzzed struct {
	B     bool
	I     int8
	U     uint16
	F     float64
	S     string
	Raw   []byte
	List  []fuzzed
	Map   map[string]int
	Set   Set[int]
	At    time.Time
	Next  *fuzzed
	Array [2]int
	Sum   Sum
	Best  Max[int]
	Words Last[[]string]
}

func FuzzDecode(f *testing.F) {
	for _, b := range bombs {
		f.Add(b)
	}
	f.Add(EncodeRecord(fuzzed{true, -1, 2, 3.5, "s", []byte("raw"), []fuzzed{{I: 1}}, map[string]int{"k": 1},
		SetOf(1, 2), time.Unix(1, 2), &fuzzed{S: "next"}, [2]int{1, 2}, 7, MaxOf(0), LastOf([]string{"w"})}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v fuzzed
		err := DecodeRecord(b, &v)
		if checkMsgpack(b) != nil {
			if err == nil {
				t.Fatal("DecodeRecord took what checkMsgpack refuses")
			}
			return
		}
		var loose any
		_ = msgpack.Unmarshal(b, &loose) // must return, whatever it returns
		if err != nil {
			return
		}
		var again fuzzed
		if err := DecodeRecord(EncodeRecord(v), &again); err != nil {
			t.Fatalf("%+v does not come back: %v", v, err)
		}
		if again.Best != v.Best || again.Words.set != v.Words.set || again.S != v.S || again.I != v.I || !again.At.Equal(v.At) || len(again.List) != len(v.List) {
			t.Fatalf("%+v came back as %+v", v, again)
		}
	})
}
