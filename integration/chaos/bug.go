package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// binary returns the program that worker processes run: this one, or with a bug,
// one that is built with the known bugs in it.
func (o *options) binary(ctx context.Context) (path string, cleanup func(), err error) {
	if o.bug == "" {
		path, err = os.Executable()
		return path, func() {}, err
	}
	dir, err := os.MkdirTemp("", "flox-chaos-bug-")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, "chaos")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "floxbug", "-o", path, "github.com/floxrun/flox/integration/chaos")
	if said, err := cmd.CombinedOutput(); err != nil {
		cleanup()
		return "", nil, fmt.Errorf("build workers with bugs: %w: %s", err, said)
	}
	return path, cleanup, nil
}
