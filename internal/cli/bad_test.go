package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBadInput checks the one line, the exit code, and that nothing was written.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	if r := w.start("done", "greet"); r.code != ExitOK {
		t.Fatalf("start: %+v", r)
	}
	file := filepath.Join(t.TempDir(), "guest.json")
	if err := os.WriteFile(file, []byte("{\n  \"name\": \"Ada\",\n  \"tags\": [1 2]\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	const schema = "; see the schema with: orchestrator workflows greet"
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{`start`, 2, `start: WORKFLOW is missing; usage: orchestrator start WORKFLOW [flags]`},
		{`start greet`, 2, `--input: missing, and standard input is empty; want JSON, @FILE, or - for standard input`},
		{`start greet --input -`, 1, `standard input: empty; want one JSON value`},
		{`start gret --input {"name":"Ada"}`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`start invoice --input {"name":"Ada"}`, 6, `workflow "invoice": not registered; want one of fail, gate, greet, panic`},
		{`start greet --input {}`, 1, `input $.name: missing, want string` + schema},
		{`start greet --input {"nam":"Ada"}`, 1, `input $.nam: unknown field, did you mean name?` + schema},
		{`start greet --input {"name":"Ada","colour":"red"}`, 1, `input $.colour: unknown field, want only age, born, miles, name, photo, stamps, stays, tags` + schema},
		{`start greet --input {"name":7}`, 1, `input $.name: got number 7, want string` + schema},
		{`start greet --input {"name":"Ada","age":300}`, 1, `input $.age: got 300, want 255 or less` + schema},
		{`start greet --input {"name":"Ada","age":-1}`, 1, `input $.age: got -1, want 0 or more` + schema},
		{`start greet --input {"name":"Ada","age":1.5}`, 1, `input $.age: got number 1.5, want integer` + schema},
		{`start greet --input {"name":"Ada","age":1.0}`, 1, `input $.age: got number 1.0, want integer` + schema},
		{`start greet --input {"name":"Ada","miles":1e3}`, 1, `input $.miles: got number 1e3, want integer` + schema},
		{`start greet --input {"name":"Ada","miles":9223372036854775808}`, 1,
			`input $.miles: got 9223372036854775808, want -9223372036854775808 to 9223372036854775807` + schema},
		{`start greet --input {"name":"Ada","stamps":18446744073709551616}`, 1,
			`input $.stamps: got 18446744073709551616, want 18446744073709551615 or less` + schema},
		{`start greet --input {"name":"Ada","miles":1e400}`, 1, `--input: number 1e400 is out of range; want numbers that 64 bits can hold`},
		{`start greet --input {"name":"Ada","born":"yesterday"}`, 1,
			`input $.born: got string "yesterday", want a time such as 2006-01-02T15:04:05Z` + schema},
		{`start greet --input {"name":"Ada","photo":"%"}`, 1, `input $.photo: got string "%", want bytes in base64` + schema},
		{`start greet --input {"name":"Ada","tags":["a",null]}`, 1, `input $.tags[1]: got null, want string` + schema},
		{`start greet --input {"name":"Ada","stays":[{"nights":1},{}]}`, 1, `input $.stays[1].nights: missing, want integer` + schema},
		{`start greet --input []`, 1, `input $: got array, want object` + schema},
		{`start greet --input {"name":`, 1, `--input: line 1, column 9: unexpected end of JSON input; want one JSON value`},
		{`start greet --input {}{}`, 1, `--input: line 1, column 3: invalid character '{' after top-level value; want one JSON value`},
		{`start greet --input @` + file, 1, file + `: line 3, column 14: invalid character '2' after array element; want one JSON value`},
		{`start greet --input @/nowhere`, 1, `--input=@/nowhere: no such file or directory; want a file that can be read`},
		{`start greet --input @` + filepath.Dir(file), 1, filepath.Dir(file) + `: is a directory; want a file that can be read`},
		{`start ` + strings.Repeat("x", 5000) + ` --input {}`, 6,
			`workflow "` + strings.Repeat("x", 255) + `…": not registered; want one of fail, gate, greet, panic`},
		{`show ` + strings.Repeat("x", 5000), 2,
			`run id "` + strings.Repeat("x", 256) + `… (5000 bytes)": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`start greet --input {"name":"Ada"} --id=`, 2, `--id "": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`start greet --input {"name":"Ada"} --id a/b`, 2, `--id "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`start greet --input {"name":"Ada"} --id done`, 7, `run "done": exists already (completed); choose another --id, or pass --if-exists return`},
		{`start greet --input {"name":"Ada"} --if-exists return`, 2, `--if-exists=return: want --id too; a fresh id never exists`},
		{`start greet --input {"name":"Ada"} --if-exists maybe`, 2, `--if-exists="maybe": want fail|return`},
		{`start greet --input {"name":"Ada"} --delay soon`, 2, `--delay="soon": want a duration such as 90s, 1h30m or 7d`},
		{`start greet --input {"name":"Ada"} --delay=-1s`, 2, `--delay=-1s: want zero or more`},
		{`show`, 2, `show: RUN is missing; usage: orchestrator show RUN [flags]`},
		{`show one two`, 2, `show: "two" is one argument too many; usage: orchestrator show RUN [flags]`},
		{`show nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`show a/b`, 2, `run id "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`items nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`errors nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`state nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`watch nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`pause nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`pause done`, 7, `run "done": is completed; pause takes a running run`},
		{`resume done`, 7, `run "done": is completed; resume takes a paused run`},
		{`cancel done`, 7, `run "done": is completed; cancel takes a running or paused run`},
		{`retry done`, 7, `run "done": is completed; retry takes a failed run`},
		{`retry`, 2, `retry: RUN is missing; name runs, or select them with --workflow, --status, --label, --older-than, --newer-than or --all`},
		{`workflows gret`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`list --status odd`, 2, `--status="odd": want some of all, active, pending, running, paused, undoing, completed, failed, cancelled`},
		{`list --limit 0`, 2, `--limit=0: want 1 to 1000`},
		{`list --workflow a/b`, 2, `--workflow "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`list --workflow gret`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`list --status runing`, 2, `--status="runing": unknown; did you mean running?`},
		{`list --label a`, 2, `--label="a": want KEY=VALUE`},
		{`list --sort age`, 2, `--sort="age": want newest|oldest`},
		{`list --older-than soon`, 2, `--older-than="soon": want a duration such as 90s, 1h30m or 7d`},
		{`list --cursor nonsense`, 1, `list runs: cursor "nonsense" is not one that a list returned`},
		{`list --watch --all`, 2, `--watch and --all: want one of them`},
		{`list --watch`, 2, `list --watch: want a terminal and a table; elsewhere use: orchestrator watch -o jsonl`},
		{`watch done --status failed`, 2, `watch: want a run, or --workflow, --status and --label for some of all runs, not both`},
		{`watch --workflow gret`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`items donee`, 6, `run "donee": not found; did you mean done?`},
		{`items done --status doing`, 2, `--status="doing": want some of ` + strings.Join(itemStatuses, ", ")},
		{`items done --status complete`, 2, `--status="complete": unknown; did you mean completed?`},
		{`items done --node frist`, 2, `--node="frist": workflow greet has no such node; did you mean first?`},
		{`items done --limit=-1`, 2, `--limit=-1: want zero or more`},
		{`history nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`history nope --follow`, 6, `run "nope": not found; see: orchestrator list`},
		{`output nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`output nope --wait`, 6, `run "nope": not found; see: orchestrator list`},
		{`graph --run nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`graph gret`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`queues --interval=-1s`, 2, `--interval=-1s: want zero or more`},
		{`queues --watch --interval 1ms`, 2, `--interval=1ms: want 1s or more with --watch`},
		{`queues --watch`, 2, `queues --watch: want a terminal and a table; elsewhere use: orchestrator queues -o jsonl`},
		{`workers now`, 2, `workers: "now" is one argument too many; usage: orchestrator workers [flags]`},
		{`list --colour`, 2, `unknown flag: --colour; see orchestrator list --help`},
		{`list all`, 2, `list: "all" is one argument too many; usage: orchestrator list [flags]`},
		{`-o xml list`, 2, `--output="xml": want table|wide|json|jsonl`},
		{`list --timeout=-1s`, 2, `--timeout=-1s: want zero or more`},
		{`list --namespace a/b`, 2, `--namespace "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`lst`, 2, `command "lst": unknown; did you mean list?`},
		{`frobnicate`, 2, `command "frobnicate": unknown; see orchestrator --help`},
		{`help lst`, 2, `command "lst": unknown; did you mean list?`},
		{`help list frobnicate`, 2, `command "frobnicate": unknown; see orchestrator list --help`},
		{`completion bsh`, 2, `command "bsh": unknown; did you mean bash?`},
		{`completion bash zsh`, 2, `bash: "zsh" is one argument too many; usage: orchestrator completion bash`},
		{`demo --worker /nowhere`, 1, `demo: no worker program at /nowhere; build it with: go build -o bin/ ./cmd/... or name it with --worker`},
		{`dev --redis-port 70000`, 2, `--redis-port=70000: want 0 to 65535`},
	} {
		before := w.dump()
		r := w.run(strings.Fields(tt.args)...)
		if r.code != tt.code || r.errOut != "error: "+tt.want+"\n" || r.out != "" {
			t.Errorf("%s:\n got %d %q %q\nwant %d %q", tt.args, r.code, r.errOut, r.out, tt.code, "error: "+tt.want+"\n")
		}
		if after := w.dump(); after != before {
			t.Errorf("%s: wrote to Redis; before:\n%s\nafter:\n%s", tt.args, before, after)
		}
	}
}

// dump is all of Redis but what the worker refreshes by itself.
func (w *world) dump() string {
	var b strings.Builder
	for _, key := range w.redis.Keys() {
		if strings.Contains(key, "worker") {
			continue
		}
		b.WriteString(key + "\n")
		if fields, err := w.redis.HKeys(key); err == nil {
			for _, f := range fields {
				b.WriteString("  " + f + " " + w.redis.HGet(key, f) + "\n")
			}
		}
		if members, err := w.redis.SortedSet(key); err == nil {
			for m := range members {
				b.WriteString("  " + m + "\n")
			}
		}
		if entries, err := w.redis.Stream(key); err == nil {
			for _, e := range entries {
				b.WriteString("  " + e.ID + "\n")
			}
		}
	}
	return b.String()
}

// TestNewNamespace checks that looking leaves no trace in an empty Redis.
func TestNewNamespace(t *testing.T) {
	w := newWorld(t)
	before := w.dump()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"show", "nope"}, `error: run "nope": not found; see: orchestrator list` + "\n"},
		{[]string{"start", "greet", "--input", "{}"}, `error: workflow "greet": not registered, and none is; start a worker first` + "\n"},
	} {
		if r := w.run(append(tt.args, "--namespace", "new")...); r.code != ExitNotFound || r.errOut != tt.want {
			t.Errorf("%v = %d %q, want 6 %q", tt.args, r.code, r.errOut, tt.want)
		}
	}
	if after := w.dump(); after != before {
		t.Errorf("wrote to Redis; before:\n%s\nafter:\n%s", before, after)
	}
}

func TestBadEnvironment(t *testing.T) {
	t.Setenv("FLOX_TIMEOUT", "soon")
	var out, errOut bytes.Buffer
	code := Run(t.Context(), []string{"list"}, strings.NewReader(""), &out, &errOut)
	if want := "error: FLOX_TIMEOUT=\"soon\": want a duration such as 10s or 1m30s\n"; code != ExitUsage || errOut.String() != want {
		t.Errorf("Run = %d %q, want 2 %q", code, errOut.String(), want)
	}
}

func TestRedisUnreachable(t *testing.T) {
	var out, errOut bytes.Buffer
	code := Run(t.Context(), []string{"list", "--redis", "redis://127.0.0.1:1"}, strings.NewReader(""), &out, &errOut)
	got := errOut.String()
	if code != ExitError || !strings.HasPrefix(got, "error: redis at 127.0.0.1:1 cannot be reached") || strings.Count(got, "\n") != 1 {
		t.Errorf("Run = %d %q, want 1 and one line that names the address", code, got)
	}
}

// full is a disk with no room.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// TestOutputFull checks that a result which nobody gets is an error.
func TestOutputFull(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	w.start("bad", "fail")
	for _, args := range []string{
		"list", "list -o json", "list -o jsonl", "list --all", "show a", "items a", "history a", "errors bad", "state a", "output a",
		"queues --interval 0", "workers", "workflows", "graph greet", "history a --follow",
		"workflows greet", "watch a", "watch a -o json", "version", "help", "completion bash",
	} {
		var errOut strings.Builder
		code := Run(t.Context(), append([]string{"--redis", "redis://" + w.redis.Addr(), "--embedded"}, strings.Fields(args)...),
			strings.NewReader(""), full{}, &errOut)
		want := "error: standard output: no space left on device; the result is not printed in full\n"
		if code != ExitError || !strings.HasSuffix(errOut.String(), want) || strings.Count(errOut.String(), "error: ") != 1 {
			t.Errorf("%s = %d %q, want 1 and %q", args, code, errOut.String(), want)
		}
	}
}

// TestInterruptedInput checks that a first Ctrl-C ends a start that waits for
// its input.
func TestInterruptedInput(t *testing.T) {
	stdin, keyboard := io.Pipe()
	defer keyboard.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		keyboard.Write([]byte(`{"name":`))
		cancel()
	}()
	var errOut strings.Builder
	code := Run(ctx, []string{"start", "greet", "--redis", "redis://127.0.0.1:1"}, stdin, io.Discard, &errOut)
	if want := "error: standard input: interrupted; nothing was done\n"; code != ExitError || errOut.String() != want {
		t.Errorf("Run = %d %q, want 1 %q", code, errOut.String(), want)
	}
}
