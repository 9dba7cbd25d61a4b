package flox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// all has a field of every type that merges.
type all struct {
	Sum    Sum
	Float  SumFloat
	Max    Max[int]
	Min    Min[string]
	Last   Last[[]string]
	Fixed  Fixed[*int]
	List   List[string]
	Log    EventLog[int]
	Set    Set[int]
	Map    MapOf[string, Sum]
	Deep   MapOf[int, MapOf[string, Max[float64]]]
	Struct MapOf[string, ledger]
	Tree   MapOf[string, all]
	Own    last
}

// some makes values by chance; half of the fields are left at zero.
type some struct{ *rand.Rand }

func (r some) maybe(set func()) {
	if r.IntN(2) == 0 {
		set()
	}
}

func (r some) word() string { return string(rune('a' + r.IntN(4))) }

func (r some) all(depth int) (a all) {
	r.maybe(func() { a.Sum = Sum(r.IntN(9) - 4) })
	r.maybe(func() { a.Float = SumFloat(r.IntN(9)) / 2 }) // halves add up exactly
	r.maybe(func() { a.Max = MaxOf(r.IntN(5) - 2) })
	r.maybe(func() { a.Min = MinOf(r.word()) })
	r.maybe(func() { a.Last = LastOf([]string{r.word()}) })
	r.maybe(func() { a.Fixed = FixedOf(new(r.IntN(3))) })
	r.maybe(func() { a.List = []string{r.word()} })
	r.maybe(func() { a.Log = []int{r.IntN(3), r.IntN(3)} })
	r.maybe(func() { a.Set = SetOf(r.IntN(4), r.IntN(4)) })
	r.maybe(func() { a.Map = MapOf[string, Sum]{r.word(): Sum(r.IntN(3)), r.word(): 1} })
	r.maybe(func() {
		a.Deep = MapOf[int, MapOf[string, Max[float64]]]{r.IntN(2): {r.word(): MaxOf(r.Float64())}}
	})
	r.maybe(func() { a.Struct = MapOf[string, ledger]{r.word(): nth(r.IntN(4))} })
	r.maybe(func() { a.Own = last{r.IntN(3), r.word()} })
	if depth > 0 {
		r.maybe(func() { a.Tree = MapOf[string, all]{r.word(): r.all(depth - 1)} })
	}
	return a
}

// text shows all of v; maps in order of their keys.
func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMergeIsAMonoid(t *testing.T) {
	st := stateOf[all](t)
	r := some{rand.New(rand.NewPCG(1, 2))}
	for range 2000 {
		a, b, c := r.all(2), r.all(2), r.all(2)
		operands := text(t, []all{a, b, c})
		left, right := st.merge(st.merge(a, b), c), st.merge(a, st.merge(b, c))
		if text(t, left) != text(t, right) {
			t.Fatalf("(ab)c = %s\na(bc) = %s\nof %s", text(t, left), text(t, right), operands)
		}
		if got := st.merge(st.zero(), a); text(t, got) != text(t, a) {
			t.Fatalf("0a = %s, want %s", text(t, got), text(t, a))
		}
		if got := st.merge(a, st.zero()); text(t, got) != text(t, a) {
			t.Fatalf("a0 = %s, want %s", text(t, got), text(t, a))
		}
		if after := text(t, []all{a, b, c}); after != operands {
			t.Fatalf("merging made %s\nof %s", after, operands)
		}
	}
}

func TestStateTypesAreStored(t *testing.T) {
	st := stateOf[all](t)
	r := some{rand.New(rand.NewPCG(3, 4))}
	for range 1000 {
		want := r.all(2)
		b, err := st.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, complete, err := st.codec.decodeKnown(b)
		if err != nil || !complete || !reflect.DeepEqual(got, want) {
			t.Fatalf("came back as %s (%v, %v)\nwant %s", text(t, got), complete, err, text(t, want))
		}
		if got, err = st.decode([]byte("\x01" + text(t, want))); err != nil || text(t, got) != text(t, want) {
			t.Fatalf("as JSON came back as %s (%v)\nwant %s", text(t, got), err, text(t, want))
		}
	}
}

