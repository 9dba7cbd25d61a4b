package flox

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vmihailenco/msgpack/v5"
)

// ark has a field of every kind of codec: sums, what may be there or not, sets,
// and types that store themselves.
type ark struct {
	everything
	Link   netip.AddrPort // shadows a URL: what is read as one may be written as none
	Max    Max[float64]
	Min    Min[string]
	Last   Last[*base]
	Fixed  Fixed[[]animal]
	Map    MapOf[string, Sum]
	Set    Set[int]
	List   List[animal]
	Deep   map[string]Last[[]Set[string]]
	Log    EventLog[arkEvent]
	Done   Done[base, animal]
	Fail   Failure[animal]
	Answer Answer[animal, *ark]
}

type arkEvent struct {
	At   time.Time
	Pets map[string]animal
	Next *arkEvent
}

// arks are values to begin with.
func arks() []ark {
	full := ark{
		everything: everything{
			base: base{ID: "i"}, Name: "n", Small: -3, Big: math.MaxUint64, F32: 1.5, F64: math.Inf(-1), Yes: true,
			Raw: []byte{0}, Bytes: [3]byte{1, 2, 3}, Words: []string{"a", "\xff"}, Empty: []string{}, Counts: map[string]int{"a": math.MinInt64},
			Nested: map[int][]base{4: {{ID: "x"}}, -1: nil}, Ptr: &base{}, At: time.Unix(1<<40, 7), For: time.Minute,
			Money: big.NewInt(-99), Cents: money{42}, Tags: SetOf("x"),
			Pet: cat{9}, Pets: []animal{&dog{"rex"}, nil, cat{}},
		},
		Link: netip.MustParseAddrPort("[fe80::1%eth0]:80"),
		Max:  MaxOf(math.NaN()), Min: MinOf(""), Last: LastOf[*base](nil), Fixed: FixedOf([]animal{cat{1}}),
		Set: SetOf(1, -2), List: List[animal]{&dog{}}, Deep: map[string]Last[[]Set[string]]{"k": LastOf([]Set[string]{nil, SetOf("s")})},
		Log:    EventLog[arkEvent]{{At: time.Unix(1, 0), Pets: map[string]animal{"p": nil}, Next: &arkEvent{}}},
		Answer: Answer[animal, *ark]{Carry: cat{2}, Payload: &ark{}, TimedOut: true},
	}
	return []ark{{}, full}
}

// alike compares values as they are stored: NaN is NaN, times are moments.
var alike = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateNaNs(),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b *big.Int) bool { return (a == nil) == (b == nil) && (a == nil || a.Cmp(b) == 0) }),
}

