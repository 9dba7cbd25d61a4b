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
