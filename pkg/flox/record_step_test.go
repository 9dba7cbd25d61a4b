package flox

import (
	"testing"
	"time"
)

func TestStepRecord(t *testing.T) {
	for _, s := range []StepRecord{
		{},
		{Item: "0.1", Node: "charge", Outcome: "next", Attempt: 1, Worker: "w-1", Duration: 1234},
		{Item: "u2.0", Node: "refund", Outcome: "undone", Attempt: 3, Worker: "w-1", Duration: -time.Hour, Undoes: "charge"},
	} {
		for name, b := range map[string][]byte{"now": EncodeStep(&s), "earlier": EncodeRecord(s)} {
			if got, err := DecodeStep(b); err != nil || got != s {
				t.Errorf("as it is encoded %s, %q = %+v, %v, want %+v", name, b, got, err, s)
			}
		}
	}
	if got, err := DecodeStep([]byte("0.1|a|next|1|w|5||of a later version|more")); err != nil || got.Duration != 5 || got.Undoes != "" {
		t.Errorf("with more fields = %+v, %v", got, err)
	}
	for _, bad := range []string{"", "0.1", "0.1|a|next|x|w|5", "0.1|a|next|1|w|", "0.1|a|next|1|w", "\x86"} {
		if got, err := DecodeStep([]byte(bad)); err == nil {
			t.Errorf("DecodeStep(%q) = %+v, want an error", bad, got)
		}
	}
}
