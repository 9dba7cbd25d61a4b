package redisstore_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// damage is what happens to flox's keys in these tests: what can be in Redis and
// should not be. Runs that are hit may fail or stand still; nothing else may change.
type damage struct {
	rnd    *rand.Rand
	c      *redis.Client
	st     *redisstore.Store
	orch   *flox.Orchestrator[trail, tour, int]
	ctl    *flox.Control
	ns     string
	halted sync.Map // run -> true: its node has come to where it was told to stop
	gate   atomic.Pointer[chan struct{}]
	said   lines // what the worker and the store logged
}

// lines is what was logged.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// tour is the input of a run of the workflow below. Stop says which node halts it.
type tour struct {
	Stop  int `json:"stop"`
	Width int `json:"width"`
}

type trail struct{ Steps flox.List[string] }

var goOn = flox.NewSignal[string]("go")

// Places where a run is hit: at a node, where it waits for a signal, or nowhere.
const (
	stopFirst = 1 + iota
	stopWait
	stopWork
	stopSum
	stopLast
	stops
)

// pass merges the step, and waits if the run is to be hit there.
func (d *damage) pass(ctx *flox.Context[trail], at int, in tour) error {
	ctx.Merge(trail{flox.List[string]{fmt.Sprint(at)}})
	if in.Stop != at {
		return nil
	}
	gate := *d.gate.Load()
	d.halted.Store(ctx.RunID(), true)
	select {
	case <-gate:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// workflow has a record of each kind: undo, wait, fan-out with a retry in it, a
// join that fires early, a timer.
func (d *damage) workflow(t *testing.T) *flox.Workflow[trail, tour, int] {
	t.Helper()
	b := flox.New[trail]("tour").Retry(flox.RetryPolicy{MaxAttempts: 2, Backoff: flox.Exponential(10*time.Millisecond, 10*time.Millisecond)})
	first := flox.AddFunc(b, "first", func(ctx *flox.Context[trail], in tour) (flox.Transition[tour], error) {
		return flox.Next(in), d.pass(ctx, stopFirst, in)
	})
	first.UndoWith(flox.Func(b, "unfirst", func(context.Context, flox.Done[tour, tour]) (flox.None, error) { return flox.None{}, nil }))
	ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[trail], in tour) (flox.Awaiting[tour, string], error) {
		wait := time.Millisecond
		if in.Stop == stopWait {
			d.halted.Store(ctx.RunID(), true)
			wait = time.Hour
		}
		return flox.Await(goOn, in, wait), nil
	}).Awaits(goOn)
	heard := flox.AddFunc(b, "heard", func(_ *flox.Context[trail], a flox.Answer[tour, string]) (flox.Transition[tour], error) {
		return flox.Next(a.Carry), nil
	})
	split := flox.Split(b, "split", func(in tour) []tour {
		parts := make([]tour, in.Width)
		for i := range parts {
			parts[i] = tour{Stop: in.Stop, Width: i}
		}
		return parts
	})
	work := flox.AddFunc(b, "work", func(ctx *flox.Context[trail], in tour) (flox.Transition[int], error) {
		if in.Width == 0 && ctx.Attempt() == 1 {
			return nil, errors.New("flaky at first")
		}
		return flox.Next(in.Width), d.pass(ctx, stopWork, in)
	})
	sum := flox.AddFunc(b, "sum", func(ctx *flox.Context[trail], in flox.Joined[tour, int]) (flox.Transition[tour], error) {
		return flox.NextAfter(time.Millisecond, in.Input), d.pass(ctx, stopSum, in.Input)
	}).Quorum(2)
	last := flox.AddFunc(b, "last", func(ctx *flox.Context[trail], in tour) (flox.Transition[int], error) {
		return flox.Next(min(len(ctx.State().Steps), 1)), d.pass(ctx, stopLast, in)
	})
	first.To(ask)
	ask.To(heard)
	heard.To(split)
	split.To(work)
	flox.JoinWith(split, work, sum)
	sum.To(last)
	wf, err := flox.Build(b, first, last)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

func newDamage(t *testing.T, seed uint64, partitions int) *damage {
	t.Helper()
	server := testredis.Start(t, testredis.Args("--busy-reply-threshold", "1000"))
	d := &damage{rnd: rand.New(rand.NewPCG(seed, 1)), c: server.Client()}
	t.Cleanup(func() { _ = d.c.Close() })
	logger := slog.New(slog.NewTextHandler(&d.said, nil))
	gate := make(chan struct{})
	d.gate.Store(&gate)
	d.st = open(t, redisstore.Config{URL: server.URL(), Partitions: partitions, Logger: logger})
	d.ns, d.ctl = d.st.Namespace(), flox.NewControl(d.st)
	wf := d.workflow(t)
	var err error
	if d.orch, err = flox.NewOrchestrator(d.st, wf, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run(t, d.st, flox.WorkerConfig{
		Lease: 400 * time.Millisecond, DrainGrace: 100 * time.Millisecond, MaxPayload: 64 << 10, Concurrency: 100,
		Logger: logger,
	}, wf))
	t.Cleanup(func() { // no script fails halfway, whatever it finds
		for line := range strings.Lines(d.said.String()) {
			if strings.Contains(line, "script") || strings.Contains(line, "BUSY") {
				t.Errorf("logged: %s", line)
			}
		}
	})
	return d
}

func (d *damage) start(t *testing.T, id string, in tour) {
	t.Helper()
	if _, err := d.orch.Start(t.Context(), in, flox.WithID(id)); err != nil {
		t.Fatalf("Start(%s) = %v", id, err)
	}
}

// works checks that a run which nobody touches ends as it should.
func (d *damage) works(t *testing.T, id, after string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	d.start(t, id, tour{Width: 4})
	out, err := d.orch.Wait(ctx, id)
	if err != nil || out.Output != 1 {
		t.Fatalf("run %s after %s = %+v, %v, want output 1", id, after, out, err)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func (d *damage) key(kind, run string) string {
	return fmt.Sprintf("flox:{%s:%d}:%s:%s", d.ns, flox.Partition(run, 1), kind, run)
}

// picture is all that Redis has of some runs, byte by byte.
func (d *damage) picture(t *testing.T, runs []string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, run := range runs {
		for _, kind := range []string{"run", "state", "history", "errors"} {
			dump, err := d.c.Dump(t.Context(), d.key(kind, run)).Result()
			if err != nil && !errors.Is(err, redis.Nil) {
				t.Fatal(err)
			}
			all[d.key(kind, run)] = dump
		}
	}
	for _, key := range []string{"runs:active", "runs:completed", "runs:failed", "runs:cancelled", "delayed", "runs:todo"} {
		key = "flox:{" + d.ns + ":0}:" + key
		members, err := d.c.ZRangeWithScores(t.Context(), key, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			for _, run := range runs {
				if name := m.Member.(string); name == run || strings.HasPrefix(name, run+"|") || strings.HasPrefix(name, run+"/") {
					all[key+" "+name] = fmt.Sprint(m.Score)
				}
			}
		}
	}
	return all
}

// bystanders are runs in all states.
func (d *damage) bystanders(t *testing.T) []string {
	t.Helper()
	ctx := t.Context()
	d.start(t, "by-done", tour{Width: 4})
	d.start(t, "by-waiting", tour{Width: 4, Stop: stopWait})
	d.start(t, "by-paused", tour{Width: 4, Stop: stopWait})
	d.start(t, "by-cancelled", tour{Width: 4, Stop: stopWait})
	runs := []string{"by-done", "by-waiting", "by-paused", "by-cancelled"}
	until(t, "bystanders", func() bool {
		for _, run := range runs[1:] {
			if n, _ := d.c.HLen(ctx, d.key("run", run)).Result(); n == 0 || d.c.HGet(ctx, d.key("run", run), "w:go").Val() == "" {
				return false
			}
		}
		info, err := d.ctl.Show(ctx, "by-done")
		return err == nil && info.Status == flox.StatusCompleted
	})
	if err := d.ctl.Pause(ctx, "by-paused"); err != nil {
		t.Fatal(err)
	}
	if err := d.ctl.Cancel(ctx, "by-cancelled"); err != nil {
		t.Fatal(err)
	}
	until(t, "the cancelled bystander", func() bool {
		info, err := d.ctl.Show(ctx, "by-cancelled")
		return err == nil && info.Counts.Live == 0
	})
	return runs
}

// bombs are payloads whose decoding would take all memory, all time or all stack.
var bombs = []string{
	"\x00\xdd\xff\xff\xff\xff", "\x00\xdf\xff\xff\xff\xff", "\x00\xc6\xff\xff\xff\xff", "\x00\xdb\xff\xff\xff\x7f",
	"\x00" + strings.Repeat("\x91", 60_000), "\x01" + strings.Repeat("[", 60_000), "\xdd\xff\xff\xff\xff",
	"0|\xdd\xff\xff\xff\xff", "0|0.0|\x00\xdd\xff\xff\xff\xff",
}

// spoil changes a value.
func (d *damage) spoil(v string) (what, spoilt string) {
	b := []byte(v)
	switch d.rnd.IntN(9) {
	case 0:
		return "emptied", ""
	case 1, 2:
		if len(b) > 0 {
			b[d.rnd.IntN(len(b))] ^= 1 << d.rnd.IntN(8)
		}
		return "bit flipped", string(b)
	case 3:
		return "truncated", string(b[:d.rnd.IntN(len(b)+1)])
	case 4:
		return "of a newer format", v + "|newer|fields"
	case 5:
		return "bomb", bombs[d.rnd.IntN(len(bombs))]
	case 6:
		for i := range b {
			b[i] = byte(d.rnd.Uint32())
		}
		return "noise", string(b)
	case 7:
		return "number", []string{"-1", "0", "99999999999", "1e308", "nan", "0x7f", "18446744073709551616"}[d.rnd.IntN(7)]
	default:
		if i := strings.IndexByte(v, '|'); i >= 0 {
			parts := strings.Split(v, "|")
			parts[d.rnd.IntN(len(parts))] = []string{"", "-1", "999999999", "x", "0.0"}[d.rnd.IntN(5)]
			return "field changed", strings.Join(parts, "|")
		}
		return "doubled", v + v
	}
}

// hit damages something of a run and says what.
func (d *damage) hit(t *testing.T, run string) string {
	t.Helper()
	ctx, key := t.Context(), d.key("run", run)
	switch d.rnd.IntN(10) {
	case 0:
		kind := []string{"run", "state", "history", "errors"}[d.rnd.IntN(4)]
		d.c.Del(ctx, d.key(kind, run))
		d.c.SAdd(ctx, d.key(kind, run), "not flox's")
		return kind + " is a set"
	case 1:
		state := d.key("state", run)
		length := d.c.LLen(ctx, state).Val()
		if length == 0 {
			d.c.RPush(ctx, state, bombs[d.rnd.IntN(len(bombs))])
			return "state begun with a bomb"
		}
		at := d.rnd.Int64N(length)
		what, spoilt := d.spoil(d.c.LIndex(ctx, state, at).Val())
		d.c.LSet(ctx, state, at, spoilt)
		return "state element " + what
	}
	fields := d.c.HGetAll(ctx, key).Val()
	names := slices.Sorted(maps.Keys(fields))
	if len(names) == 0 {
		return "nothing"
	}
	// Half of the hits are on what scripts unpack.
	if d.rnd.IntN(2) == 0 {
		var packed []string
		for _, name := range names {
			if strings.Contains("tfduws", name[:1]) && strings.Contains(name, ":") {
				packed = append(packed, name)
			}
		}
		names = append(packed, names[0])
	}
	name := names[d.rnd.IntN(len(names))]
	if d.rnd.IntN(8) == 0 {
		d.c.HDel(ctx, key, name)
		return name + " deleted"
	}
	what, spoilt := d.spoil(fields[name])
	d.c.HSet(ctx, key, name, spoilt)
	return fmt.Sprintf("%s %s: %.60q to %.60q", name, what, fields[name], spoilt)
}

// litter puts what is not flox's beside what is.
func (d *damage) litter(t *testing.T) {
	t.Helper()
	ctx, p := t.Context(), "flox:{"+d.ns+":0}:"
	for i, junk := range []string{"junk", "", "a|b|c", "x/y/z", "/", "by-done", "\xff\xfe", "flox:{other:0}:run:x"} {
		d.c.ZAdd(ctx, p+"delayed", redis.Z{Member: "d" + junk}, redis.Z{Member: junk + "/0"}, redis.Z{Member: junk + "/"})
		d.c.ZAdd(ctx, p+"runs:todo", redis.Z{Member: "t" + junk})
		for _, index := range []string{"active", "completed", "failed", "cancelled"} {
			d.c.ZAdd(ctx, p+"runs:"+index, redis.Z{Member: "i" + junk}, redis.Z{Member: "i" + junk + "|tour"})
		}
		d.c.XAdd(ctx, &redis.XAddArgs{Stream: p + "queue:tour", Values: []string{"r", junk, "t", "0"}})
		d.c.XAdd(ctx, &redis.XAddArgs{Stream: p + "queue:tour", Values: []string{"other", junk}})
		d.c.HSet(ctx, "flox:{"+d.ns+"}:workflows", fmt.Sprint("junk", i), bombs[i%len(bombs)])
		d.c.ZAdd(ctx, "flox:{"+d.ns+"}:workers", redis.Z{Member: "w" + junk, Score: float64(i)})
		d.c.ZAdd(ctx, "flox:{"+d.ns+"}:workers", redis.Z{Member: fmt.Sprint("new", i), Score: float64(time.Now().UnixMilli())})
		d.c.HSet(ctx, "flox:{"+d.ns+"}:worker:"+fmt.Sprint("new", i), "info", bombs[i%len(bombs)])
		d.c.HSet(ctx, p+"stats", junk, "x")
	}
	d.c.Set(ctx, "flox:{"+d.ns+"}:worker:new0", "x", 0)
}

var (
	damageSeed   = flag.Uint64("damage.seed", 1, "seed of TestDamageStaysWhereItIs")
	damageRounds = flag.Int("damage.rounds", 15, "its rounds, of 20 runs each")
)

// TestDamageStaysWhereItIs hits runs at random, and looks at everything else.
func TestDamageStaysWhereItIs(t *testing.T) {
	t.Parallel()
	const victims = 20
	seed, rounds := *damageSeed, *damageRounds
	d := newDamage(t, seed, 1)
	bystanders := d.bystanders(t)
	before := d.picture(t, bystanders)
	ctx := t.Context()
	ends := map[flox.Status]int{}
	for round := range rounds {
		hits := map[string]string{}
		gate := make(chan struct{})
		d.gate.Store(&gate)
		for i := range victims {
			id := fmt.Sprintf("v%d-%d", round, i)
			in := tour{Stop: 1 + i%(stops-1), Width: 4}
			if i == 3 && round%3 == 0 {
				in.Width = 300 // released in parts, from blobs
			}
			hits[id] = ""
			d.start(t, id, in)
		}
		until(t, "the victims to stand where they are hit", func() bool {
			for id := range hits {
				if _, ok := d.halted.Load(id); !ok {
					return false
				}
			}
			return true
		})
		for _, id := range slices.Sorted(maps.Keys(hits)) {
			hits[id] = d.hit(t, id)
			t.Logf("seed %d: %s: %s", seed, id, hits[id])
		}
		if round%5 == 1 {
			d.litter(t)
		}
		close(gate)
		for id := range hits {
			_, _ = d.st.Signal(ctx, flox.SignalRequest{Run: id, Name: "go", ID: "s", Payload: []byte("\x01\"go\"")})
		}
		d.works(t, fmt.Sprint("c", round), "round")
		after := d.picture(t, bystanders)
		for key, was := range before {
			if now := after[key]; now != was {
				t.Fatalf("seed %d, round %d: key %s was %q, is %q; hits: %v", seed, round, key, was, now, hits)
			}
		}
		for id := range hits {
			info, err := d.ctl.Show(ctx, id)
			switch {
			case err == nil:
				ends[info.Status]++
				if info.Status == flox.StatusFailed && info.Cause == "" && !strings.HasPrefix(hits[id], "cause") {
					t.Errorf("run %s failed without a cause after: %s", id, hits[id])
				}
			case !errors.Is(err, flox.ErrInvalid) && !errors.Is(err, flox.ErrNotFound) && !strings.Contains(err.Error(), "malformed"):
				t.Errorf("Get(%s) after %s = %v, want what can be shown", id, hits[id], err)
			}
		}
		d.clear(t, hits)
	}
	t.Logf("seed %d: victims by status when the next run was over: %v", seed, ends)
	d.survey(t)
	d.works(t, "at-last", "all")
}

// clear gets rid of the victims with what operators have: cancel and delete. A run
// whose key is of a wrong type is left.
func (d *damage) clear(t *testing.T, hits map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for id, hit := range hits {
		if info, err := d.ctl.Show(ctx, id); err == nil && !info.Status.Terminal() {
			_ = d.ctl.Cancel(ctx, id)
		}
		err := d.ctl.Delete(ctx, id)
		if err != nil && !errors.Is(err, flox.ErrInvalid) && !errors.Is(err, flox.ErrNotFound) && !errors.Is(err, flox.ErrRefused) {
			t.Errorf("Delete(%s) after %s = %v", id, hit, err)
		}
	}
}

// survey reads all that lists show: bad runs must not hide the others.
func (d *damage) survey(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if page, err := d.st.List(ctx, flox.ListRequest{Limit: 1000}); err != nil || len(page.Runs) == 0 {
		t.Errorf("List = %d runs, %v", len(page.Runs), err)
	}
	workers, err := d.st.Workers(ctx)
	if err != nil || len(workers) == 0 {
		t.Errorf("Workers = %v, %v", workers, err)
	}
	if all, err := d.st.Workflows(ctx); err != nil || len(all) != 1 {
		t.Errorf("Workflows = %d, %v, want the one that can be read", len(all), err)
	}
	if _, err := d.st.Stats(ctx); err != nil {
		t.Errorf("Stats = %v", err)
	}
	if _, err := d.st.Queues(ctx, []string{"tour"}); err != nil {
		t.Errorf("Queues = %v", err)
	}
	until(t, "what is not flox's to leave the queue and the timers", func() bool {
		entries, _ := d.c.XRange(ctx, "flox:{"+d.ns+":0}:queue:tour", "-", "+").Result()
		for _, e := range entries {
			if e.Values["r"] == nil || !strings.HasPrefix(e.Values["r"].(string), "v") {
				return false
			}
		}
		n, _ := d.c.ZScore(ctx, "flox:{"+d.ns+":0}:delayed", "djunk").Result()
		return n == 0
	})
}
