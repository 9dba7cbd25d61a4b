package flox

import "testing"

func TestStateJSON(t *testing.T) {
	one := append([]byte{codecJSON}, "1"...)
	two := append([]byte{codecJSON}, "2"...)
	for want, b := range map[string][]byte{
		`1`:                      one,
		`{"ship@0.3":1}`:         encodeDelta("ship@0.3", one, ""),
		`{"run":1}`:              encodeDelta("", one, "ship@0.3"),
		`{}`:                     encodeDelta("", nil, "ship@0.3"),
		`{"run":2,"ship@0.3":1}`: encodeSnapshot(scopedSnapshot{Own: two, Scopes: map[string][]byte{"ship@0.3": one}}),
	} {
		if got, err := StateJSON(b); err != nil || string(got) != want {
			t.Errorf("StateJSON = %s, %v, want %s", got, err, want)
		}
	}
	if got, err := StateJSON([]byte{codecScoped, 0x81}); err == nil {
		t.Errorf("StateJSON of a broken delta = %s, want an error", got)
	}
}

// Who is late for the end of a nested workflow must not take its state, which is
// gone, for an empty one: it would lack what led to its own item.
func TestEndedScopeIsNotReadAsEmpty(t *testing.T) {
	st := graphOf[oldState](t).state
	same := func(scope string) string { return scope }
	one := append([]byte{codecJSON}, `{"n":1}`...)
	begun := StateLog{Deltas: [][]byte{encodeDelta("ship@0.3", one, "")}}
	for name, log := range map[string]StateLog{
		"its end":              {Deltas: [][]byte{encodeDelta("", one, "ship@0.3")}},
		"a snapshot behind it": {Snapshot: one, Folded: 2},
	} {
		parts := stateParts{}
		for i, log := range []StateLog{begun, log} {
			if err := parts.add(log, same); err != nil {
				t.Fatal(err)
			}
			if v, err := parts.fold("ship@0.3", st); (err == nil) != (i == 0) {
				t.Errorf("%s, step %d: fold = %v, %v", name, i, v, err)
			}
		}
		if _, err := parts.fold("", st); err != nil {
			t.Errorf("%s: the run's own state: %v", name, err)
		}
	}
}
