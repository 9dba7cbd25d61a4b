package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// readInput returns a run's input: the value of --input, the file it names
// behind an @, or standard input for "-" and, unless that is a terminal, for no
// flag at all.
func (a *app) readInput(value string, given bool) ([]byte, error) {
	what, from := "--input", io.Reader(strings.NewReader(value))
	switch path, isFile := strings.CutPrefix(value, "@"); {
	case !given && isTerminal(a.stdin):
		return nil, flags.Usagef("--input: missing; want JSON, @FILE, or - for standard input")
	case !given, value == "-":
		what, from = "standard input", a.stdin
	case isFile:
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--input=%s: %w; want a file that can be read", value, errors.Unwrap(err))
		}
		defer f.Close()
		what, from = path, f
	}
	b, err := io.ReadAll(io.LimitReader(from, flox.DefaultMaxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(b) > flox.DefaultMaxPayload {
		return nil, fmt.Errorf("%s: more than %d bytes; pass large data by reference", what, flox.DefaultMaxPayload)
	}
	return b, checkSyntax(what, b)
}

// checkSyntax names the place where b stops being one JSON value.
func checkSyntax(what string, b []byte) error {
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
	bad, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	read := int(bad.Offset)
	if strings.HasPrefix(bad.Error(), "unexpected end") {
		read++ // what is wrong comes behind the last byte
	}
	line, column := place(b, read)
	return fmt.Errorf("%s: line %d, column %d: %s; want one JSON value", what, line, column, bad)
}

// place turns the number of bytes read until an error into a line and column.
func place(b []byte, read int) (line, column int) {
	before := b[:max(0, min(read-1, len(b)))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}
