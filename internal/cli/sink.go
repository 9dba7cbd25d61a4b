package cli

import (
	"fmt"
	"io"
)

// sink is standard output. It keeps its first error, so that prints need not be
// checked one by one: Run reports it at the end.
type sink struct {
	w   io.Writer
	err error
}

// Write writes unless an earlier write failed.
func (s *sink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(b)
	if err != nil {
		s.err = fmt.Errorf("standard output: %w; the result is not printed in full", bare(err))
	}
	return n, s.err
}
