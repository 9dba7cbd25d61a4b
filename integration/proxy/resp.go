package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Command is one request, its arguments as they were sent. It is valid only
// during the call that it was given to.
type Command struct{ Args [][]byte }

// Name is the command's name in capitals.
func (c Command) Name() string {
	if len(c.Args) == 0 {
		return ""
	}
	return strings.ToUpper(string(c.Args[0]))
}

// Script reports whether the command runs a script.
func (c Command) Script() bool {
	name := c.Name()
	return name == "EVALSHA" || name == "EVAL"
}

// Keys returns the keys of a script; nil of any other command.
func (c Command) Keys() [][]byte {
	if !c.Script() || len(c.Args) < 3 {
		return nil
	}
	n, err := strconv.Atoi(string(c.Args[2]))
	if err != nil || n < 0 || n > len(c.Args)-3 {
		return nil
	}
	return c.Args[3 : 3+n]
}

// maxBulk bounds one string, as Redis does by default.
const maxBulk = 512 << 20

// readCommand reads a request: an array of strings, or a line of words. raw is
// what it came as.
func readCommand(r *bufio.Reader) (cmd Command, raw []byte, err error) {
	raw, err = readValue(r, nil)
	if err != nil {
		return Command{}, nil, err
	}
	if raw[0] != '*' {
		return Command{Args: bytes.Fields(raw)}, raw, nil
	}
	rest := raw
	n, rest, err := number(rest)
	if err != nil {
		return Command{}, nil, err
	}
	for range n {
		if len(rest) == 0 || rest[0] != '$' {
			return Command{}, nil, fmt.Errorf("a request's argument is %.20q, want a string", rest)
		}
		var size int
		if size, rest, err = number(rest); err != nil {
			return Command{}, nil, err
		}
		cmd.Args = append(cmd.Args, rest[:size])
		rest = rest[size+2:]
	}
	return cmd, raw, nil
}

// number reads the line that a value begins with: a kind, a number.
func number(b []byte) (int, []byte, error) {
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok {
		return 0, nil, io.ErrUnexpectedEOF
	}
	n, err := strconv.Atoi(string(line[1:]))
	return n, rest, err
}

// readValue reads one value of RESP 2 or 3 whole and appends its bytes to raw.
func readValue(r *bufio.Reader, raw []byte) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	for err == bufio.ErrBufferFull { // an error's text, or words sent by hand
		raw = append(raw, line...)
		line, err = r.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	start := len(raw)
	raw = append(raw, line...)
	if len(line) < 3 { // an empty line
		return raw, nil
	}
	kind := raw[start]
	var n int
	switch kind {
	case '$', '=', '!', '*', '~', '>', '%', '|':
		if n, err = strconv.Atoi(string(bytes.TrimSpace(raw[start+1:]))); err != nil {
			return nil, fmt.Errorf("length %.20q: %w", raw[start:], err)
		}
	default:
		return raw, nil
	}
	switch kind {
	case '$', '=', '!':
		return readBulk(r, raw, n)
	case '%':
		n *= 2
	case '|': // attributes go before a value
		n = 2*n + 1
	}
	for range n {
		if raw, err = readValue(r, raw); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// readBulk reads n bytes and their line's end; a negative n is nil.
func readBulk(r *bufio.Reader, raw []byte, n int) ([]byte, error) {
	if n < 0 {
		return raw, nil
	}
	if n > maxBulk {
		return nil, fmt.Errorf("a string of %d bytes", n)
	}
	at := len(raw)
	raw = append(raw, make([]byte, n+2)...)
	_, err := io.ReadFull(r, raw[at:])
	return raw, err
}
