package checker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
)

// fanScript lets a token open a frame with three branches besides itself.
const fanScript = `
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
local puts = {'f:0.1', '4|4|sum|q||0|0|0|0|', 'live', 4, 'committed', 2, 'created', 6, 't:0',
  'q|' .. ARGV[5] .. '|' .. ARGV[3] .. '|2|work|q|0|0||0.1|0||0|0|0|0|0|0|0'}
for n = 1, 3 do
  local entry = redis.call('XADD', KEYS[2], '*', 'r', ARGV[1], 't', '0.1.' .. n)
  puts[#puts + 1], puts[#puts + 2] = 't:0.1.' .. n, 'q|' .. entry .. '||0|work|q|0|0||0.1|' .. n .. '||0|0|0|0|0|0|0'
  puts[#puts + 1], puts[#puts + 2] = 'i:0.1.' .. n, 'x'
end
redis.call('HSET', KEYS[1], unpack(puts))
return 0
`

// floor is a server with the real scripts that take many items, or what a test has
// made of them, and what its queue has delivered.
type floor struct {
	followed
	old, instead string            // a change of step.lua
	entries      map[string]string // by "<run>/<token>"
}

func at(name string) string { return "flox:{n:0}:" + name }

func (f *floor) run(name string, keys []string, args ...any) []any {
	f.t.Helper()
	source := name
	if !strings.Contains(name, "\n") {
		raw, err := os.ReadFile(filepath.Join("..", "..", "pkg", "redisstore", "lua", name+".lua"))
		if err != nil {
			f.t.Fatal(err)
		}
		source = string(raw)
	}
	if name == "step" && f.old != "" {
		if !strings.Contains(source, f.old) {
			f.t.Fatalf("step.lua has no %q any more", f.old)
		}
		source = strings.ReplaceAll(source, f.old, f.instead)
	}
	reply, err := redis.NewScript(source).Run(f.t.Context(), f.rdb, keys, args...).Result()
	if err != nil {
		f.t.Fatalf("%s: %v", name, err)
	}
	all, _ := reply.([]any)
	return all
}

// read takes what is in the queue.
func (f *floor) read() {
	f.t.Helper()
	streams, err := f.rdb.XReadGroup(f.t.Context(), &redis.XReadGroupArgs{
		Group: "flox", Consumer: "w1", Count: 10, Streams: []string{at("queue:q"), ">"},
	}).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, m := range streams[0].Messages {
		f.entries[fmt.Sprint(m.Values["r"], "/", m.Values["t"])] = m.ID
	}
}

// real is one item of a step.
type real struct {
	keys []string
	args []any
}

// plain is a token's record.
func (f *floor) plain(run, token, owner string, step int, frame string) string {
	rest := "."
	if frame != "" {
		rest = fmt.Sprintf("0|0||%s|%s||0|0|0|0|0|0|0", frame, token[len(token)-1:])
	}
	return fmt.Sprintf("q|%s|%s|%d|work|q|%s", f.entries[run+"/"+token], owner, step, rest)
}

func (f *floor) load(run, token, owner, consumer string) real {
	return real{[]string{at("run:" + run), at("queue:q")}, []any{"l", token, f.entries[run+"/"+token], "q", owner, consumer}}
}

func (f *floor) next(run, owner string, step int) real {
	return real{[]string{at("run:" + run), at("state:" + run)}, []any{"n 0 0 1 0", "0", f.plain(run, "0", owner, step, ""), f.plain(run, "0", owner, step+1, ""),
		"work", fmt.Sprintf("%d|q|", step+1), "record", "delta", "input"}}
}

func (f *floor) end(run, owner string, step int) real {
	return real{[]string{at("run:" + run), at("queue:q"), at("history:" + run)},
		[]any{"e -1 0 0 1", "0", f.plain(run, "0", owner, step, ""), f.entries[run+"/0"], run, "record", "", "output"}}
}

func (f *floor) deposit(run, token, owner string) real {
	return real{[]string{at("run:" + run), at("queue:q")}, []any{"d -1 0 0 0", token, f.plain(run, token, owner, 0, "0.1"), f.entries[run+"/"+token],
		"0.1", token[len(token)-1:] + "|" + token + ".0", "record", "", "output"}}
}

func (f *floor) step(items ...real) []any {
	f.t.Helper()
	keys, args := []string{at("runs:active"), at("runs:completed"), at("stats")}, []any{at("events")}
	for _, it := range items {
		keys, args = append(keys, it.keys...), append(args, it.args...)
	}
	return f.run("step", keys, args...)
}

