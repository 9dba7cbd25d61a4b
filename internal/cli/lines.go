package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/floxrun/flox/pkg/flox"
)

// line is one line of a file of inputs, without the white space around it.
type line struct {
	number int
	text   []byte
}

// lineReader reads a file line by line and none of it ahead of need.
type lineReader struct {
	name string
	r    io.Reader
	size int64 // of the file in bytes; 0 if nobody knows
	read atomic.Int64
	file *os.File
}

// openLines opens a file, or standard input for "-".
func (a *app) openLines(ctx context.Context, path string) (*lineReader, error) {
	if path == "-" {
		return &lineReader{name: "standard input", r: a.stdin}, nil
	}
	f, err := openFile(ctx, "--from="+path, path)
	if err != nil {
		return nil, err
	}
	l := &lineReader{name: filepath.Base(path), r: f, file: f}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		l.size = info.Size()
	}
	return l, nil
}

func (l *lineReader) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// Read counts what is read.
func (l *lineReader) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	l.read.Add(int64(n))
	return n, err
}

// share is how much of the file is read, negative if nobody knows.
func (l *lineReader) share() float64 {
	if l.size == 0 {
		return -1
	}
	return float64(l.read.Load()) / float64(l.size)
}

// where names a line in errors.
func (l *lineReader) where(number int) string { return fmt.Sprintf("%s: line %d", l.name, number) }

// lines yields the lines that are not blank until ctx ends. Nothing interrupts a
// read of a terminal, so that one is left behind then: the program ends.
func (l *lineReader) lines(ctx context.Context) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		lines := make(chan line)
		failed := make(chan error, 1)
		go func() { failed <- l.scan(ctx, lines) }()
		for {
			select {
			case <-ctx.Done():
				return
			case next := <-lines:
				if !yield(next, nil) {
					return
				}
			case err := <-failed:
				if err != nil {
					yield(line{}, err)
				}
				return
			}
		}
	}
}

// scan sends the lines.
func (l *lineReader) scan(ctx context.Context, lines chan<- line) error {
	s := bufio.NewScanner(l)
	s.Buffer(nil, flox.DefaultMaxPayload+len("\r\n")+1)
	number := 0
	for s.Scan() {
		number++
		text := s.Bytes()
		if number == 1 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		select {
		case lines <- line{number, bytes.Clone(text)}:
		case <-ctx.Done():
			return nil
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return &lineError{tooLong(l.where(number + 1))}
	case err != nil:
		return fmt.Errorf("%s: %w; want a file that can be read", l.where(number+1), bare(err))
	}
	return nil
}
