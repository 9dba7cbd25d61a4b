package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/floxrun/flox/internal/demorun"
)

// TestDev runs what dev prints.
func TestDev(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, stdout := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, []string{"dev"}, strings.NewReader(""), stdout, io.Discard)
		stdout.Close()
	}()
	var env, order string
	for lines := bufio.NewScanner(out); order == "" && lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "export ") {
			env = strings.TrimPrefix(line, "export ")
		} else if strings.HasPrefix(line, program+" start order") {
			order = line
		}
	}
	go io.Copy(io.Discard, out)
	for setting := range strings.FieldsSeq(env) {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	before, input, _ := strings.Cut(order, " --input ")
	args := append(strings.Fields(before)[1:], "--input", strings.Trim(input, "'"))
	var result, errOut bytes.Buffer
	if code := Run(t.Context(), args, strings.NewReader(""), &result, &errOut); code != ExitOK {
		t.Errorf("%v = %d, %s, want 0", args, code, errOut.String())
	}
	wantParts(t, "order", result.String(), `"status":"shipped"`)
	cancel()
	if code := <-done; code != ExitOK {
		t.Errorf("dev = %d, want 0", code)
	}
}

func TestDevPortTaken(t *testing.T) {
	w := newWorld(t)
	r := w.run("dev", "--redis-port", w.redis.Port())
	want := fmt.Sprintf("error: --redis-port=%s: listen tcp %s: bind: address already in use; choose another port\n", w.redis.Port(), w.redis.Addr())
	if r.code != ExitError || r.errOut != want {
		t.Errorf("dev = %d %q, want 1 %q", r.code, r.errOut, want)
	}
}

// TestPrintDemo checks the last line and the exit code that scripts rely on.
func TestPrintDemo(t *testing.T) {
	for _, tt := range []struct {
		report demorun.Report
		code   int
		want   string
	}{
		{demorun.Report{Runs: 201, Completed: 201, Held: 3}, ExitOK, "demo: 201/201 runs completed, 0 lost, 0 duplicated\n"},
		{demorun.Report{Runs: 201, Completed: 200, Held: 3, Lost: 1, Faults: []string{"lost: x"}}, ExitError,
			"demo: 200/201 runs completed, 1 lost, 0 duplicated\n"},
		{demorun.Report{Runs: 201, Completed: 201, Held: 3, Wrong: 1, Faults: []string{"outcome is wrong"}}, ExitError,
			"demo: 201/201 runs completed, 0 lost, 0 duplicated, 1 otherwise wrong\n"},
	} {
		var out, errOut bytes.Buffer
		err := newApp(nil, &out, &errOut).printDemo(&tt.report)
		if (err == nil) != (tt.code == ExitOK) || !strings.HasSuffix(out.String(), "\n"+tt.want) {
			t.Errorf("printDemo(%+v) = %v, %q, want it to end with %q", tt.report, err, out.String(), tt.want)
		}
		wantParts(t, "faults", errOut.String(), tt.report.Faults...)
	}
}

// TestWorkerPath checks that the program named is the one that runs.
func TestWorkerPath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("worker", nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := workerPath("worker"); err != nil || !filepath.IsAbs(got) {
		t.Errorf("workerPath(%q) = %q, %v, want an absolute path: a bare name would be looked for in PATH", "worker", got, err)
	}
}

func TestCalled(t *testing.T) {
	for arg0, want := range map[string]string{"bin/orchestrator": "bin/orchestrator", "orchestrator": program, "/tmp/cli.test": program} {
		if got := called(arg0); got != want {
			t.Errorf("called(%q) = %q, want %q", arg0, got, want)
		}
	}
}
