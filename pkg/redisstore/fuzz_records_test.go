package redisstore

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// FuzzToken gives every reader of token records any text.
func FuzzToken(f *testing.F) {
	f.Add("q|1-1|w-1|3|node|queue|0|0||0.0|1||0|0|0|0|0|0|0")
	f.Add("q|1-1||0|node|queue|.")
	f.Add("w|||3|node|queue|1|2|FR|0.0|1|0.1|2|1|2|0|1|1700000000000|5|1600000000000|signal|scope|more|")
	f.Add("d|||-1|node|queue|x|" + strings.Repeat("9", 30) + "|||||||||||||")
	f.Add(strings.Repeat("|", tokenFields-1))
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		whole, err := parseToken(raw)
		if (err == nil) != (len(tokenParts(raw)) >= tokenFields) {
			t.Fatalf("parseToken(%q) = %v", raw, err)
		}
		any, err2 := parseAny(raw) // must take all
		if err == nil && (err2 != nil || any != whole) {
			t.Fatalf("parseAny(%q) = %+v, %v, want %+v", raw, any, err2, whole)
		}
		if err == nil {
			_ = plausible(raw)
		}
		info := whole.info("0")
		if _, err := json.Marshal(info); err != nil {
			t.Fatalf("%q cannot be shown: %v", raw, err)
		}
		if info.Place == flox.PlaceLeased && info.Owner == "" {
			t.Fatalf("%q is leased by nobody", raw)
		}
		_, _ = json.Marshal(any.info("0"))
	})
}

// FuzzStamped gives every reader of stored records any text. What can be read is
// stored again and read as it was, and can be exported.
func FuzzStamped(f *testing.F) {
	at := time.UnixMilli(1700000000000)
	for _, v := range []any{
		flox.StepRecord{Item: "0.1", Node: "a", Duration: time.Second},
		flox.ErrorRecord{Item: "0.1", Node: "a", Message: "no \xff", Class: flox.ClassPanic},
		flox.WorkflowInfo{Name: "w", Graph: []byte(`{"a":1}`), Schema: []byte("{"), Deadline: time.Hour},
		flox.WorkerInfo{ID: "w", Queues: []string{"q"}},
	} {
		f.Add("1700000000000|" + string(flox.EncodeRecord(v)))
	}
	f.Add("1700000000000|" + string(flox.EncodeStep(&flox.StepRecord{Item: "0.1", Node: "a", Attempt: 1, Duration: time.Second})))
	f.Add("1|\xdd\xff\xff\xff\xff")
	f.Add("9223372036854775807|\x80")
	f.Add("-1|\x80")
	f.Add("|\x80")
	f.Add("1")
	f.Fuzz(func(t *testing.T, raw string) {
		stamped[flox.StepRecord](t, raw, at, exportedStep)
		if step, err := decodeStep(raw); err == nil {
			if again, err := decodeStep("1|" + string(flox.EncodeStep(&step))); err == nil {
				_, err = json.Marshal(exportedStep(again))
				if err != nil {
					t.Fatalf("%+v cannot be exported: %v", again, err)
				}
			}
		}
		stamped[flox.ErrorRecord](t, raw, at, func(e flox.ErrorRecord) any { return e })
		stamped[flox.WorkflowInfo](t, raw, at, exportedWorkflow)
		stamped[flox.WorkerInfo](t, raw, at, func(w flox.WorkerInfo) any { return w })
		stamped[flox.Branch](t, raw, at, func(b flox.Branch) any { return b })
		_, _ = flox.DecodeBranches([]byte(raw))
		_ = stateElement(0, raw)
		_ = stepElement(0, raw)
		_ = payloadElement("u1", raw)
		_ = payloadElement("0", raw)
	})
}

func stamped[T any](t *testing.T, raw string, now time.Time, shown func(T) any) {
	t.Helper()
	var v, again T
	if _, err := decodeStamped(raw, &v); err != nil {
		return
	}
	stored := "1700000000000|" + string(flox.EncodeRecord(v))
	at, err := decodeStamped(stored, &again)
	if err != nil || !at.Equal(now) || string(flox.EncodeRecord(again)) != string(flox.EncodeRecord(v)) && !reflect.DeepEqual(v, again) {
		t.Fatalf("%+v came back as %+v at %v, %v", v, again, at, err)
	}
	if _, err := json.Marshal(shown(v)); err != nil {
		t.Fatalf("%+v cannot be exported: %v", v, err)
	}
}

// FuzzDeposits gives the reader of a join's deposits any texts.
func FuzzDeposits(f *testing.F) {
	f.Add("1|0.1.2.0|\x00\x01", "0|0.0|\x00\x02", "0|0|")
	f.Add("x|0.1|", "-1|a|b|c", "||")
	f.Add("1|0.1", "", "2|h-1.2|p")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		payloads, items, err := sortDeposits([]any{a, b, c})
		if err != nil {
			return
		}
		again, itemsAgain, err := sortDeposits([]any{c, a, b})
		if err != nil || len(payloads) != 3 || len(items) != 3 || len(again) != 3 {
			t.Fatalf("deposits %q, %q, %q: %q %q, then %q %v", a, b, c, payloads, items, again, err)
		}
		tied := false // what has the same index and token keeps no order
		for i := range items {
			tied = tied || items[i] != itemsAgain[i]
		}
		if !tied && len(distinct(items)) == 3 && !reflect.DeepEqual(payloads, again) {
			t.Fatalf("deposits %q, %q, %q come in the order %q and %q", a, b, c, payloads, again)
		}
	})
}

// FuzzReplies gives the readers of what scripts answer arrays that no script
// answers: they err or go on, and never take an unknown number for an answer.
func FuzzReplies(f *testing.F) {
	f.Add(int64(0), "running", int64(12), uint8(24), uint16(0))
	f.Add(int64(-1), "queue", int64(-1), uint8(2), uint16(0xffff))
	f.Add(int64(99), "", int64(1)<<62, uint8(0), uint16(0x5555))
	f.Fuzz(func(t *testing.T, code int64, s string, n int64, size uint8, kinds uint16) {
		r := make([]any, size%32)
		for i := range r {
			switch kinds >> (i % 8 * 2) & 3 {
			case 0:
				r[i] = n
			case 1:
				r[i] = s
			case 2:
				r[i] = []any{s, n, nil}
			}
		}
		if len(r) > 0 {
			r[0] = code
		}
		result, err := commitResult(r)
		if known := code >= 0 && code < int64(len(verdicts)) || len(r) == 0; known != (err == nil) {
			t.Fatalf("commitResult(%v) = %+v, %v", r, result, err)
		}
		_ = loadedItem(r)
		_ = readReply(r)
		store := &Store{}
		if len(r) > 0 {
			_ = store.ended("run", any(r))
		}
		if got := tokenReads(partition{"p:"}, r); len(got) > len(r) {
			t.Fatalf("%d timers are read with %d commands", len(r), len(got))
		}
		for i := range r {
			_, _, _ = integer(r, i), text(r, i), blob(r, i)
		}
	})
}
