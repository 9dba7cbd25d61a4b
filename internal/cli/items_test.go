package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestItems(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "items", w.ok("items", "a"), "ITEM", "0.0   first  completed  1", "0.1   last   completed  1")
	var items struct {
		Items []itemView
		More  bool
	}
	w.json(&items, "items", "a")
	if len(items.Items) != 2 || items.Items[0].Worker == "" || items.Items[0].TookMs == nil || items.More {
		t.Errorf("items -o json = %+v, want two steps with worker and time", items)
	}
	r := w.run("items", "a", "--limit", "1", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &items); err != nil || len(items.Items) != 1 || !items.More || r.errOut != "" {
		t.Errorf("items --limit 1 -o json = %+v, %v, want one, and that there is more", r, err)
	}
	if r := w.run("items", "a", "--limit", "1"); r.errOut != "more: add --limit 10, or 0 for all\n" || strings.Count(r.out, "\n") != 2 {
		t.Errorf("items --limit 1 = %+v, want one, and how to get more", r)
	}
	w.json(&items, "items", "a", "--node", "last", "--limit", "1")
	if len(items.Items) != 1 || items.Items[0].Node != "last" || items.More {
		t.Errorf("items --node last = %+v, want the one step there", items)
	}
	w.start("p", "panic")
	wantParts(t, "items of a failed run", w.ok("items", "p"), "first  failed")
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	w.json(&items, "items", "live", "--status", "in progress,waiting retry")
	if len(items.Items) != 1 || items.Items[0].Status != itemRunning || !strings.HasPrefix(items.Items[0].Worker, "tester-") {
		t.Errorf("items of a run at work = %+v, want one in progress with its worker", items)
	}
	w.ok("start", "greet", "--id", "later", "--delay", "1h", "--input", `{"name":"Ada"}`)
	wantParts(t, "items of a delayed run", w.ok("items", "later"), "first  delayed", "until ")
}

func TestItemStatuses(t *testing.T) {
	for _, tt := range []struct {
		token flox.TokenInfo
		want  string
	}{
		{flox.TokenInfo{Place: flox.PlaceQueued}, itemPending},
		{flox.TokenInfo{Place: flox.PlaceLeased}, itemRunning},
		{flox.TokenInfo{Place: flox.PlaceDelayed, Attempt: 1}, itemRetry},
		{flox.TokenInfo{Place: flox.PlaceDelayed}, itemDelayed},
		{flox.TokenInfo{Place: flox.PlaceWaiting}, itemSignal},
		{flox.TokenInfo{Place: flox.PlaceParked}, itemParked},
		{flox.TokenInfo{Place: flox.PlaceParked, Failed: true}, itemFailed},
	} {
		if got := tokenStatus(tt.token); got != tt.want {
			t.Errorf("status of %+v = %q, want %q", tt.token, got, tt.want)
		}
	}
	for outcome, want := range map[string]string{
		"next": itemCompleted, "end": itemCompleted, "answered": itemCompleted,
		"hold": itemHeld, "fallback": itemFallback, "undone": itemUndone,
	} {
		if got := stepItem(flox.StepRecord{Outcome: outcome}).Status; got != want {
			t.Errorf("status of outcome %s = %q, want %q", outcome, got, want)
		}
	}
}

func TestErrorsAndState(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "state", w.ok("state", "a"), `1        {"greeted":1}`)
	var state stateView
	w.json(&state, "state", "a")
	if state.Version != 1 || len(state.Deltas) != 1 || string(state.Deltas[0]) == "" {
		t.Errorf("state -o json = %+v, want one delta", state)
	}
	w.start("p", "panic")
	wantParts(t, "errors", w.ok("errors", "p"), "panic", "what a guest")
	var errs struct{ Errors []flox.ErrorRecord }
	w.json(&errs, "errors", "p")
	if len(errs.Errors) != 1 || errs.Errors[0].Class != flox.ClassPanic || errs.Errors[0].Stack != "" {
		t.Errorf("errors -o json = %+v, want a panic without its stack", errs.Errors)
	}
	wantParts(t, "errors --stack", w.ok("errors", "p", "--stack"), "0.0 attempt 1:\n", "goroutine ")
	w.json(&errs, "errors", "p", "--stack")
	if len(errs.Errors) != 1 || errs.Errors[0].Stack == "" {
		t.Error("errors --stack -o json has no stack")
	}
}
