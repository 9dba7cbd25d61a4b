package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

// FuzzScripts calls scripts with any arguments, one after the other, on a small
// namespace: with names and numbers where the call layer sends such, with leases
// that hold and others, on records that may have been damaged. No script fails, and
// none writes to a key that it was not given. The bytes choose; on miniredis.
func FuzzScripts(f *testing.F) {
	for seed := range 8 {
		b := make([]byte, 64)
		for i := range b {
			b[i] = byte(seed*31 + i*(seed+7))
		}
		f.Add(b)
	}
	server := sync.OnceValue(func() *redis.Client {
		m := miniredis.NewMiniRedis()
		if err := m.Start(); err != nil {
			f.Fatal(err)
		}
		return redis.NewClient(&redis.Options{Addr: m.Addr(), Protocol: 2, DisableIdentity: true})
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		var seed [32]byte
		copy(seed[:], b)
		newMonkey(t, server(), true, rand.New(rand.NewChaCha8(seed))).play(min(len(b), 48))
	})
}

// TestScriptsTakeAnyArguments is the same on a real server.
func TestScriptsTakeAnyArguments(t *testing.T) {
	c := testredis.Start(t).Client()
	defer c.Close()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			newMonkey(t, c, false, rand.New(rand.NewPCG(seed, 1))).play(400)
		})
	}
}

var argLine = regexp.MustCompile(`(?m)^-- (KEYS|ARGV)\[(\d+)(\.\.\.)?\] (.*)$`)

// A description of a number, as the headers have them.
var numberText = regexp.MustCompile(`\bms\b|version|how many|number of|^most |attempt|step|^1 |how long|how lately`)

// monkey calls scripts without knowing what they are for.
type monkey struct {
	t        *testing.T
	c        *redis.Client
	embedded bool
	r        *rand.Rand
	p        partition
	k        keyspace
	scripts  map[string]*script
	names    []string
}

func newMonkey(t *testing.T, c *redis.Client, embedded bool, r *rand.Rand) *monkey {
	t.Helper()
	k := newKeyspace("ns", 1)
	m := &monkey{t: t, c: c, embedded: embedded, r: r, k: k, p: k.parts[0], scripts: everyScript(t)}
	for name, x := range m.scripts {
		if eachText.MatchString(x.plain) {
			continue // see step and starts
		}
		m.names = append(m.names, name)
	}
	slices.Sort(m.names)
	return m
}

var (
	monkeyQueues = []string{"q", "q2"}
	monkeyRuns   = []string{"a", "b", "c"}
	monkeyTokens = []string{"0", "0.0.1", "0.1.2", "0.0.j", "u1", "r1", "h-abc"}
)

func (m *monkey) do(args ...any) any {
	m.t.Helper()
	v, err := m.c.Do(context.Background(), args...).Result()
	if err != nil && err != redis.Nil {
		m.t.Fatalf("%v: %v", args, err)
	}
	return v
}

func (m *monkey) play(calls int) {
	m.t.Helper()
	for i := range calls {
		if i%monkeyPart == 0 {
			m.reset()
		}
		switch n := m.r.IntN(20); {
		case n == 0 && i%monkeyPart > monkeyPart/2:
			m.damage()
		case n < 3:
			m.call("start", m.lease())
		case n < 4:
			m.starts()
		case n < 12:
			m.work()
		case n < 14:
			m.step()
		default:
			m.call(pick(m.r, m.names), m.lease())
		}
	}
}

// monkeyPart is after how many calls everything begins anew: what was damaged or
// lost takes no part any more.
const monkeyPart = 40

func (m *monkey) reset() {
	m.do("FLUSHALL")
	for _, q := range monkeyQueues {
		m.do("XGROUP", "CREATE", m.p.queue(q), group, "0", "MKSTREAM")
	}
	if m.r.IntN(2) == 0 {
		m.framed()
	}
}

