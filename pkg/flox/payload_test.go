package flox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

type animal interface{ VariantOf(animal) }
type cat struct{ Lives int }
type dog struct{ Name string }

func (cat) VariantOf(animal)  {}
func (*dog) VariantOf(animal) {}

type base struct {
	ID   string `json:"id"`
	Name string
}

type everything struct {
	base
	Name   string // shadows the embedded one
	Small  int8   `json:"small"`
	Big    uint64
	F32    float32
	F64    float64
	Yes    bool
	Raw    []byte
	Bytes  [3]byte
	Words  []string
	Empty  []string
	Counts map[string]int
	Nested map[int][]base
	Ptr    *base
	Nil    *base
	At     time.Time
	For    time.Duration
	Link   url.URL
	Money  *big.Int
	Cents  money
	Tags   Set[string]
	Pet    animal
	Pets   []animal
	Skip   string `json:"-"`
	//lint:ignore U1000 unexported: it must not be stored
	hidden int
}

// money stores itself as JSON only.
type money struct{ cents int64 }

func (m money) MarshalJSON() ([]byte, error)  { return json.Marshal(m.cents) }
func (m *money) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &m.cents) }
func everythingCodec(t testing.TB) *codec     { return codecFor[everything](t) }
func codecFor[T any](t testing.TB) *codec {
	t.Helper()
	cs := newCodecs(map[reflect.Type]*sum{reflect.TypeFor[animal](): {
		byTag: map[string]reflect.Type{"cat": reflect.TypeFor[cat](), "dog": reflect.TypeFor[*dog]()},
		tags:  map[reflect.Type]string{reflect.TypeFor[cat](): "cat", reflect.TypeFor[*dog](): "dog"},
	}})
	c, err := cs.of(reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPayloadRoundTrip(t *testing.T) {
	want := everything{
		base: base{ID: "i", Name: "inner"}, Name: "outer", Small: -3, Big: 1 << 63, F32: 1.5, F64: -2.25, Yes: true,
		Raw: []byte{0, 1}, Bytes: [3]byte{1, 2, 3}, Words: []string{"a", ""}, Empty: []string{},
		Counts: map[string]int{"a": 1, "b": -1}, Nested: map[int][]base{4: {{ID: "x"}}}, Ptr: &base{ID: "p"},
		At: time.Unix(1700000000, 123).UTC(), For: time.Minute, Link: url.URL{Scheme: "http", Host: "h"},
		Money: big.NewInt(99), Cents: money{42}, Tags: SetOf("x", "y"), Pet: cat{9}, Pets: []animal{&dog{"rex"}, nil, cat{}},
	}
	c := everythingCodec(t)
	b, err := c.encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.decode(b)
	if err != nil {
		t.Fatal(err)
	}
	have := got.(everything)
	have.At = have.At.UTC()
	want.base.Name = "" // shadowed
	if !reflect.DeepEqual(have, want) {
		t.Errorf("came back as\n%+v\nwant\n%+v", have, want)
	}
}

func TestPayloadFromJSON(t *testing.T) {
	c := codecFor[everything](t)
	text := `{"id":"i","Name":"n","small":3,"Pet":["dog",{"Name":"rex"}],"Pets":[["cat",{"Lives":7}],null],"Tags":["x"]}`
	got, err := c.decode(append([]byte{codecJSON}, text...))
	if err != nil {
		t.Fatal(err)
	}
	want := everything{
		base: base{ID: "i"}, Name: "n", Small: 3, Pet: &dog{"rex"}, Pets: []animal{cat{7}, nil}, Tags: SetOf("x"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPayloadRefuses(t *testing.T) {
	c, plain := codecFor[animal](t), codecFor[base](t)
	cases := []struct {
		name  string
		codec *codec
		in    string
		want  string
	}{
		{"nothing", plain, "", "the payload is empty"},
		{"unknown format", plain, "\x07x", "unknown payload format 7"},
		{"bomb", plain, "\x00\xdd\xff\xff\xff\xff", "longer than the bytes"},
		{"trailing msgpack", plain, "\x00\x80\x80", "bytes left"},
		{"trailing JSON", plain, "\x01{} {}", "after top-level value"},
		{"wrong JSON", plain, "\x01[1]", "cannot unmarshal array"},
		{"wrong msgpack", plain, "\x00\x91\x01", "map length"},
		{"timestamp for a map", plain, "\x00\xd6\xff\xdf\xff\xff\xff", "is no map"},
		{"unknown variant", c, "\x00\x92\xa3cow\x80", `"cow" is not a declared variant`},
		{"variant without value", c, "\x00\x91\xa3cat", "want [variant, value]"},
		{"variant as plain JSON", c, `` + "\x01" + `{"Lives":1}`, "cannot unmarshal object"},
		{"unknown variant in JSON", c, "\x01" + `["cow",{}]`, `want a flox.animal as ["Variant", value]`},
		{"too large a number", codecFor[int8](t), "\x00\xcd\x01\x00", "256 does not fit int8"},
		{"negative for unsigned", codecFor[uint8](t), "\x00\xff", "does not fit uint8"},
		{"array of another length", codecFor[[2]int](t), "\x00\x91\x01", "1 elements do not fit [2]int"},
	}
	for _, tc := range cases {
		_, err := tc.codec.decode([]byte(tc.in))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: decode error %v, want one with %q", tc.name, err, tc.want)
		}
	}
}

// A length alone costs little, however large the elements are.
func TestLengthsAreNotTrusted(t *testing.T) {
	type page struct{ Bytes [1 << 16]uint8 }
	const n = 1 << 17
	body := bytes.Repeat([]byte{0xc3}, 2*n) // no page is a boolean
	for name, head := range map[string][]byte{"list": {0, 0xdd, 0, 2, 0, 0}, "map": {0, 0xdf, 0, 1, 0, 0}} {
		c := codecFor[[]page](t)
		if name == "map" {
			c = codecFor[map[bool]page](t)
		}
		b := append(head, body[:n]...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := c.decode(b); err == nil {
			t.Errorf("%s: decode of %d booleans = nil, want an error", name, n)
		}
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; made > 64<<20 {
			t.Errorf("%s: decode of %d bytes made %d bytes, want few", name, len(b), made)
		}
	}
}

func TestEncodeStopsAtCycles(t *testing.T) {
	type loop struct{ Next *loop }
	l := &loop{}
	l.Next = l
	if _, err := codecFor[loop](t).encode(*l); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("encode of a value that contains itself: %v, want an error about depth", err)
	}
	if _, err := codecFor[animal](t).encode(undeclared{}); err == nil || !strings.Contains(err.Error(), "not among the declared") {
		t.Errorf("encode of an undeclared variant: %v, want an error", err)
	}
}

type undeclared struct{}

func (undeclared) VariantOf(animal) {}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	type now struct {
		A int
		B map[string]string
	}
	type before struct{ A int }
	var got before
	if err := DecodeRecord(EncodeRecord(now{1, map[string]string{"k": "v"}}), &got); err != nil || got.A != 1 {
		t.Errorf("got %+v, %v, want {1}, nil", got, err)
	}
}

func TestRecordsAreReadable(t *testing.T) {
	got := string(EncodeRecord(Branch{Node: "price", Input: []byte("x")}))
	if want := "\x82\xa1n\xa5price\xa1i\xc4\x01x"; got != want {
		t.Errorf("EncodeRecord = %q, want %q", got, want)
	}
}

func TestBranchesInChunks(t *testing.T) {
	for _, n := range []int{0, 1, ReleaseChunk, ReleaseChunk + 1, 3 * ReleaseChunk} {
		want := make([]Branch, n)
		for i := range want {
			want[i] = Branch{Node: fmt.Sprint(i), Queue: "q", Input: []byte{byte(i)}}
		}
		blobs := EncodeBranches(want)
		if chunks := (n + ReleaseChunk - 1) / ReleaseChunk; len(blobs) != chunks {
			t.Errorf("%d branches in %d blobs, want %d", n, len(blobs), chunks)
		}
		got := []Branch{}
		for _, blob := range blobs {
			part, err := DecodeBranches(blob)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d branches came back as %d others", n, len(got))
		}
	}
}

func BenchmarkCodec(b *testing.B) {
	c := codecFor[Branch](b)
	v := Branch{Node: "price", Queue: "order", Input: make([]byte, 100)}
	for b.Loop() {
		p, err := c.encode(v)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.decode(p); err != nil {
			b.Fatal(err)
		}
	}
}
