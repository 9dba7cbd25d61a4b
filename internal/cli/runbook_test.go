package cli

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestRunbookCommands checks that the commands which docs tell people to type at
// night exist, with their flags.
func TestRunbookCommands(t *testing.T) {
	for _, file := range []string{"runbook.md", "operations.md"} {
		text, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range regexp.MustCompile("(?m)`orchestrator ([^`]+)`|^orchestrator ([^`#|;\n]+)").FindAllStringSubmatch(string(text), -1) {
			args := strings.Fields(m[1] + m[2])
			found++
			cmd, rest, err := newApp(nil, io.Discard, io.Discard).root().Find(args)
			if err != nil {
				t.Errorf("%s: orchestrator %v: %v", file, args, err)
			} else if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: orchestrator %v: %v", file, args, err)
			}
		}
		if found < 5 {
			t.Errorf("%s: found %d commands; has its form changed?", file, found)
		}
	}
}
