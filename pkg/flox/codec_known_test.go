package flox

import "testing"

// Two versions of a state; the newer one knows more, deep inside.
type (
	innerOld struct{ A int }
	innerNew struct {
		A int
		B string
	}
	versioned[T any] struct {
		Plain  T
		List   []T
		Map    map[string]T
		Ptr    *T
		Last   Last[T]
		Events EventLog[T]
	}
)

func TestDecodeKnownTellsOfSkippedFields(t *testing.T) {
	old := codecFor[versioned[innerOld]](t)
	newer := innerNew{1, "lost"}
	for name, v := range map[string]versioned[innerNew]{
		"struct":  {Plain: newer},
		"list":    {List: []innerNew{{A: 1}, newer}},
		"map":     {Map: map[string]innerNew{"k": newer}},
		"pointer": {Ptr: &newer},
		"last":    {Last: LastOf(newer)},
		"events":  {Events: EventLog[innerNew]{newer}},
	} {
		b, err := codecFor[versioned[innerNew]](t).encode(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, complete, err := old.decodeKnown(b); err != nil || complete {
			t.Errorf("%s: decodeKnown by the older version: complete %v, %v, want false, nil", name, complete, err)
		}
		if _, complete, err := codecFor[versioned[innerNew]](t).decodeKnown(b); err != nil || !complete {
			t.Errorf("%s: decodeKnown by the same version: complete %v, %v, want true, nil", name, complete, err)
		}
	}
	b, err := codecFor[versioned[innerNew]](t).encode(versioned[innerNew]{List: []innerNew{{A: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, complete, err := old.decodeKnown(b); err != nil || !complete {
		t.Errorf("fields that are not set were not written: complete %v, %v, want true, nil", complete, err)
	}
}

func TestDecodeKnownOfOtherPayloads(t *testing.T) {
	c := codecFor[innerOld](t)
	if v, complete, err := c.decodeKnown([]byte("\x01{\"A\":1}")); err != nil || complete || v != (innerOld{1}) {
		t.Errorf("of JSON: %v, %v, %v, want {1}, false, nil", v, complete, err)
	}
	for _, bad := range []string{"", "\x00", "\x00\xc1", "\x07"} {
		if _, complete, err := c.decodeKnown([]byte(bad)); err == nil || complete {
			t.Errorf("of %q: complete %v, %v, want an error", bad, complete, err)
		}
	}
}

func TestFoldKnownTellsOfOneDelta(t *testing.T) {
	type stateOld struct{ N Sum }
	type stateNew struct{ N, M Sum }
	st, newer := stateOf[stateOld](t), stateOf[stateNew](t)
	var deltas [][]byte
	for _, d := range []stateNew{{N: 1}, {N: 1, M: 1}, {N: 1}} {
		b, err := newer.encode(d)
		if err != nil {
			t.Fatal(err)
		}
		deltas = append(deltas, b)
	}
	if v, complete, err := st.fold(st.zero(), deltas); err != nil || complete || v != (stateOld{3}) {
		t.Errorf("fold = %v, %v, %v, want {3}, false, nil", v, complete, err)
	}
	if v, complete, err := st.fold(stateOld{4}, deltas[:1]); err != nil || !complete || v != (stateOld{5}) {
		t.Errorf("fold = %v, %v, %v, want {5}, true, nil", v, complete, err)
	}
	if v, complete, err := st.fold(stateOld{4}, nil); err != nil || !complete || v != (stateOld{4}) {
		t.Errorf("fold of nothing = %v, %v, %v, want {4}, true, nil", v, complete, err)
	}
}
