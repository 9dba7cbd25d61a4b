// Package readme checks that the README's program does what the README says.
package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```go\n(package main.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md has no ```go block that begins with package main")
	}
	want := regexp.MustCompile(`fmt\.Println.* // (.*)`).FindSubmatch(block[1])
	if want == nil {
		t.Fatal("the program's Println has no comment that says what it prints")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, block[1], 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", file)
	out, err := cmd.CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != string(want[1]) {
		t.Errorf("the program printed %q (%v), want %q", got, err, want[1])
	}
}
