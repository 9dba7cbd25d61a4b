package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestList(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "b", "c"} {
		w.start(id, "greet")
	}
	w.start("bad", "fail")
	wantParts(t, "list", w.ok("list"), "RUN", "a    greet     completed", "bad  fail      failed")
	for _, id := range []string{"later", "held"} {
		w.ok("start", "greet", "--id", id, "--input", `{"name":"you"}`, "--delay", "1h", "--label", map[string]string{"later": "customer=7", "held": "customer=70"}[id])
	}
	w.ok("pause", "held")
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"list"}, 6},
		{[]string{"list", "--status", "failed"}, 1},
		{[]string{"list", "--status", "running"}, 0},
		{[]string{"list", "--status", "active"}, 2},
		{[]string{"list", "--status", "paused", "--limit", "1"}, 1},
		{[]string{"list", "--status", "pending"}, 1},
		{[]string{"list", "--workflow", "greet"}, 5},
		{[]string{"list", "--status", "failed,paused"}, 2},
		{[]string{"list", "--status", "failed", "--status", "pending"}, 2},
		{[]string{"list", "--label", "customer=7"}, 1},
		{[]string{"list", "--label", "customer=8"}, 0},
		{[]string{"list", "--older-than", "1d"}, 0},
		{[]string{"list", "--newer-than", "1d"}, 6},
		{[]string{"list", "--all", "--limit", "1"}, 6},
		{[]string{"list", "--all", "--status", "failed"}, 1},
	} {
		var page flox.RunPage
		w.json(&page, tt.args...)
		if page.Runs == nil || len(page.Runs) != tt.want {
			t.Errorf("%v gives %d runs, want %d", tt.args, len(page.Runs), tt.want)
		}
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		var page flox.RunPage
		r := w.run("list", "--limit", "1", "--cursor", cursor, "-o", "json")
		if err := json.Unmarshal([]byte(r.out), &page); err != nil {
			t.Fatalf("%v: %+v", err, r)
		}
		for _, run := range page.Runs {
			seen[run.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 6 {
		t.Errorf("pages of one gave %v, want 6 runs", seen)
	}
	wantParts(t, "list -o wide", w.ok("list", "-o", "wide"), "LABELS", "customer=70")
	for order, want := range map[string]string{"newest": "held later c b a bad", "oldest": "later held a b c bad"} {
		var ids []string
		for _, line := range decodeLines(t, "list", w.ok("list", "--sort", order, "-o", "jsonl")) {
			ids = append(ids, line.(map[string]any)["id"].(string))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("list --sort %s = %s, want %s", order, got, want)
		}
	}
	if r := w.run("list", "--limit", "1"); !strings.HasPrefix(r.errOut, "more: add --cursor ") {
		t.Errorf("list of a part: stderr %q, want how to go on", r.errOut)
	}
}
