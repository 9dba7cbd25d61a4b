package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Exit codes of the program.
const (
	ExitOK        = 0
	ExitError     = 1
	ExitUsage     = 2
	ExitFailed    = 3 // the run waited for failed
	ExitCancelled = 4 // it was cancelled
	ExitTimeout   = 5 // it has not ended in time
)

const program = "orchestrator"

// exitError ends the program with a code of its own.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// errReported is what a command returns that has printed its errors itself.
var errReported = errors.New("reported")

// Main is the whole program: it executes the process's command line and exits.
// SIGINT and SIGTERM end what it does, a second one ends the process.
func Main() {
	redisstore.DiscardClientLog()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Run executes one command line, without the program's name, and returns the
// exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := newApp(stdin, stdout, stderr)
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.stdout.err
	}
	if err == nil {
		return ExitOK
	}
	if !errors.Is(err, errReported) {
		a.report(err)
	}
	if coded, ok := errors.AsType[*exitError](err); ok {
		return coded.code
	}
	if errors.Is(err, flags.ErrUsage) {
		return ExitUsage
	}
	return ExitError
}

// report prints an error as one line.
func (a *app) report(err error) {
	fmt.Fprintf(a.stderr, "error: %s\n", oneLine(err.Error()))
}

// oneLine makes s fit for one line of a terminal.
func oneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return clean(strings.Join(parts, "; "))
}

// clean replaces control characters: what comes from a run must not steer the
// terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
