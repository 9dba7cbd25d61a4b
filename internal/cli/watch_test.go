package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestWatch(t *testing.T) {
	w := newWorld(t)
	w.ok("start", "gate", "--id", "a", "--input", `{"name":"Ada"}`)
	<-w.entered
	w.open <- struct{}{}
	r := w.run("watch", "a", "-o", "json")
	var last map[string]any
	lines := 0
	for line := range strings.Lines(r.out) {
		last = nil
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		lines++
	}
	if r.code != ExitOK || lines < 2 || last["status"] != "completed" || last["outputs"] == nil {
		t.Errorf("watch -o json = %d, %d objects, the last %v, want events and the completed run", r.code, lines, last)
	}

	all := make(chan result)
	go func() { all <- w.run("watch", "--timeout", "1500ms") }()
	for done := false; !done; {
		w.start(flox.NewRunID(), "greet")
		select {
		case r = <-all:
			done = true
		default:
		}
	}
	wantParts(t, "watch", r.out, "completed")
	w.watchFiltered()
	if r.code != ExitOK {
		t.Errorf("watch of all: exit code %d, want 0", r.code)
	}
}

// watchFiltered checks that watch shows the runs of one workflow and status alone.
func (w *world) watchFiltered() {
	all := make(chan result)
	go func() {
		all <- w.run("watch", "--workflow", "fail", "--status", "failed,completed", "--timeout", "1s", "-o", "json")
	}()
	var r result
	for done := false; !done; {
		w.start(flox.NewRunID(), "greet")
		w.start(flox.NewRunID(), "fail")
		select {
		case r = <-all:
			done = true
		default:
		}
	}
	lines := decodeLines(w.t, "watch", r.out)
	for _, line := range lines {
		if event := line.(map[string]any); event["workflow"] != "fail" || event["status"] != "failed" {
			w.t.Errorf("watch --workflow fail --status failed,completed shows %v", event)
		}
	}
	if len(lines) == 0 || r.code != ExitOK {
		w.t.Errorf("watch --workflow fail = %+v, want events", r)
	}
}
