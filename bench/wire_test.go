package main

import (
	"bufio"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// filled is a template filled for some runs, as one text.
func filled(t *testing.T, args []string, sources map[string]string, runs ...claimed) (string, int) {
	t.Helper()
	made, err := makeTemplate(args, sources)
	if err != nil {
		t.Fatal(err)
	}
	b, n := made.fill(nil, runs)
	return string(b), n
}

func TestTemplate(t *testing.T) {
	call := func(run, entry string) []string {
		return []string{"EVALSHA", "abc", "1", "flox:{default:0}:run:" + run, run, "0.1", entry, "q|" + entry + "|me|" + run, "x"}
	}
	recorded := call(recordedRun, "1795435103367-0")
	one, other := claimed{bareRun(7), "1795435103999-12"}, claimed{bareRun(8), "1795435104000-0"}
	want := appendCommand(appendCommand(nil, call(one.run, one.entry)...), call(other.run, other.entry)...)
	if got, n := filled(t, recorded, nil, one, other); got != string(want) || n != 2 {
		t.Errorf("%d commands, want 2:\n%q, want\n%q", n, got, want)
	}
	if len(bareRun(0)) != len(recordedRun) {
		t.Errorf("run ids have %d and %d bytes, want the same", len(bareRun(0)), len(recordedRun))
	}
}

// TestTemplateOfMany makes one call of what a script takes at once.
func TestTemplateOfMany(t *testing.T) {
	const source = "#!lua\n-- KEYS[1] index\n-- KEYS[2...] of each item in turn: its run\n-- ARGV[1] channel\n-- ARGV[2...] of each item in turn:\n"
	sources := sourcesIn([][]string{{"PING"}, {"EVAL", source, "0"}})
	var digest string
	for digest = range sources {
		break
	}
	recorded := []string{"EVALSHA", digest, "2", "index", "run:" + recordedRun, "events", "l", "1795435103367-0"}
	want := appendCommand(nil, "EVALSHA", digest, "3", "index", "run:"+bareRun(1), "run:"+bareRun(2), "events", "l", "17-1", "l", "18-22")
	if got, n := filled(t, recorded, sources, claimed{bareRun(1), "17-1"}, claimed{bareRun(2), "18-22"}); got != string(want) || n != 1 {
		t.Errorf("%d commands, want 1:\n%q, want\n%q", n, got, want)
	}
	if _, err := makeTemplate([]string{"EVALSHA", digest, "0", "events"}, sources); err == nil {
		t.Error("a call with too few keys was taken")
	}
	if loaded := sourcesIn([][]string{{"script", "load", source}}); loaded[digest] != source {
		t.Errorf("SCRIPT LOAD gave %q", loaded)
	}
}

func TestClaimCommand(t *testing.T) {
	got := claimCommand([]string{"XREADGROUP", "GROUP", "flox", "me", "count", "3", "BLOCK", "999", "STREAMS", "q", ">"}, 64)
	want := appendCommand(nil, "XREADGROUP", "GROUP", "flox", "me", "COUNT", "64", "STREAMS", "q", ">")
	if !slices.Equal(got, want) {
		t.Errorf("the claim is %q, want %q", got, want)
	}
}

func TestCutTape(t *testing.T) {
	about := []string{"EVALSHA", "a", "run:" + recordedRun}
	end := []string{"EVALSHA", "b", recordedRun}
	claim := []string{"xreadgroup", "q"}
	tape, err := cutTape([][]string{{"PING"}, about, claim, {"EVALSHA", "other"}, end})
	if err != nil || !reflect.DeepEqual(tape.calls, [][]string{about, end}) || !slices.Equal(tape.claim, claim) {
		t.Errorf("the tape is %+v, %v", tape, err)
	}
	if _, err := cutTape([][]string{about, end}); err == nil {
		t.Error("a tape without a claim was taken")
	}
	if _, err := cutTape([][]string{claim, about}); err == nil {
		t.Error("a tape with one call was taken")
	}
}

// TestCutCommand cuts what comes in pieces of each size.
func TestCutCommand(t *testing.T) {
	whole := appendCommand(appendCommand(nil, "SET", "a\r\nb", ""), "GET", "a")
	for n := range len(whole) {
		args, rest, err := cutCommand(whole[:n])
		switch first := len(appendCommand(nil, "SET", "a\r\nb", "")); {
		case n < first && !errors.Is(err, errPart):
			t.Errorf("%d bytes: %q, %v, want errPart", n, args, err)
		case n >= first && (err != nil || !slices.Equal(args, []string{"SET", "a\r\nb", ""}) || len(rest) != n-first):
			t.Errorf("%d bytes: %q, %d left, %v", n, args, len(rest), err)
		}
	}
	if _, _, err := cutCommand([]byte("PING\r\n")); err == nil || errors.Is(err, errPart) {
		t.Errorf("an inline command: %v, want an error", err)
	}
}

func TestReplies(t *testing.T) {
	const text = "*3\r\n$1\r\na\r\n:7\r\n*2\r\n$-1\r\n+OK\r\n"
	for range 2 { // what is skipped ends where what is read does
		r := bufio.NewReader(strings.NewReader(text + text + "-ERR no\r\n" + "-ERR no\r\n"))
		if err := skipReply(r); err != nil {
			t.Fatal(err)
		}
		got, err := readReply(r)
		if want := []any{"a", int64(7), []any{nil, "OK"}}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("reply = %v, %v, want %v", got, err, want)
		}
		if err := skipReply(r); err == nil || err.Error() != "ERR no" {
			t.Errorf("a skipped error is %v", err)
		}
		if _, err := readReply(r); err == nil || err.Error() != "ERR no" {
			t.Errorf("an error is %v", err)
		}
	}
}

func TestEntries(t *testing.T) {
	reply := []any{[]any{"queue", []any{
		[]any{"1-0", []any{"r", bareRun(3), "t", "0"}},
		[]any{"1-1", []any{"rt", bareRun(4) + "|0"}},
	}}}
	got, err := entries(reply)
	if want := []claimed{{bareRun(3), "1-0"}, {bareRun(4), "1-1"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("entries = %v, %v, want %v", got, err, want)
	}
	if got, err := entries(nil); err != nil || got != nil {
		t.Errorf("entries of nothing = %v, %v", got, err)
	}
	if _, err := entries([]any{[]any{"q", []any{[]any{"1-0", []any{"r", "another"}}}}}); err == nil {
		t.Error("an entry of no run was taken")
	}
}
