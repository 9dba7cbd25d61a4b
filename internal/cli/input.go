package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// readInput returns the JSON of a flag, such as --input: its value, the file it
// names behind an @, or standard input for "-" and, unless that is a terminal,
// for no flag at all.
func (a *app) readInput(ctx context.Context, flag, value string, given bool) ([]byte, error) {
	what, from := flag, io.Reader(strings.NewReader(value))
	switch path, isFile := strings.CutPrefix(value, "@"); {
	case !given && isTerminal(a.stdin):
		return nil, flags.Usagef("%s: missing; %s", flag, wantInput)
	case !given, value == "-":
		what, from = "standard input", a.stdin
	case isFile:
		f, err := openFile(ctx, flag+"="+value, path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		what, from = path, f
	}
	b, err := readAll(ctx, io.LimitReader(from, flox.DefaultMaxPayload+1))
	switch {
	case err != nil:
		return nil, unread(ctx, what, err)
	case len(b) == 0 && !given:
		return nil, flags.Usagef("%s: missing, and standard input is empty; %s", flag, wantInput)
	}
	b = bytes.TrimPrefix(b, byteOrderMark)
	return b, checkInput(what, b)
}

// byteOrderMark is what some editors put before the first byte of a file.
var byteOrderMark = []byte("\xef\xbb\xbf")

// checkInput checks that b is one JSON value that a run can be given.
func checkInput(what string, b []byte) error {
	if len(b) > flox.DefaultMaxPayload {
		return tooLong(what)
	}
	return checkSyntax(what, b, func(line, column int) string {
		return fmt.Sprintf("%s: line %d, column %d", what, line, column)
	})
}

// checkLine is checkInput for one line of a file, which where names.
func checkLine(where string, b []byte) error {
	if len(b) > flox.DefaultMaxPayload {
		return tooLong(where)
	}
	return checkSyntax(where, b, func(_, column int) string { return fmt.Sprintf("%s, column %d", where, column) })
}

func tooLong(what string) error {
	return fmt.Errorf("%s: more than %d bytes; pass large data by reference", what, flox.DefaultMaxPayload)
}

// readAll is io.ReadAll until ctx ends.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	return orEnd(ctx, func() ([]byte, error) { return io.ReadAll(r) })
}

// openFile opens the file that a flag names, until ctx ends: a named pipe is open
// once it has a writer.
func openFile(ctx context.Context, flag, path string) (*os.File, error) {
	f, err := orEnd(ctx, func() (*os.File, error) { return os.Open(path) })
	if err != nil {
		return nil, unread(ctx, flag, err)
	}
	return f, nil
}

// unread says why a file was not read.
func unread(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: interrupted; nothing was done", what)
	}
	return fmt.Errorf("%s: %w; want a file that can be read", what, bare(err))
}

// orEnd returns what do does, or ctx's error when that ends. Nothing interrupts a
// read of a terminal, so that one is left behind: the program ends now.
func orEnd[T any](ctx context.Context, do func() (T, error)) (got T, err error) {
	var done T
	var failed error
	end := make(chan struct{})
	go func() {
		defer close(end)
		done, failed = do()
	}()
	select {
	case <-end:
		return done, failed
	case <-ctx.Done():
		return got, ctx.Err()
	}
}

const wantInput = "want JSON, @FILE, or - for standard input"

// bare is the cause of an error about a file, without the operation and path.
func bare(err error) error {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return file.Err
	}
	return err
}

// checkSyntax names, with at, the place where b stops being one JSON value.
func checkSyntax(what string, b []byte, at func(line, column int) string) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return fmt.Errorf("%s: empty; want one JSON value", what)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%s: not UTF-8; want one JSON value", what)
	}
	var v any
	err := json.Unmarshal(b, &v)
	if err == nil {
		return nil
	}
	if number, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: %s is out of range; want numbers that 64 bits can hold", what, number.Value)
	}
	bad, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	read := int(bad.Offset)
	if strings.HasPrefix(bad.Error(), "unexpected end") {
		read++ // what is wrong comes behind the last byte
	}
	return fmt.Errorf("%s: %s; want one JSON value", at(place(b, read)), bad)
}

// place turns the number of bytes read until an error into a line and column.
func place(b []byte, read int) (line, column int) {
	before := b[:max(0, min(read-1, len(b)))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}
