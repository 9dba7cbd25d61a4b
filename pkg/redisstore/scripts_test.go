package redisstore

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	commentText = regexp.MustCompile(`--[^\n]*`)
	indexText   = regexp.MustCompile(`\b(KEYS|ARGV)\[(\d+)\]`)
	streamsText = regexp.MustCompile(`streams\((\d+), (\d+)\)`)
	eachText    = regexp.MustCompile(`(?m)^-- (KEYS|ARGV)\[(\d+)\.\.\.\] of each (item|run) in turn`)
	forbidden   = regexp.MustCompile(`cjson|cmsgpack|tostring|MAXLEN|MINID|'EXPIRE'`)
)

// everyScript loads all scripts, also those that no Go code names.
func everyScript(t *testing.T) map[string]*script {
	t.Helper()
	files, err := fs.Glob(luaFiles, "lua/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts = %v, %v, want some", files, err)
	}
	scripts := map[string]*script{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".lua")
		scripts[name] = mustLoad(name)
	}
	return scripts
}

// used returns the numbers that a body uses KEYS or ARGV with, sorted.
func used(body, kind string) []int {
	var numbers []int
	for _, m := range indexText.FindAllStringSubmatch(body, -1) {
		if n, _ := strconv.Atoi(m[2]); m[1] == kind && !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

func upTo(n int) []int {
	var numbers []int
	for i := range n {
		numbers = append(numbers, i+1)
	}
	return numbers
}

func TestScriptHeadersFitTheirBodies(t *testing.T) {
	for name, s := range everyScript(t) {
		body := commentText.ReplaceAllString(s.plain, "")
		keys, args := used(body, "KEYS"), used(body, "ARGV")
		each := eachText.FindAllStringSubmatch(s.plain, -1)
		if s.moreKeys && each == nil {
			// The first stream is the lease's, which scripts name themselves.
			keys = slices.DeleteFunc(keys, func(n int) bool { return n == s.keys+1 })
		}
		if !slices.Equal(keys, upTo(s.keys)) {
			t.Errorf("%s.lua uses KEYS %v, its header names 1 to %d", name, keys, s.keys)
		}
		if !slices.Equal(args, upTo(s.args)) {
			t.Errorf("%s.lua uses ARGV %v, its header names 1 to %d", name, args, s.args)
		}
		if each != nil {
			if len(each) != 2 || !s.moreKeys || !s.moreArgs || each[0][3] != each[1][3] || !strings.Contains(body, "#ARGV") {
				t.Errorf("%s.lua takes many items: its header says %v, want it to say what of KEYS and ARGV is each one's, and all of ARGV used", name, each)
			}
			continue
		}
		tail := streamsText.FindStringSubmatch(body)
		if (tail != nil) != s.moreKeys || s.moreKeys != s.moreArgs {
			t.Errorf("%s.lua: streams(...) is %v, its header repeats keys %v and arguments %v", name, tail, s.moreKeys, s.moreArgs)
		}
		if tail != nil && (tail[1] != strconv.Itoa(s.keys+1) || tail[2] != strconv.Itoa(s.args+1)) {
			t.Errorf("%s.lua: %s, want streams(%d, %d)", name, tail[0], s.keys+1, s.args+1)
		}
	}
}

func TestScriptsKeepTheRules(t *testing.T) {
	for name, s := range everyScript(t) {
		if !strings.Contains(s.source, "\n-- Returns: ") {
			t.Errorf("%s.lua has no Returns line", name)
		}
		if bad := forbidden.FindString(commentText.ReplaceAllString(s.plain, "")); bad != "" {
			t.Errorf("%s.lua uses %s", name, bad)
		}
		want := "#!lua flags=allow-oom\n"
		switch name {
		case "start", "starts", "signal": // they alone need memory that no commit gives back
			want = "#!lua\n"
		case "alive", "queue", "history": // what is read of a server that takes no writes, too
			want = "#!lua flags=no-writes\n"
		}
		if !strings.HasPrefix(s.source, want) {
			t.Errorf("%s.lua does not begin with %q", name, want)
		}
		if strings.Contains(s.plain, "#!") {
			t.Errorf("%s.lua keeps its first line when it is stripped", name)
		}
	}
}

func TestCallsFitTheHeader(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a call with too few keys did not panic")
		}
	}()
	scriptNext.check(3, 14)
}
