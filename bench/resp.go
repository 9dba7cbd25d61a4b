package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// errPart says that a message is not whole yet.
var errPart = errors.New("the message is not whole")

// cutCommand takes one command, an array of bulk strings, from the front of what a
// client sends. It returns errPart if there is more to come.
func cutCommand(b []byte) (args []string, rest []byte, err error) {
	n, rest, err := cutLength(b, '*')
	if err != nil {
		return nil, b, err
	}
	for range n {
		var size int
		if size, rest, err = cutLength(rest, '$'); err != nil {
			return nil, b, err
		}
		if len(rest) < size+2 {
			return nil, b, errPart
		}
		args, rest = append(args, string(rest[:size])), rest[size+2:]
	}
	return args, rest, nil
}

// cutLength takes a line such as "*3".
func cutLength(b []byte, kind byte) (int, []byte, error) {
	line, rest, whole := bytes.Cut(b, []byte("\r\n"))
	if !whole {
		return 0, b, errPart
	}
	if len(line) < 2 || line[0] != kind {
		return 0, b, fmt.Errorf("%.40q: want a line with %c", line, kind)
	}
	n, err := strconv.Atoi(string(line[1:]))
	return n, rest, err
}

// appendLength appends a line such as "*3".
func appendLength(b []byte, kind byte, n int) []byte {
	b = strconv.AppendInt(append(b, kind), int64(n), 10)
	return append(b, "\r\n"...)
}

// appendBulk appends a bulk string.
func appendBulk(b []byte, s string) []byte {
	b = append(appendLength(b, '$', len(s)), s...)
	return append(b, "\r\n"...)
}

func appendBulks(b []byte, all []string) []byte {
	for _, s := range all {
		b = appendBulk(b, s)
	}
	return b
}

// appendCommand appends a command of these arguments.
func appendCommand(b []byte, args ...string) []byte {
	return appendBulks(appendLength(b, '*', len(args)), args)
}

// readReply reads a reply: a string, an int64, nil or a []any of these. An error of
// the server's is the error.
func readReply(r *bufio.Reader) (any, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 {
		return nil, fmt.Errorf("reply %q", line)
	}
	kind, text := line[0], string(line[1:len(line)-2])
	switch kind {
	case '+':
		return text, nil
	case '-':
		return nil, errors.New(text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return nil, err
	case kind == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case kind == '$':
		b := make([]byte, n+2)
		_, err := io.ReadFull(r, b)
		return string(b[:n]), err
	}
	all := make([]any, n)
	for i := range all {
		if all[i], err = readReply(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// skipReply reads a reply and keeps nothing of it.
func skipReply(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	switch line[0] {
	case '-':
		return errors.New(string(line[1 : len(line)-2]))
	case '+', ':':
		return nil
	}
	n := 0
	for _, c := range line[1 : len(line)-2] {
		if c == '-' {
			return nil // nil
		}
		n = n*10 + int(c-'0')
	}
	if line[0] == '$' {
		_, err := r.Discard(n + 2)
		return err
	}
	for range n {
		if err := skipReply(r); err != nil {
			return err
		}
	}
	return nil
}
