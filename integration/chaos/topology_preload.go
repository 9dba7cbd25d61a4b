package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/floxrun/flox/internal/testredis"
)

// clockSource is a library that gives a process another clock. libfaketime does
// not go with the allocator that Redis is built with.
//
//go:embed clock/clock.c
var clockSource []byte

// clock is the Extra of a site whose server has a clock of its own.
type clock struct{ file string }

// set puts the clock so far beside this machine's.
func (c clock) set(by time.Duration) error {
	f, err := os.OpenFile(c.file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	// The server has the file mapped: it is overwritten in one piece.
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(int64(by.Seconds()))), 0)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func clockSite(ctx context.Context, cfg testredis.Config) (s *site, err error) {
	dir, err := os.MkdirTemp("", "flox-clock-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	library, c := filepath.Join(dir, "clock.so"), clock{filepath.Join(dir, "offset")}
	source := filepath.Join(dir, "clock.c")
	if err := os.WriteFile(source, clockSource, 0o600); err != nil {
		return nil, err
	}
	if said, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-O2", "-o", library, source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("a server with a clock of its own needs a C compiler, cc: %w: %s", err, said)
	}
	if err := c.set(0); err != nil {
		return nil, err
	}
	cfg.Env = append(cfg.Env, "LD_PRELOAD="+library, "FLOX_CLOCK="+c.file)
	if s, err = topologies[single](ctx, cfg); err != nil {
		return nil, err
	}
	s.Extra = c
	server := s.Stop
	s.Stop = func() {
		server()
		_ = os.RemoveAll(dir)
	}
	return s, nil
}
