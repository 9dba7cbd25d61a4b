package model

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "note the scripts as they are: the model has their rules")

// unmodelled are the scripts without a rule, and why.
var unmodelled = map[string]string{
	"pending":  "finds entries: reclaim looks again at each",
	"due":      "finds timers: promote looks again at each",
	"consumer": "deletes a consumer that has nothing pending, which no rule sees; the mutation SweepPending has it delete others",
	"errors":   "reads what was recorded",
	"history":  "reads what was recorded",
	"queue":    "measures",
	"beat":     "of workers, not of runs",
	"alive":    "of workers, not of runs",
	"leave":    "of workers, not of runs",
	"register": "of workflows, not of runs",
	"mark":     "leaves nothing",
	"rights":   "asks what the user may do, changes nothing",
	// Of the doctor: what they mend is damage that no rule does.
	"inspect": "doctor's", "recount": "doctor's", "waits": "doctor's", "lost": "doctor's", "stray": "doctor's",
	"leases": "doctor's", "restamp": "doctor's", "member": "doctor's", "timer": "doctor's", "leftover": "doctor's",
	"tally": "doctor's", "ahead": "doctor's",
}

// shortForms are the scripts that do what others do, in plain cases and for many
// items at once, and why they need no rule of their own. A script is atomic, and what
// an item does depends on its own run alone: items that are done together are the
// steps of the rules, one after the other with nothing between. What is done once for
// all of them, at the end, is what the rules do each: nobody sees the state before it.
// They are noted with the rules: who changes one looks whether it still is one.
var shortForms = map[string]string{
	"step": "load, next and end where the run is running, no frame is closed, and the token is as the caller knows it; " +
		"end neither fires a join nor fails the run. Everything else it leaves alone, which is as if it had not come: another " +
		"script is called then. Who is alone in a run need not look at what only he changes. A repeat finds another record and changes nothing, as the one after it does. Who claimed an entry just " +
		"now need not claim it again: a lease may run out at any moment",
	"starts": "start without a delay; a run that is there it leaves to start",
}

// libraries tell where the model has the rules of a shared part.
var libraries = map[string]string{
	"lib/base":     "no rule",
	"lib/branches": "commit_fan.go",
	"lib/closed":   "frames.go",
	"lib/fence":    "fence.go",
	"lib/finish":   "finish.go",
	"lib/frame":    "frames.go",
	"lib/hold":     "counts what is held, which decides nothing",
	"lib/journal":  "finish.go",
	"lib/late":     "frames.go",
	"lib/status":   "finish.go",
	"lib/token":    "token.go",
	"lib/upon":     "late.go",
	"lib/visit":    "finish.go",
	"lib/wait":     "token.go",
}

const luaFolder = "../../lua"

func luaFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.lua", "lib/*.lua"} {
		files, err := filepath.Glob(filepath.Join(luaFolder, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no scripts at %s: %v", pattern, err)
		}
		for _, f := range files {
			name, err := filepath.Rel(luaFolder, strings.TrimSuffix(f, ".lua"))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, filepath.ToSlash(name))
		}
	}
	return names
}

// TestEveryScript wants each script to have a rule, or a reason why not.
func TestEveryScript(t *testing.T) {
	files := luaFiles(t)
	modelled := scriptNames[:scripts]
	for _, name := range files {
		has, why := slices.Contains(modelled, name), unmodelled[name]+libraries[name]+shortForms[name]
		if has == (why != "") {
			t.Errorf("%s.lua: want it to be a rule of the model, or in the list of those that are none", name)
		}
	}
	for _, name := range modelled {
		if !slices.Contains(files, name) {
			t.Errorf("rule %s is no script", name)
		}
	}
	for _, list := range []map[string]string{unmodelled, shortForms} {
		for name := range list {
			if !slices.Contains(files, name) {
				t.Errorf("%s.lua is in the list, and is no script", name)
			}
		}
	}
}

var (
	comments = regexp.MustCompile(`(?m)(^|[ \t])--.*$`)
	spaces   = regexp.MustCompile(`\s+`)
)

// TestModelFirst fails when a script has changed since somebody said that the model
// has its rules. Comments and line breaks do not count.
func TestModelFirst(t *testing.T) {
	const noted = "testdata/scripts.txt"
	var b strings.Builder
	for _, name := range luaFiles(t) {
		if unmodelled[name] != "" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(luaFolder, name+".lua"))
		if err != nil {
			t.Fatal(err)
		}
		rules := spaces.ReplaceAllString(comments.ReplaceAllString(string(raw), ""), " ")
		fmt.Fprintf(&b, "%x %s\n", sha256.Sum256([]byte(rules)), name)
	}
	if *update {
		if err := os.WriteFile(noted, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(noted)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(string(want), line) {
			t.Errorf("%s.lua has changed: change its rule in the model first, see that nothing breaks, then run this with -update",
				strings.Fields(line)[1])
		}
	}
}
