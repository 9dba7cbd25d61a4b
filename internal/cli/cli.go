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
	"unicode"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Exit codes of the program. Their meanings are in exitCodes.
const (
	ExitOK        = 0
	ExitError     = 1
	ExitUsage     = 2
	ExitFailed    = 3
	ExitCancelled = 4
	ExitTimeout   = 5
	ExitNotFound  = 6
	ExitRefused   = 7
	ExitUnhealthy = 8
)

// exitCodes says what each exit code means, in their order.
var exitCodes = []string{
	ExitOK:        "done",
	ExitError:     "error",
	ExitUsage:     "wrong command line; nothing was done",
	ExitFailed:    "the run waited for has failed",
	ExitCancelled: "the run waited for was cancelled",
	ExitTimeout:   "the run waited for has not ended in time; it goes on",
	ExitNotFound:  "there is no such run or workflow",
	ExitRefused:   "the run's status does not allow it, or the id is taken",
	ExitUnhealthy: "doctor found problems that are left",
}

const program = "orchestrator"

// exitError ends the program with a code of its own, and no word if it has no
// text.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// reported is what a command returns that has printed its errors itself.
func reported(code int) error { return &exitError{code: code} }

// explained is an error worded for people. It is what its cause is.
type explained struct {
	text  string
	cause error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.cause }

// because rewords cause; the exit code stays that of cause.
func because(cause error, format string, args ...any) error {
	return &explained{fmt.Sprintf(format, args...), cause}
}

// exitCode is the exit code that err stands for.
func exitCode(err error) int {
	if coded, ok := errors.AsType[*exitError](err); ok {
		return coded.code
	}
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, flags.ErrUsage):
		return ExitUsage
	case errors.Is(err, flox.ErrNotFound):
		return ExitNotFound
	case errors.Is(err, flox.ErrRefused), errors.Is(err, flox.ErrRunExists):
		return ExitRefused
	}
	return ExitError
}

// Main is the whole program: it executes the process's command line and exits.
// SIGINT and SIGTERM end what it does, a second one ends the process. A closed pipe
// at standard output is an error of the write, lest it ends a verb halfway.
func Main() {
	redisstore.DiscardClientLog()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
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
	if err != nil && err.Error() != "" {
		a.report(err)
	}
	return exitCode(err)
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

// clean replaces control characters, those that end lines or turn the direction of
// text too: what comes from a run must not steer the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, s)
}

// cleanLines is clean for a text of many lines.
func cleanLines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		text, end := strings.CutSuffix(line, "\n")
		b.WriteString(clean(strings.ReplaceAll(text, "\t", "    ")))
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
