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

// fanScript lets a token open a frame with nineteen branches besides itself: the history
// of the run becomes too long to be in the run alone.
const fanScript = `
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
local puts = {'f:0.1', '20|20|sum|q||0|0|0|0|', 'live', 20, 'committed', 2, 'created', 22, 't:0',
  'q|' .. ARGV[5] .. '|' .. ARGV[3] .. '|2|work|q|0|0||0.1|0||0|0|0|0|0|0|0'}
for n = 1, 19 do
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
		Group: "flox", Consumer: "w1", Count: 100, Streams: []string{at("queue:q"), ">"},
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

// index is which branch a token is.
func index(token string) string { return token[strings.LastIndexByte(token, '.')+1:] }

// plain is a token's record.
func (f *floor) plain(run, token, owner string, step int, frame string) string {
	rest := "."
	if frame != "" {
		rest = fmt.Sprintf("0|0||%s|%s||0|0|0|0|0|0|0", frame, index(token))
	}
	return fmt.Sprintf("q|%s|%s|%d|work|q|%s", f.entries[run+"/"+token], owner, step, rest)
}

// load is a load of tokens of one run together, of each what it is and who loads it
// for which consumer.
func (f *floor) load(run string, all ...[3]string) real {
	r := real{[]string{at("run:" + run), at("queue:q")}, []any{fmt.Sprint("l ", len(all)), "q"}}
	for _, one := range all {
		r.args = append(r.args, one[0], f.entries[run+"/"+one[0]], one[1], one[2])
	}
	return r
}

func (f *floor) next(run, owner string, step int) real {
	return real{[]string{at("run:" + run), at("state:" + run)}, []any{"n 0 0 1 0", "0", f.plain(run, "0", owner, step, ""), f.plain(run, "0", owner, step+1, ""),
		"work", fmt.Sprintf("%d|q|", step+1), "record", "delta", "input"}}
}

func (f *floor) end(run, owner string, step int) real {
	return real{[]string{at("run:" + run), at("queue:q"), at("history:" + run)},
		[]any{"e -1 0 0 1", "0", f.plain(run, "0", owner, step, ""), f.entries[run+"/0"], run, "record", "", "output"}}
}

// nextAlone and endAlone are next and end of a token that has made every item of its run.
func (f *floor) nextAlone(run, owner string, step int) real {
	r := f.next(run, owner, step)
	r.args = []any{fmt.Sprintf("N %d %d 0 %d 1 0", step, step+1, step), "0", r.args[2], r.args[3], "work",
		fmt.Sprintf("%d|q|%d|0|0||", step+1, step), "work", "record", "delta", "input"}
	return r
}

func (f *floor) endAlone(run, owner string, step int) real {
	r := f.end(run, owner, step)
	r.args = append([]any{fmt.Sprintf("E %d %d 0 0 0 1", step, step+1)}, append(r.args[1:5:5], "wf", "work", "record", "", "output")...)
	return r
}

// deposit leaves the results of tokens of one run together, each under its owner.
func (f *floor) deposit(run string, all ...[2]string) real {
	r := real{[]string{at("run:" + run), at("queue:q"), at("state:" + run), at("history:" + run)},
		[]any{fmt.Sprint("d ", len(all), " -1 0 1 1"), "0.1"}}
	for i, one := range all {
		r.args = append(r.args, one[0], f.plain(run, one[0], one[1], 0, "0.1"), f.entries[run+"/"+one[0]],
			index(one[0])+"|"+one[0]+".0", "record", fmt.Sprint("delta ", i), "output")
	}
	return r
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
	f.step(f.load("a", [3]string{"0", "w1-1"}), f.load("b", [3]string{"0", "w1-2", "w1"}), f.load("c", [3]string{"0", "w1-3"}))
	f.step(f.nextAlone("a", "w1-1", 0), f.nextAlone("b", "w9-9", 0), f.next("b", "w9-9", 0), f.next("c", "w1-3", 0), f.next("c", "w1-3", 0),
		f.nextAlone("c", "w1-3", 0))
	f.run(fanScript, []string{at("run:c"), at("queue:q")}, "c", "0", "w1-3", 1, f.entries["c/0"])
	f.read()
	var loads [][3]string
	var branches [][2]string
	for n := 1; n <= 19; n++ {
		token, owner := fmt.Sprint("0.1.", n), fmt.Sprint("w1-", n+3)
		loads, branches = append(loads, [3]string{token, owner, []string{"", "w1"}[n%2]}), append(branches, [2]string{token, owner})
	}
	f.answers(f.step(f.load("c", append(loads, [3]string{"0.1.1", "w9-1"}, [3]string{"0.1.2", "w9-2", "w9"})...)), 2)
	zombie, twice := [2]string{"0.1.9", "w9-9"}, branches[0]
	f.answers(f.step(f.endAlone("a", "w1-1", 1), f.deposit("c", branches[0], twice, zombie, branches[2], branches[1]), f.end("b", "w1-2", 0)), 2)
	f.answers(f.step(f.deposit("c", append(branches[3:18:18], twice)...)), 1)
	f.answers(f.step(f.end("a", "w1-1", 1), f.endAlone("a", "w1-1", 1), f.deposit("c", branches[:4]...)), 6)
}

// answers wants so many items to be refused. A script that was doctored answers what it
// may.
func (f *floor) answers(reply []any, refused int) {
	f.t.Helper()
	no := 0
	for _, v := range reply[1:] {
		if n, ok := v.(int64); ok && n == -1 {
			no++
		}
	}
	if f.old == "" && no != refused {
		f.t.Errorf("%d items were refused, want %d: %v", no, refused, reply)
	}
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
	if n := r.Counts["items of scripts"]; n != 3+3+3+6+21+7+16+6 || r.Counts["unknown scripts"] != 0 {
		t.Errorf("%d items were judged, %d scripts unknown, want 65 and none", n, r.Counts["unknown scripts"])
	}
	snap, err := checker.Read(t.Context(), checker.Namespace{Name: "n", Partitions: 1, Masters: []*redis.Client{f.rdb}})
	if err != nil {
		t.Fatal(err)
	}
	for run, want := range map[string]string{"a": "completed 2", "b": "completed 1", "c": "running 20"} {
		if r := snap.Run(run); r == nil || r.Fields["status"]+" "+r.Fields["committed"] != want {
			t.Errorf("run %s is %+v, want it %s", run, r, want)
		}
	}
}

// doctoredSteps are changes of step.lua, and the rule that must tell of each.
var doctoredSteps = []struct{ rule, old, instead string }{
	{"S3", "h[2] ~= ARGV[at + 2]", "not h[2]"},
	{"S3", "h[2] ~= record or (h[3] or '0') ~= what.before", "not h[2]"},
	{"S3", "h[7 + i] == ARGV[b + 1]", "h[7 + i]"},
	{"S3", "not left[ARGV[b]]", "true"},
	{"S3", "taken[ARGV[b]] or", ""},
	{"S4", "local puts, p = {t, ARGV[at + 3], i, ARGV[at + 8]", "committed = h[4] and committed or 2 local puts, p = {t, ARGV[at + 3], i, ARGV[at + 8]"},
	{"S2", "int(before + 1)", "before"},
	{"S4", "int(committed + x - 1)", "int(committed + x)"},
	{"S4", "int(committed + x - 1)", "int(committed)"},
	{"S1", "if what.delta and", "if what.delta then call('RPUSH', state, 'x') end if what.delta and"},
	{"S1", "int(sv + x)", "int(sv + x - 1)"},
	{"S1", "deltas[i] = ARGV[b + 5]", "deltas[1] = ARGV[b + 5]"},
	{"S9", "'live', '0', 'committed'", "'live', '1', 'committed'"},
	{"S9", "'live', int(h[2] - x)", "'live', int(h[2] - x + 1)"},
	{"S9", "int(made + 1)", "made"},
	{"S9", "records[#records + 1] = record", "records[1] = record"},
	{"S9", "FIRST[n + i - 1]", "'h:' .. (n + i)"},
	{"S9", "if n + i - 1 <= 16 then", "if n + i - 1 <= 15 then"},
	{"S11", "call('XDEL', stream, unpack(list))", "call('XDEL', stream, list[1])"},
	{"S12", "':completed', n)", "':completed', 1)"},
	{"S12", "':running', -n)", "':running', -1)"},
	{"S15", "call('HSET', run, unpack(puts, 1, p))", "call('HSET', KEYS[4], unpack(puts, 1, p))"},
	{"S15", "gone[2 * i - 1], gone[2 * i] = 't:' .. ARGV[b]", "gone[2 * i - 1], gone[2 * i] = 't:0'"},
	{"S16", "call('ZADD', KEYS[2]", "call('ZADD', KEYS[2] .. '2'"},
	{"S16", "push(state, deltas)", "push(state .. '2', deltas)"},
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
