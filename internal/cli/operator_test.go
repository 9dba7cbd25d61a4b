package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/pkg/flox"
)

// TestEmptyFilter checks that a shell variable which is not set selects nothing.
func TestEmptyFilter(t *testing.T) {
	y := small(t)
	for flag, want := range map[string]string{
		"--workflow=":    `--workflow "": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`,
		"--status=":      `--status: empty; want some of all, active, pending, running, paused, undoing, completed, failed, cancelled`,
		"--label=":       `--label="": want KEY=VALUE`,
		"--older-than=0": `--older-than=0s: want more than zero`,
		"--newer-than=0": `--newer-than=0s: want more than zero`,
	} {
		y.want(2, "", "error: "+want+"\n", "cancel", "--label", "shop=berlin", "--yes", flag)
		y.want(2, "", "error: "+want+"\n", "list", flag)
	}
}

// TestByteOrderMark checks that files of editors that write one are read, and
// give the ids that they give without.
func TestByteOrderMark(t *testing.T) {
	y := small(t)
	const bom = "\xef\xbb\xbf"
	y.wantIn(bom+"{\"n\":1}\r\n{\"n\":2}", 0, "started 2 runs\n", "", "start", "order", "--from", "-")
	y.wantIn("{\"n\":1}\n{\"n\":2}\n", 0, "started 0 runs, 2 there already\n", "", "start", "order", "--from", "-")
	y.wantIn(bom+`{"n":1}`, 0, "one\n", "", "start", "order", "--id", "one")
}

// TestNamedPipe checks that waiting for a writer can be interrupted.
func TestNamedPipe(t *testing.T) {
	y := small(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{{"--from=" + pipe}, {"--input=@" + pipe}} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		r := y.runIn(ctx, strings.NewReader(""), append([]string{"start", "order"}, flags...)...)
		if want := (result{1, "", "error: " + flags[0] + ": interrupted; nothing was done\n"}); r != want {
			t.Errorf("%s = %+v, want %+v", flags, r, want)
		}
	}
}

// TestUnknownStart checks that a start without an answer names the run that it may
// have made.
func TestUnknownStart(t *testing.T) {
	server := miniredis.RunT(t)
	y := newYard(t, "redis://"+server.Addr(), true)
	ctx, cancel := context.WithCancel(t.Context())
	y.st = slow{y.st, cancel}
	s := &session{st: y.st, ctl: flox.NewControl(y.st)}
	_, err := s.start(ctx, startOne{workflow: "order", id: "one", input: []byte(`{"n":1}`)})
	const want = `run "one": interrupted; it may have been started, see: orchestrator show one`
	if err == nil || err.Error() != want {
		t.Errorf("start = %v, want %s", err, want)
	}
}

// slow is a store from which no answer to a start comes.
type slow struct {
	flox.Store
	end func()
}

func (s slow) Start(ctx context.Context, req flox.StartRequest) error {
	s.end()
	return ctx.Err()
}

// TestUnconfirmedStart checks that such a start says what the store knows of why.
func TestUnconfirmedStart(t *testing.T) {
	server := miniredis.RunT(t)
	y := newYard(t, "redis://"+server.Addr(), true)
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("no answer within 4s")
	y.st = doubtful{slow{y.st, func() { cancel(late) }}}
	s := &session{st: y.st, ctl: flox.NewControl(y.st)}
	_, err := s.start(ctx, startOne{workflow: "order", id: "one", input: []byte(`{"n":1}`)})
	const want = `run "one": start: no answer within 4s (0 of 1 replicas); it may have been started, see: orchestrator show one`
	if err == nil || err.Error() != want {
		t.Errorf("start = %v, want %s", err, want)
	}
}

// doubtful is a slow store that knows why.
type doubtful struct{ slow }

func (d doubtful) Start(ctx context.Context, req flox.StartRequest) error {
	_ = d.slow.Start(ctx, req)
	return fmt.Errorf("%w (0 of 1 replicas)", context.Cause(ctx))
}

func TestClean(t *testing.T) {
	if got, want := clean("a\x1b[2J\x9bm\u202eb\u2066c\u2028d\x7fe"), "a [2J\ufffdm b c d e"; got != want {
		t.Errorf("clean = %q, want %q", got, want)
	}
}

// TestWrongTypeNamesRun checks that what cannot be read is named.
func TestWrongTypeNamesRun(t *testing.T) {
	server := miniredis.RunT(t)
	y := newYard(t, "redis://"+server.Addr(), true)
	y.wantIn(`{"n":1}`, 0, "one\n", "", "start", "order", "--id", "one")
	server.Set("flox:{default:0}:errors:one", "x")
	server.Set("flox:{default:0}:state:one", "x")
	const want = "error: run \"one\": a key of the run has a wrong type: something else wrote to flox's keys; see: orchestrator doctor\n"
	for _, what := range []string{"errors", "state", "show"} {
		y.want(1, "", want, what, "one")
	}
}

// TestMainAtClosedPipe runs this test's binary as the program: a pipe that nobody
// reads must not end it before it has done its work.
func TestMainAtClosedPipe(t *testing.T) {
	if os.Getenv("FLOX_TEST_MAIN") != "" {
		os.Args = []string{program, "pause", "one", "two", "three"}
		Main()
	}
	server := miniredis.RunT(t)
	y := newYard(t, "redis://"+server.Addr(), true)
	for _, id := range []string{"one", "two", "three"} {
		y.wantIn(`{"n":1}`, 0, id+"\n", "", "start", "order", "--id", id)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var errOut bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", t.Name())
	cmd.Env = append(os.Environ(), "FLOX_TEST_MAIN=1", "FLOX_REDIS=redis://"+server.Addr(), "FLOX_EMBEDDED=true")
	cmd.Stdout, cmd.Stderr = w, &errOut
	cmd.Run()
	const want = "error: standard output: broken pipe; the result is not printed in full\n"
	if code := cmd.ProcessState.ExitCode(); code != 1 || errOut.String() != want {
		t.Errorf("pause at a closed pipe = %d %q, want 1 %q", code, errOut.String(), want)
	}
	for _, id := range []string{"one", "two", "three"} {
		if info, err := y.ctl.Show(t.Context(), id); err != nil || info.Status != flox.StatusPaused {
			t.Errorf("%s is %v %v, want paused", id, info.Status, err)
		}
	}
}

// TestSignalErrorOnce checks that the error of a signal names it once.
func TestSignalErrorOnce(t *testing.T) {
	y := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := y.ctl.Signal(ctx, "one", "approved", []byte("1"))
	if err == nil || strings.Count(err.Error(), "signal approved to run one: ") != 1 {
		t.Errorf("Signal = %v, want it named once", err)
	}
}