// play lets three runs be done together: one goes on, one ends, one fans out; a zombie
// comes, and what was sent is sent again.
func (f *floor) play() {
	f.t.Helper()
	if err := f.rdb.XGroupCreateMkStream(f.t.Context(), at("queue:q"), "flox", "0").Err(); err != nil {
		f.t.Fatal(err)
	}
	keys, args := []string{at("runs:active"), at("stats")}, []any{at("events")}
	for _, run := range []string{"a", "b", "c"} {
		keys = append(keys, at("run:"+run), at("queue:q"))
		args = append(args, run, "nonce", "wf", "f", "work", "q", 0, 0, "input", "")
	}
	for range 2 { // sent again
		f.run("starts", keys, args...)
	}
	f.read()
	f.step(f.load("a", "0", "w1-1", ""), f.load("b", "0", "w1-2", "w1"), f.load("c", "0", "w1-3", ""))
	f.step(f.next("a", "w1-1", 0), f.next("b", "w9-9", 0), f.next("c", "w1-3", 0), f.next("c", "w1-3", 0))
	f.run(fanScript, []string{at("run:c"), at("queue:q")}, "c", "0", "w1-3", 1, f.entries["c/0"])
	f.read()
	f.step(f.load("c", "0.1.1", "w1-4", ""), f.load("c", "0.1.2", "w1-5", ""), f.load("c", "0.1.3", "w1-6", ""))
	f.step(f.end("a", "w1-1", 1), f.deposit("c", "0.1.1", "w1-4"), f.end("b", "w1-2", 0), f.deposit("c", "0.1.2", "w1-5"))
	f.step(f.end("a", "w1-1", 1), f.deposit("c", "0.1.1", "w1-4"))
}

func newFloor(t *testing.T) *floor {
	return &floor{followed: follow(t), entries: map[string]string{}}
}

// TestRealStep judges what the scripts do that take many items.
func TestRealStep(t *testing.T) {
	f := newFloor(t)
	f.play()
	r := f.report()
	if r.Violations() != 0 {
		t.Errorf("%d violations:\n%s", r.Violations(), r.Details())
	}
	if n := r.Counts["items of scripts"]; n != 3+3+3+4+3+4+2 || r.Counts["unknown scripts"] != 0 {
		t.Errorf("%d items were judged, %d scripts unknown, want 22 and none", n, r.Counts["unknown scripts"])
	}
	snap, err := checker.Read(t.Context(), checker.Namespace{Name: "n", Partitions: 1, Masters: []*redis.Client{f.rdb}})
	if err != nil {
		t.Fatal(err)
	}
	for run, want := range map[string]string{"a": "completed 2", "b": "completed 1", "c": "running 4"} {
		if r := snap.Run(run); r == nil || r.Fields["status"]+" "+r.Fields["committed"] != want {
			t.Errorf("run %s is %+v, want it %s", run, r, want)
		}
	}
}

// doctoredSteps are changes of step.lua, and the rule that must tell of each.
var doctoredSteps = []struct{ rule, old, instead string }{
	{"S3", "h[2] ~= ARGV[at + 2]", "not h[2]"},
	{"S4", "local puts, p = {t, ARGV[at + 3],", "committed = h[4] and committed or 2 local puts, p = {t, ARGV[at + 3],"},
	{"S1", "if what.delta and", "if what.delta then call('RPUSH', state, 'x') end if what.delta and"},
	{"S9", "'live', format('%d', h[3] - 1)", "'live', format('%d', h[3] - 2)"},
	{"S11", "call('XDEL', stream, unpack(list))", "call('XDEL', stream, list[1])"},
	{"S12", "':completed', n)", "':completed', 1)"},
	{"S12", "':running', -n)", "':running', -1)"},
	{"S15", "call('HSET', run, unpack(puts, 1, p))", "call('HSET', KEYS[4], unpack(puts, 1, p))"},
	{"S16", "call('ZADD', KEYS[2]", "call('ZADD', KEYS[2] .. '2'"},
}

func TestDoctoredSteps(t *testing.T) {
	for n, d := range doctoredSteps {
		t.Run(fmt.Sprint(d.rule, " ", n), func(t *testing.T) {
			f := newFloor(t)
			f.old, f.instead = d.old, d.instead
			f.play()
			r := f.report()
			if _, wrong := r.Of(d.rule); wrong == 0 {
				t.Errorf("%s was not reported, but\n%s", d.rule, r.Details())
			}
		})
	}
}
