package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

func TestOutput(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	for format, want := range map[string]string{
		"table": "{\n  \"text\": \"Hello, Ada!\"\n}\n", "wide": "{\n  \"text\": \"Hello, Ada!\"\n}\n",
		"json": "{\n  \"text\": \"Hello, Ada!\"\n}\n", "jsonl": `{"text":"Hello, Ada!"}` + "\n",
	} {
		if got := w.ok("output", "a", "-o", format); got != want {
			t.Errorf("output -o %s = %q, want %q", format, got, want)
		}
	}
	w.start("bad", "fail")
	if r := w.run("output", "bad"); r.code != ExitFailed || r.out != "" {
		t.Errorf("output of a failed run = %+v, want 3 and nothing", r)
	}
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	r := w.run("output", "live")
	if want := "error: run live: is running and has no output yet; add --wait to wait for it\n"; r.code != ExitTimeout || r.errOut != want {
		t.Errorf("output of a run at work = %+v, want 5 and %q", r, want)
	}
	w.open <- struct{}{}
	if got, want := w.ok("output", "live", "--wait", "-o", "jsonl"), `{"text":"Hello, Ada!"}`+"\n"; got != want {
		t.Errorf("output --wait = %q, want %q", got, want)
	}
	w.ok("start", "gate", "--id", "gone", "--input", `{"name":"Ada"}`)
	w.ok("cancel", "gone")
	if r := w.run("output", "gone"); r.code != ExitCancelled || r.out != "" {
		t.Errorf("output of a cancelled run = %+v, want 4 and nothing", r)
	}
}

// TestPrintOutputs checks the outputs of workflows with none and with many.
func TestPrintOutputs(t *testing.T) {
	one, two := append([]byte{1}, `{"a":1}`...), append([]byte{1}, `2`...) // JSON
	for _, tt := range []struct {
		format string
		outs   [][]byte
		asList bool
		want   string
	}{
		{"json", nil, false, "null\n"}, {"jsonl", nil, false, "null\n"},
		{"json", nil, true, "[]\n"}, {"jsonl", nil, true, ""},
		{"jsonl", [][]byte{one, two}, true, "{\"a\":1}\n2\n"},
		{"json", [][]byte{two}, true, "[\n  2\n]\n"},
	} {
		var out bytes.Buffer
		a := newApp(nil, &out, io.Discard)
		a.output.Value = tt.format
		if err := a.printOutputs(tt.outs, tt.asList); err != nil || out.String() != tt.want {
			t.Errorf("printOutputs of %d in %s as a list %v = %q, %v, want %q", len(tt.outs), tt.format, tt.asList, out.String(), err, tt.want)
		}
	}
}

// closed is a pipe that nobody reads any more, after so many bytes.
type closed struct{ left int }

func (c *closed) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		return 0, syscall.EPIPE
	}
	return len(b), nil
}

// TestOutputClosed checks that a long list ends when its reader does.
func TestOutputClosed(t *testing.T) {
	w := newWorld(t)
	for i := range 12 {
		w.ok("start", "greet", "--id", fmt.Sprint(i), "--delay", "1h", "--input", `{"name":"Ada"}`)
	}
	var errOut strings.Builder
	code := Run(t.Context(), []string{"--redis", "redis://" + w.redis.Addr(), "--embedded", "list", "--all", "--limit", "2", "-o", "jsonl"},
		strings.NewReader(""), &closed{600}, &errOut)
	want := "error: standard output: broken pipe; the result is not printed in full\n"
	if code != ExitError || errOut.String() != want {
		t.Errorf("list into a closed pipe = %d %q, want 1 %q", code, errOut.String(), want)
	}
}