// FuzzPayload gives a codec of every kind any bytes: it answers with a value that
// comes back as it is, or with an error.
func FuzzPayload(f *testing.F) {
	c := codecFor[ark](f)
	for _, v := range arks() {
		b, err := c.encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	for _, b := range bombs {
		f.Add(append([]byte{codecMsgpack}, b...))
		f.Add(append([]byte("\x00\x81\xa4List"), b...))
	}
	f.Add([]byte("\x01" + `{"id":"i","small":3,"Pet":["dog",{"Name":"rex"}],"Pets":[["cat",{"Lives":7}],null],"Tags":["x"],"Max":1e300,"Last":null,` +
		`"Fixed":[["cat",{}]],"Map":{"a":1},"Answer":{"carry":["cat",{"Lives":1}],"payload":{"Deep":{"k":[["s"]]}}},"Cents":7,"Money":12}`))
	f.Add([]byte("\x01[[[[[[[[[[[[[[[["))
	f.Add([]byte("\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		given := bytes.Clone(b)
		v, err := c.decode(b)
		_, complete, known := c.decodeKnown(b)
		if (err == nil) != (known == nil) || complete && err != nil {
			t.Fatalf("decode: %v; decodeKnown: complete %v, %v: they differ", err, complete, known)
		}
		_, _ = PayloadJSON(b) // must return
		if !bytes.Equal(b, given) {
			t.Fatal("decoding changed the bytes")
		}
		if err == nil {
			comesBack(t, c, v)
		}
	})
}

// comesBack encodes a value, and decodes that.
func comesBack(t *testing.T, c *codec, v any) {
	t.Helper()
	b, err := c.encode(v)
	if err != nil {
		t.Fatalf("encode what was decoded: %v\n%+v", err, v)
	}
	again, complete, err := c.decodeKnown(b)
	if err != nil || !complete {
		t.Fatalf("decode what was encoded: %v, complete %v\n%+v", err, complete, v)
	}
	if diff := cmp.Diff(v, again, alike); diff != "" {
		t.Fatalf("came back otherwise (- before, + after):\n%s", diff)
	}
	text, err := PayloadJSON(b)
	if err != nil || !json.Valid(text) {
		t.Fatalf("PayloadJSON of what was encoded = %q, %v, want JSON", text, err)
	}
}

// FuzzBounds compares the walk with the library: what it passes is one value that
// the library reads to its last byte, and neither less nor more is.
func FuzzBounds(f *testing.F) {
	for _, b := range bombs {
		f.Add(b)
	}
	for _, v := range arks() {
		f.Add(EncodeRecord(v.Deep))
		f.Add(EncodeRecord(v.Bytes))
		f.Add(EncodeRecord(v.At))
	}
	f.Add([]byte("\x82\xa1a\xc4\x01x\xc0\x93\x01\xcb\x00\x00\x00\x00\x00\x00\x00\x00\xd9\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkMsgpack(b) != nil {
			return
		}
		read := bytes.NewReader(b)
		d := msgpack.NewDecoder(read)
		if err := d.Skip(); err != nil {
			t.Fatalf("% x passes, but the library says: %v", b, err)
		}
		if _, err := d.PeekCode(); err == nil {
			t.Fatalf("% x passes, but the library leaves bytes over", b)
		}
		for n := range min(len(b), 200) {
			if checkMsgpack(b[:n]) == nil {
				t.Fatalf("% x passes, and so do its first %d bytes", b, n)
			}
		}
		if checkMsgpack(append(bytes.Clone(b), 0)) == nil {
			t.Fatalf("% x passes with a byte behind it", b)
		}
	})
}

// FuzzStateLog gives the readers of a state log any deltas and snapshots.
func FuzzStateLog(f *testing.F) {
	st := stateOf[tallied](f)
	delta, err := st.encode(tallied{N: 2, Best: MaxOf(7), Names: List[string]{"a"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, delta, encodeDelta("nest@0.0", delta, ""))
	f.Add(encodeSnapshot(scopedSnapshot{Own: delta, Scopes: map[string][]byte{"nest@0.0": delta}}), delta, encodeDelta("", delta, "nest@0.0"))
	f.Add([]byte("\x03\x80"), []byte("\x03\xdf\xff\xff\xff\xff"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, snapshot, one, two []byte) {
		for _, b := range [][]byte{snapshot, one, two} {
			if text, err := StateJSON(b); err == nil && !json.Valid(text) {
				t.Fatalf("StateJSON(%q) = %q, want JSON or an error", b, text)
			}
		}
		same := func(scope string) string { return scope }
		whole, parted := stateParts{}, stateParts{}
		err := whole.add(StateLog{Snapshot: snapshot, Deltas: [][]byte{one, two}}, same)
		first := parted.add(StateLog{Snapshot: snapshot, Deltas: [][]byte{one}}, same)
		if err != nil {
			return
		}
		if first != nil {
			t.Fatalf("the log reads, its beginning does not: %v", first)
		}
		if _, err := parted.fold("", st); err != nil {
			return
		}
		if err := parted.add(StateLog{Deltas: [][]byte{two}}, same); err != nil {
			t.Fatalf("the log reads, its end does not: %v", err)
		}
		want, err := whole.fold("", st)
		got, err2 := parted.fold("", st)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("folded at once: %v; in two parts: %v", err, err2)
		}
		if diff := cmp.Diff(want, got, alike, cmpopts.EquateEmpty()); err == nil && diff != "" {
			t.Fatalf("folded in two parts (+) it is not what it is folded at once (-):\n%s", diff)
		}
	})
}

type tallied struct {
	N     Sum
	Best  Max[int]
	Names List[string]
	Kinds MapOf[string, Sum]
}
