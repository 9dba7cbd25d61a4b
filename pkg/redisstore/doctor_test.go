package redisstore_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// injury is a damage that the doctor mends.
type injury struct {
	name   string
	damage func(w *ward)
	finds  map[string]int // how many of each kind, besides others that follow
	shows  []string       // kinds that show when others are mended
	except []string       // runs that do not go on to their end
	after  func(w *ward)
}

// mended are the damages of which nothing is left.
var mended = []injury{
	{name: "a stream is lost", finds: map[string]int{"token-lost": 1}, damage: func(w *ward) {
		w.do("DEL", w.key("queue:sum", ""))
	}},
	{name: "an entry is lost", finds: map[string]int{"token-lost": 1}, damage: func(w *ward) {
		entries := w.client.XRange(w.t.Context(), w.key("queue:sum", ""), "-", "+").Val()
		w.do("XDEL", w.key("queue:sum", ""), entries[0].ID)
	}},
	{name: "all timers are lost", finds: map[string]int{"token-lost": 2, "deadline-lost": 1}, damage: func(w *ward) {
		w.do("DEL", w.key("delayed", ""))
	}},
	{name: "the group is lost", finds: map[string]int{"queue-without-group": 1}, damage: func(w *ward) {
		w.do("XGROUP", "DESTROY", w.key("queue:sum", ""), "flox")
	}},
	{name: "who waits for a signal is not in its list", finds: map[string]int{"wait-lost": 1}, damage: func(w *ward) {
		w.do("HDEL", w.key("run", "asks"), "w:go-ahead")
	}},
	{name: "in a signal's list are some that do not wait", finds: map[string]int{"wait-lost": 2}, damage: func(w *ward) {
		w.do("HSET", w.key("run", "asks"), "w:go-ahead", "ghost,0,0")
		w.do("HSET", w.key("run", "fresh"), "w:other", "0")
	}},
	{name: "live is wrong", finds: map[string]int{"counters-differ": 2}, damage: func(w *ward) {
		w.do("HSET", w.key("run", "fresh"), "live", 5)
		w.do("HSET", w.key("run", "asks"), "live", 0)
	}},
	{name: "parked is wrong", finds: map[string]int{"counters-differ": 2}, damage: func(w *ward) {
		w.do("HSET", w.key("run", "paused"), "parked", 0)
		w.do("HSET", w.key("run", "failed"), "parked", 2)
	}},
	{name: "what was made is not what was done", finds: map[string]int{"counters-differ": 2}, damage: func(w *ward) {
		w.do("HSET", w.key("run", "done"), "created", 50)
		w.do("HSET", w.key("run", "asks"), "committed", 9)
	}},
	{name: "the tokens are lost", finds: map[string]int{"run-without-token": 1, "entry-without-token": 1}, except: []string{"fresh"},
		damage: func(w *ward) { w.do("HDEL", w.key("run", "fresh"), "t:0", "i:0") },
		after: func(w *ward) {
			info, err := w.store.Info(w.t.Context(), "fresh")
			if err != nil || info.Status != flox.StatusFailed || !strings.Contains(info.Cause, "tokens were lost") || info.Counts.Live != 0 {
				w.t.Errorf("Info = %+v, %v, want failed, with the cause and no token", info, err)
			}
			if n, err := w.store.Delete(w.t.Context(), "fresh"); err != nil || n != 1 {
				w.t.Errorf("Delete = %d, %v, want the run deleted", n, err)
			}
		}},
	{name: "live is 0 and so are the tokens", finds: map[string]int{"run-without-token": 1, "timer-without-token": 1}, except: []string{"later"},
		damage: func(w *ward) {
			w.do("HDEL", w.key("run", "later"), "t:0")
			w.do("HSET", w.key("run", "later"), "live", 0)
		},
		after: func(w *ward) { w.settled("later", flox.StatusFailed) }},
	{name: "the mark is lost after a resume", finds: map[string]int{"run-not-marked": 1}, except: []string{"paused"},
		damage: func(w *ward) {
			w.must(resume(w, "paused"))
			w.do("DEL", w.key("runs:todo", ""))
		},
		after: func(w *ward) { w.settled("paused", flox.StatusCompleted) }},
	{name: "the mark is lost after a cancel", finds: map[string]int{"run-not-marked": 1}, except: []string{"fresh"},
		damage: func(w *ward) {
			_, err := w.store.Control(w.t.Context(), flox.ControlRequest{Run: "fresh", Op: flox.ControlCancel, Nonce: "n"})
			w.must(err)
			w.do("DEL", w.key("runs:todo", ""))
		},
		after: func(w *ward) {
			w.until("the tokens are dropped", func() bool {
				info, err := w.store.Info(w.t.Context(), "fresh")
				return err == nil && info.Counts.Live == 0
			})
		}},
	{name: "an index is lost", finds: map[string]int{"run-not-indexed": 5}, damage: func(w *ward) {
		w.do("DEL", w.key("runs:active", ""), w.key("runs:completed", ""))
	}},
	{name: "a run is in the wrong index", finds: map[string]int{"run-not-indexed": 1}, damage: func(w *ward) {
		w.do("ZREM", w.key("runs:active", ""), "fresh|sum")
		w.do("ZADD", w.key("runs:completed", ""), 1, "fresh|sum")
	}},
	{name: "a run is lost", finds: map[string]int{"index-without-run": 1, "entry-without-token": 1}, shows: []string{"counts-differ"}, except: []string{"fresh"},
		damage: func(w *ward) { w.do("DEL", w.key("run", "fresh")) }},
	{name: "finished runs are lost", except: []string{"done", "failed"},
		finds: map[string]int{"index-without-run": 2, "left-over-key": 3}, shows: []string{"counts-differ"},
		damage: func(w *ward) { w.do("DEL", w.key("run", "done"), w.key("run", "failed")) }},
	{name: "members point to nothing", finds: map[string]int{"index-without-run": 2, "mark-without-run": 1, "timer-without-token": 4},
		damage: func(w *ward) {
			w.do("ZADD", w.key("runs:failed", ""), 1, "ghost|sum", 2, "fresh|other")
			w.do("ZADD", w.key("runs:todo", ""), 1, "ghost")
			w.do("ZADD", w.key("delayed", ""), 1e15, "ghost/0", 1e15, "ghost/", 1e15, "fresh/0", 1e15, "done/")
		}},
	{name: "entries point to nothing", finds: map[string]int{"entry-without-token": 3}, damage: func(w *ward) {
		w.do("XADD", w.key("queue:sum", ""), "*", "r", "ghost", "t", "0")
		w.do("XADD", w.key("queue:sum", ""), "*", "r", "fresh", "t", "0")
		w.do("XADD", w.key("queue:ask", ""), "*", "what", "ever")
	}},
	{name: "a claim points to nothing", finds: map[string]int{"claim-without-entry": 1, "token-lost": 1}, damage: func(w *ward) {
		claimed := w.do("XREADGROUP", "GROUP", "flox", "gone", "COUNT", 1, "STREAMS", w.key("queue:sum", ""), ">")
		id := claimed.([]any)[0].([]any)[1].([]any)[0].([]any)[0]
		w.do("XDEL", w.key("queue:sum", ""), id)
	}},
	{name: "counts are wrong", finds: map[string]int{"counts-differ": 1}, damage: func(w *ward) {
		w.do("HSET", w.key("stats", ""), "sum:running", 40, "ghost:failed", 3)
		w.do("HDEL", w.key("stats", ""), "sum:completed")
	}},
	{name: "counts are wrong and their sum is right", finds: map[string]int{"counts-differ": 1}, damage: func(w *ward) {
		w.do("HINCRBY", w.key("stats", ""), "sum:running", 1)
		w.do("HINCRBY", w.key("stats", ""), "sum:paused", -1)
	}},
	{name: "counts are no numbers", finds: map[string]int{"counts-differ": 1}, damage: func(w *ward) {
		w.do("HSET", w.key("stats", ""), "sum:running", "x", "fail:running", "", "ghost:failed", "1e3")
	}},
	{name: "keys are left over", finds: map[string]int{"left-over-key": 3}, damage: func(w *ward) {
		w.do("RPUSH", w.key("state", "ghost"), "x")
		w.do("RPUSH", w.key("history", "ghost"), "x")
		w.do("HSET", w.key("errors", "ghost"), "0", "x")
	}},
	{name: "a consumer is left", finds: map[string]int{"consumer-left": 1}, damage: func(w *ward) {
		w.do("XGROUP", "CREATECONSUMER", w.key("queue:sum", ""), "flox", "gone")
		time.Sleep(7 * wardLease) // the server's clock cannot be moved
	}},
	{name: "workers have died", finds: map[string]int{"worker-dead": 3}, damage: func(w *ward) {
		w.must(w.store.Beat(w.t.Context(), flox.WorkerInfo{ID: "dead-1", Name: "dead", Queues: []string{"sum"}}))
		w.do("ZADD", w.home("workers"), time.Now().Add(-time.Hour).UnixMilli(), "dead-1", 5, "dead-2")
		w.do("HSET", w.home("worker:dead-3"), "info", "x")
	}},
	{name: "a beat is in the future", finds: map[string]int{"clock-backwards": 1}, damage: func(w *ward) {
		w.must(w.store.Beat(w.t.Context(), flox.WorkerInfo{ID: "dead-1", Name: "dead", Queues: []string{"sum"}}))
		w.do("ZADD", w.home("workers"), time.Now().Add(time.Hour).UnixMilli(), "dead-1")
	}},
}

