package flox

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
)

// last keeps the newest value: a type of a user's own.
type last struct {
	Seq int
	V   string
}

func (a last) Merge(b last) last {
	if b.Seq >= a.Seq {
		return b
	}
	return a
}

type ledger struct {
	Cents  Sum
	Share  SumFloat
	Log    EventLog[string]
	Names  List[string]
	Seen   Set[int]
	Last   last
	Nested struct{ Deep Sum }
}

func stateOf[S any](t testing.TB) *stateType {
	t.Helper()
	st, err := newStateType(reflect.TypeFor[S](), newCodecs(nil))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func nth(i int) ledger {
	l := ledger{Cents: Sum(i), Names: List[string]{fmt.Sprint(i)}, Seen: SetOf(i % 3), Last: last{i, fmt.Sprint("v", i)}}
	l.Nested.Deep = 1
	if i%2 == 0 {
		l.Log, l.Share = EventLog[string]{fmt.Sprint("e", i)}, 0.5
	}
	return l
}

func TestFoldIsMergeInCommitOrder(t *testing.T) {
	st := stateOf[ledger](t)
	for _, n := range []int{0, 1, 2, 3, 7, 8, 33} {
		var deltas [][]byte
		want := st.zero()
		for i := range n {
			b, err := st.encode(nth(i))
			if err != nil {
				t.Fatal(err)
			}
			deltas = append(deltas, b)
			want = st.merge(want, nth(i))
		}
		got, _, err := st.fold(st.zero(), deltas)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("fold of %d = %+v, want %+v", n, got, want)
		}
	}
}

func TestMergeModifiesNeither(t *testing.T) {
	st := stateOf[ledger](t)
	a := nth(2)
	a.Names = append(make(List[string], 0, 10), "shared") // spare capacity must not be written to
	before := fmt.Sprintf("%+v", a)
	x := st.merge(a, nth(3)).(ledger)
	y := st.merge(a, nth(4)).(ledger)
	if got := fmt.Sprintf("%+v", a); got != before {
		t.Errorf("after merges a is %s, want %s", got, before)
	}
	if !slices.Equal(x.Names, List[string]{"shared", "3"}) || !slices.Equal(y.Names, List[string]{"shared", "4"}) {
		t.Errorf("merges share memory: %v and %v", x.Names, y.Names)
	}
	if x.Cents != 5 || !maps.Equal(x.Seen, SetOf(2, 0)) || x.Nested.Deep != 2 || x.Last.V != "v3" {
		t.Errorf("merge of 2 and 3 = %+v", x)
	}
}

func TestFoldReportsBrokenDelta(t *testing.T) {
	st := stateOf[ledger](t)
	if _, _, err := st.fold(st.zero(), [][]byte{{codecMsgpack, 0x80}, {codecMsgpack, 0xc1}}); err == nil {
		t.Error("fold of a broken delta succeeded, want an error")
	}
}

func TestSetIsAnArrayInJSON(t *testing.T) {
	b, err := json.Marshal(SetOf("b", "a"))
	if err != nil || string(b) != `["a","b"]` {
		t.Fatalf("JSON %s, %v, want [\"a\",\"b\"]", b, err)
	}
	var got Set[string]
	if err := json.Unmarshal(b, &got); err != nil || !got.Has("a") || got.Has("c") || len(got) != 2 {
		t.Errorf("came back as %v, %v", got, err)
	}
}

func TestFoldEventLog(t *testing.T) {
	log := EventLog[int]{1, 2, 3}
	if got := Fold(log, "", func(s string, e int) string { return s + fmt.Sprint(e) }); got != "123" {
		t.Errorf("Fold = %q, want 123", got)
	}
	if got := slices.Collect(log.Replay()); !slices.Equal(got, log) {
		t.Errorf("Replay = %v, want %v", got, log)
	}
}