func TestEachKeepsItsOwn(t *testing.T) {
	st := stateOf[all](t)
	state := st.zero()
	for i, n := range []int{2, 3, 1} {
		word := fmt.Sprint("v", n)
		state = st.merge(state, all{
			Max: MaxOf(-n), Min: MinOf(word), Last: LastOf([]string{word}), Fixed: FixedOf(&n),
			Map: MapOf[string, Sum]{"n": Sum(n), word: 0}, Tree: MapOf[string, all]{"t": {Sum: Sum(i)}},
		})
	}
	want := `{"Sum":0,"Float":0,"Max":-1,"Min":"v1","Last":["v1"],"Fixed":2,"List":null,"Log":null,"Set":[],` +
		`"Map":{"n":6,"v1":0,"v2":0,"v3":0},"Deep":null,"Struct":null,` +
		`"Tree":{"t":` + text(t, all{Sum: 3}) + `},"Own":{"Seq":0,"V":""}}`
	if got := text(t, state); got != want {
		t.Errorf("state %s\nwant  %s", got, want)
	}
}

func TestUnsetIsNotZero(t *testing.T) {
	var unset Max[int]
	if v, ok := unset.Get(); ok || v != 0 || unset.String() != "unset" {
		t.Errorf("unset: Get = %v, %v, String %q, want 0, false, unset", v, ok, unset)
	}
	if got := unset.Merge(MaxOf(-1)); got != MaxOf(-1) {
		t.Errorf("unset merged with -1 = %v, want -1", got)
	}
	if v, ok := MaxOf(0).Merge(unset).Get(); !ok || v != 0 {
		t.Errorf("0 merged with unset = %v, %v, want 0, true", v, ok)
	}
	c := codecFor[Last[[]string]](t)
	for _, want := range []Last[[]string]{{}, LastOf[[]string](nil), LastOf([]string{})} {
		b, err := c.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.decode(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v came back as %#v, %v", want, got, err)
		}
	}
}

// TestMaybePayloads has what the codec must do itself: sums, times, nested ones.
func TestMaybePayloads(t *testing.T) {
	type payload struct {
		Pet  Last[animal]
		At   Fixed[time.Time]
		Deep Last[Max[int]]
		None Min[int]
	}
	at := time.Unix(1700000000, 0).UTC()
	want := payload{Pet: LastOf[animal](cat{9}), At: FixedOf(at), Deep: LastOf(Max[int]{})}
	c := codecFor[payload](t)
	b, err := c.encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.decode(b)
	if err != nil {
		t.Fatal(err)
	}
	have := got.(payload)
	have.At.value = have.At.value.UTC()
	if !reflect.DeepEqual(have, want) {
		t.Errorf("came back as %+v, want %+v", have, want)
	}
	got, err = c.decode([]byte("\x01" + `{"Pet":["cat",{"Lives":9}],"At":"2023-11-14T22:13:20Z","Deep":null,"None":null}`))
	want.Deep = Last[Max[int]]{} // null is unset
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of JSON: %+v, %v, want %+v", got, err, want)
	}
	if _, err := codecFor[Last[[]int]](t).decode([]byte("\x00\x92\x90\x90")); err == nil {
		t.Error("a list of two values was taken for one")
	}
}

// BenchmarkFold folds logs of 10,000 deltas and of a tenth of that: the ratio of
// their times is that of n log n, not of n squared.
func BenchmarkFold(b *testing.B) {
	type state struct {
		Names List[string]
		Seen  Set[int]
		ByDay MapOf[int, Sum]
		Cents Sum
	}
	st, err := newStateType(reflect.TypeFor[state](), newCodecs(nil))
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1000, 10000} {
		var deltas [][]byte
		for i := range n {
			d, err := st.encode(state{List[string]{fmt.Sprint(i)}, SetOf(i), MapOf[int, Sum]{i: 1, 0: 1}, 1})
			if err != nil {
				b.Fatal(err)
			}
			deltas = append(deltas, d)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := st.fold(st.zero(), deltas); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
