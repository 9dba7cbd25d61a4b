package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/floxrun/flox/integration/load"
)

// skew is a file of package time in programs that skewed builds: it reads by how
// many seconds the clock is wrong.
const skew = `package time

import "syscall"

var clockSkew = func() int64 {
	text, _ := syscall.Getenv("` + load.EnvClock + `")
	sign, n := int64(1), int64(0)
	for _, c := range text {
		if c == '-' {
			sign = -1
		} else {
			n = 10*n + int64(c-'0')
		}
	}
	return sign * n
}()
`

// skewed builds this program with a clock that the environment can make wrong, in
// dir. Programs in Go ask the kernel for the time by themselves: nothing that is
// put before a C library changes it. The monotonic clock stays right, as it does
// on a machine whose clock is set.
func skewed(ctx context.Context, dir, tags string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("where is Go: %w", err)
	}
	std := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(std, "time.go"))
	if err != nil {
		return "", err
	}
	const now = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {\n"
	at := strings.Index(string(source), "func Now() Time {\n"+now)
	if at < 0 {
		return "", errors.New("time.Now is not as expected in this version of Go")
	}
	changed := string(source[:at]) + strings.Replace(string(source[at:]), now, "\tsec, nsec, mono := runtimeNow()\n\tsec += clockSkew\n\tif mono == 0 {\n", 1)
	files := map[string]string{"time.go": changed, "skew.go": skew}
	replace := map[string]string{}
	for name, text := range files {
		replace[filepath.Join(std, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "skewed")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary,
		"github.com/floxrun/flox/integration/chaos")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build workers with a wrong clock: %w: %s", err, said)
	}
	return binary, nil
}