// resume resumes a run and leaves to others what is then to be done.
func resume(w *ward, run string) error {
	_, err := w.store.Control(w.t.Context(), flox.ControlRequest{Run: run, Op: flox.ControlResume, Nonce: "by hand"})
	return err
}

// TestDoctorMends damages a namespace by hand: the damage is found, nothing is
// written for that; it is mended; nothing is left to find; and the runs go on.
func TestDoctorMends(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	for _, injury := range mended {
		t.Run(injury.name, func(t *testing.T) {
			t.Parallel()
			w := newWard(t, server, 1)
			w.admit()
			if found := w.examine(redisstore.ExamineConfig{Deep: true}); len(found) > 0 {
				t.Fatalf("Examine of a sound namespace = %+v, want nothing", found)
			}
			injury.damage(w)
			w.wantFound(injury.finds)
			w.wantMended(append(slices.Collect(maps.Keys(injury.finds)), injury.shows...))
			stop := w.worker()
			defer stop()
			w.heal(injury.except...)
			if injury.after != nil {
				injury.after(w)
			}
			if found := problems(w.examine(redisstore.ExamineConfig{Deep: true})); len(found) > 0 {
				t.Errorf("Examine when all is done = %+v, want no problem", found)
			}
		})
	}
}

// wantFound looks without mending: it finds the kinds, and writes nothing.
func (w *ward) wantFound(finds map[string]int) {
	w.t.Helper()
	before := w.dump()
	found := w.examine(redisstore.ExamineConfig{})
	if after := w.dump(); !maps.Equal(before, after) {
		w.t.Errorf("Examine without Fix has written:\n%v\nwas\n%v", after, before)
	}
	for kind, count := range finds {
		if kinds(found)[kind] != count {
			w.t.Errorf("Examine = %+v, want %d of %s", found, count, kind)
		}
	}
	for _, f := range found {
		if f.Mended || f.Fix == "" {
			w.t.Errorf("found %+v, want it to be something that Fix mends, and that is not mended yet", f)
		}
	}
}

// wantMended mends, and finds nothing afterwards.
func (w *ward) wantMended(finds []string) {
	w.t.Helper()
	found := w.examine(redisstore.ExamineConfig{Fix: true})
	for _, kind := range finds {
		if !slices.ContainsFunc(found, func(f redisstore.Finding) bool { return f.Kind == kind && f.Mended }) {
			w.t.Errorf("Examine with Fix = %+v, want a %s mended", found, kind)
		}
	}
	if left := problems(found); len(left) > 0 {
		w.t.Errorf("Examine with Fix leaves %+v, want all mended", left)
	}
	// A worker that is not there any more is forgotten after its minute.
	again := slices.DeleteFunc(w.examine(redisstore.ExamineConfig{}), func(f redisstore.Finding) bool {
		return f.Kind == "worker-dead"
	})
	if len(again) > 0 {
		w.t.Errorf("Examine after mending = %+v, want nothing", again)
	}
}