// work takes a token as a worker does, and commits something.
func (m *monkey) work() {
	l := m.lease()
	m.do("XREADGROUP", "GROUP", group, "w", "COUNT", 2, "STREAMS", m.p.queue(l.queue), ">")
	m.call("load", l)
	l.owner = "o"
	if m.r.IntN(3) == 0 {
		m.step()
		return
	}
	m.call(pick(m.r, []string{"next", "later", "await", "end", "close", "fan", "fan", "retry", "fail", "handback", "release"}), l)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// damage overwrites a field of a run, or the middle of one.
func (m *monkey) damage() {
	key := m.p.run(pick(m.r, monkeyRuns))
	fields, _ := m.do("HKEYS", key).([]any)
	if len(fields) == 0 {
		return
	}
	slices.SortFunc(fields, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	field := pick(m.r, fields).(string)
	old, _ := m.do("HGET", key, field).(string)
	text := pick(m.r, []string{"", "x", "|", "-1", "1e400", "nan", "0x10", strings.Repeat("9", 40), strings.Repeat("|", 30)})
	if at := m.r.IntN(len(old) + 1); m.r.IntN(2) == 0 {
		text = old[:at] + text
	}
	m.do("HSET", key, field, text)
}

var entryText = regexp.MustCompile(`^[0-9]{1,15}-[0-9]{1,5}$`)

// monkeyLease is what a token's record says now.
type monkeyLease struct{ run, token, queue, entry, owner, step string }

func (m *monkey) lease() monkeyLease {
	token := pick(m.r, monkeyTokens)
	if m.r.IntN(3) > 0 {
		token = "0"
	}
	return m.leaseOf(pick(m.r, monkeyRuns), token)
}

func (m *monkey) leaseOf(run, token string) monkeyLease {
	l := monkeyLease{run, token, pick(m.r, monkeyQueues), "1-1", "o", "0"}
	raw, _ := m.do("HGET", m.p.run(l.run), "t:"+l.token).(string)
	if t, err := parseToken(raw); err == nil && m.r.IntN(10) > 0 {
		l.owner, l.step = cmp.Or(t.owner, "o"), strconv.Itoa(t.step)
		if entryText.MatchString(t.entry) { // what a server gives is of this form
			l.entry = t.entry
		}
		if slices.Contains(monkeyQueues, t.queue) {
			l.queue = t.queue
		}
	}
	return l
}

// call calls a script once, and again with each queue that it asks for.
func (m *monkey) call(name string, l monkeyLease) {
	m.t.Helper()
	x := m.scripts[name]
	var keys, args, tail []string
	more := ""
	for _, h := range argLine.FindAllStringSubmatch(x.plain, -1) {
		switch {
		case h[1] == "KEYS" && h[3] == "":
			keys = append(keys, m.key(h[4], l))
		case h[1] == "ARGV" && h[3] == "":
			args = append(args, m.arg(h[4], l))
		case h[1] == "ARGV":
			more = x.plain[strings.Index(x.plain, h[0]):]
		}
	}
	queues := []string{l.queue}
	if x.moreArgs {
		tail = m.rest(more)
	}
	for {
		allKeys, allArgs := slices.Clone(keys), slices.Clone(args)
		if x.moreKeys {
			for _, q := range queues {
				allKeys, allArgs = append(allKeys, m.p.queue(q)), append(allArgs, q)
			}
		}
		r := list(m.eval(x, allKeys, append(allArgs, tail...)))
		if !x.moreKeys || integer(r, 0) != needQueue || slices.Contains(queues, text(r, 1)) || len(queues) > 5 {
			return
		}
		queues = append(queues, text(r, 1))
	}
}

func (m *monkey) eval(x *script, keys, args []string) any {
	m.t.Helper()
	source := x.source
	if m.embedded {
		source = x.plain
	}
	call := []any{"EVAL", source, len(keys)}
	for _, s := range slices.Concat(keys, args) {
		call = append(call, s)
	}
	before := m.dump()
	reply, err := m.c.Do(context.Background(), call...).Result()
	if err != nil && err != redis.Nil && !strings.HasPrefix(err.Error(), "NOGROUP") {
		m.t.Fatalf("%s.lua with keys %q and arguments %q: %v\nthe run: %s", x.name, keys, args, err, before[keys[0]])
	}
	after := m.dump()
	for key := range after {
		if after[key] != before[key] && !slices.Contains(keys, key) {
			m.t.Fatalf("%s.lua with keys %q and arguments %q wrote to %s:\n%s\nthen\n%s", x.name, keys, args, key, before[key], after[key])
		}
	}
	for key := range before {
		if after[key] == "" && !slices.Contains(keys, key) {
			m.t.Fatalf("%s.lua with keys %q and arguments %q removed %s", x.name, keys, args, key)
		}
	}
	return reply
}

// key is the key of a description in a header.
func (m *monkey) key(what string, l monkeyLease) string {
	switch {
	case strings.HasPrefix(what, "the run"), what == "the key":
		return m.p.run(l.run)
	case what == "its state log":
		return m.p.state(l.run)
	case what == "its history":
		return m.p.history(l.run)
	case what == "its errors":
		return m.p.errors(l.run)
	case strings.HasPrefix(what, "stream"):
		return m.p.queue(l.queue)
	case what == "timers":
		return m.p.delayed()
	case what == "counts by workflow and status":
		return m.p.stats()
	case what == "runs with work left":
		return m.p.todo()
	case what == "index", strings.HasPrefix(what, "index of the runs"):
		return m.p.active()
	case strings.HasPrefix(what, "index of the "):
		return m.p.index(strings.Fields(what)[3])
	case what == "the worker":
		return m.k.worker("w")
	case what == "workflows":
		return m.k.workflows()
	case strings.HasPrefix(what, "workers"):
		return m.k.workers()
	case what == "a key that nothing else uses":
		return m.p.prefix + "mark"
	}
	m.t.Fatalf("a header names the key %q, which this test does not know", what)
	return ""
}

// arg is an argument of a description in a header: a number where one is, else a
// name that fits, or any bytes.
func (m *monkey) arg(what string, l monkeyLease) string {
	switch {
	case what == "run id":
		return l.run
	case what == "token":
		return l.token
	case strings.HasPrefix(what, "owner"):
		return pick(m.r, []string{l.owner, l.owner, l.owner, l.owner, "o2"})
	case what == "step":
		return l.step
	case what == "entry":
		return l.entry
	case strings.Contains(what, "consumer"):
		return "w"
	case what == "queue of the entry":
		return l.queue
	case strings.HasPrefix(what, "flags"):
		return m.flags(what)
	case strings.HasPrefix(what, "pause, resume"):
		return pick(m.r, []string{"pause", "resume", "cancel", "retry"})
	case strings.HasPrefix(what, "where to begin"):
		return "-"
	case strings.HasPrefix(what, "what would undo"):
		return "node|q|input"
	case strings.HasPrefix(what, "what the runs' keys begin"):
		return m.p.run("")
	case strings.HasPrefix(what, "channel"):
		return m.p.events()
	case strings.HasPrefix(what, "status under"):
		return pick(m.r, []string{"", "completed", "failed", "cancelled"})
	case strings.HasPrefix(what, "1 "):
		return pick(m.r, []string{"0", "1"})
	case strings.HasPrefix(what, "type that flox"):
		return "hash"
	case what == "its queue":
		return pick(m.r, monkeyQueues)
	case numberText.MatchString(what):
		if strings.Contains(what, "-1") && m.r.IntN(2) == 0 {
			return "-1"
		}
		return pick(m.r, []string{"0", "0", "0", "1", "1", "2", "3", "100", "1000", "1700000000000"})
	case strings.Contains(what, "node"), strings.Contains(what, "workflow"), what == "signal", strings.Contains(what, "join of"):
		return pick(m.r, []string{"n", "n.2", "m"})
	}
	return pick(m.r, []string{"", "x", "wf", "a|wf", "1|2|3", "\x00\xff", "a/0", "{}", strings.Repeat("y", 300)})
}

// flags are some of those that a description names, as "d delta, r record".
func (m *monkey) flags(what string) string {
	set := ""
	for _, f := range strings.Split(strings.TrimPrefix(what, "flags: ")+", u undo", ", ") {
		if m.r.IntN(2) == 0 {
			set += f[:1]
		}
	}
	if !strings.Contains(set, "f") && strings.Contains(what, "opens a frame") {
		set = strings.NewReplacer("c", "", "s", "").Replace(set) // are of a frame
	}
	return set
}

// rest are the arguments after the names of the queues.
func (m *monkey) rest(what string) (rest []string) {
	what, _, _ = strings.Cut(what, "-- Returns")
	for range m.r.IntN(5) {
		switch {
		case strings.Contains(what, "node, queue"):
			rest = append(rest, "n", pick(m.r, monkeyQueues), pick(m.r, []string{"", "\x00\x01"}))
		case strings.Contains(what, "those fields"):
			rest = append(rest, pick(m.r, []string{"t:0", "i:0", "f:0.0", "d:0.0:1", "s:0", "w:n"}))
		case strings.Contains(what, "tokens"):
			rest = append(rest, pick(m.r, monkeyTokens))
		}
	}
	return rest
}

// dump is what every key holds.
func (m *monkey) dump() map[string]string {
	m.t.Helper()
	ctx, dump := context.Background(), map[string]string{}
	keys := m.c.Keys(ctx, "*").Val()
	pipe := m.c.Pipeline()
	types := make([]*redis.StatusCmd, len(keys))
	for i, key := range keys {
		types[i] = pipe.Type(ctx, key)
	}
	_, _ = pipe.Exec(ctx)
	values := make([]*redis.Cmd, len(keys))
	for i, key := range keys {
		switch types[i].Val() {
		case "hash":
			values[i] = pipe.Do(ctx, "HGETALL", key)
		case "list":
			values[i] = pipe.Do(ctx, "LRANGE", key, 0, -1)
		case "zset":
			values[i] = pipe.Do(ctx, "ZRANGE", key, 0, -1, "WITHSCORES")
		case "stream":
			values[i] = pipe.Do(ctx, "XRANGE", key, "-", "+")
		default:
			values[i] = pipe.Do(ctx, "SORT", key) // flox has no other kind
		}
	}
	_, _ = pipe.Exec(ctx)
	for i, key := range keys {
		value, _ := values[i].Val().([]any)
		if types[i].Val() == "hash" { // in an order of the server's own
			var fields []any
			for pair := range slices.Chunk(value, 2) {
				fields = append(fields, fmt.Sprintf("%q", pair))
			}
			slices.SortFunc(fields, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			value = fields
		}
		dump[key] = fmt.Sprintf("%s %q", types[i].Val(), value)
	}
	return dump
}
