package main

import (
	"bufio"
	"context"
	"log"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// TestMain lets the test's binary be the program that is killed.
func TestMain(m *testing.M) {
	if os.Getenv("CHECKPOINT_MORTAL") == "" {
		os.Exit(m.Run())
	}
	if err := run(context.Background(), stuck{}, 0); err != nil {
		log.Fatal(err)
	}
}

// stuck is a standard output that blocks when the third file is reported: that
// item is never committed.
type stuck struct{}

func (stuck) Write(b []byte) (int, error) {
	n, err := os.Stdout.Write(b)
	if strings.HasPrefix(string(b), "import 3:") {
		select {}
	}
	return n, err
}

// TestKilled kills the program at its third file, and starts it again.
func TestKilled(t *testing.T) {
	redis := miniredis.RunT(t)
	t.Setenv("FLOX_REDIS", "redis://"+redis.Addr())
	t.Setenv("FLOX_EMBEDDED", "true")

	mortal := exec.CommandContext(t.Context(), os.Args[0])
	mortal.Env = append(os.Environ(), "CHECKPOINT_MORTAL=yes")
	mortal.Stderr = os.Stderr
	said, err := mortal.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mortal.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "import 3:") {
	}
	if err := mortal.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := mortal.Wait(); err == nil || lines.Text() != "import 3: 3 of 6 files" {
		t.Fatalf("the program ended with %v after %q, want it killed at its third file", err, lines.Text())
	}

	redis.SetTime(time.Now().Add(11 * time.Second)) // the dead program's lease has run out
	var out strings.Builder
	if err := run(t.Context(), &out, 0); err != nil {
		t.Fatal(err)
	}
	const all = "6 files with 600 articles imported, each once\n"
	want := "import 3: 3 of 6 files\nimport 4: 4 of 6 files\nimport 5: 5 of 6 files\nimport 6: 6 of 6 files\n" + all
	if out.String() != want {
		t.Errorf("started again it printed\n%s\nwant\n%s", out.String(), want)
	}

	out.Reset()
	if err := run(t.Context(), &out, 0); err != nil || out.String() != all {
		t.Errorf("once more it printed %q, %v, want %q", out.String(), err, all)
	}
}
