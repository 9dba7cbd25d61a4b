package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/floxrun/flox/pkg/flox"
)

// tally is a state that is stored and read.
type tally struct{ Done flox.Sum }

// first says whether this is the first attempt at the item.
func first(ctx context.Context) bool {
	info, ok := flox.InfoFrom(ctx)
	return ok && info.Attempt == 1
}

var quickly = flox.RetryPolicy{MaxAttempts: 2, Backoff: flox.Linear(time.Second, time.Second)}

// order charges, at the second attempt; packs three parts, of which one panics
// once; and adds up.
func order(t *testing.T) flox.Definition {
	b := flox.New[tally]("order")
	charge := flox.Func(b, "charge", func(ctx context.Context, n int) (int, error) {
		if first(ctx) {
			return 0, errors.New("declined")
		}
		return n, nil
	}).Retry(quickly)
	parts := flox.Split(b, "parts", func(n int) []int { return []int{0, 1, 2} })
	pack := flox.AddFunc(b, "pack", func(ctx *flox.Context[tally], part int) (flox.Transition[int], error) {
		if part == 1 && first(ctx) {
			panic("dropped it")
		}
		ctx.Merge(tally{Done: 1})
		return flox.Next(part), nil
	}).Retry(quickly)
	total := flox.AddFunc(b, "total", func(ctx *flox.Context[tally], parts []int) (flox.Transition[int], error) {
		return flox.Next(int(ctx.State().Done)), nil
	})
	charge.To(parts)
	parts.To(pack)
	pack.Join(total)
	return build(t, b, charge, total)
}

// broken books, and fails for good at what comes then; so the booking is undone.
func broken(t *testing.T) flox.Definition {
	b := flox.New[flox.NoState]("broken")
	book := flox.Func(b, "book", func(_ context.Context, n int) (int, error) { return n, nil })
	book.UndoWith(flox.Func(b, "unbook", func(context.Context, flox.Done[int, int]) (flox.None, error) {
		return flox.None{}, nil
	}))
	ship := flox.Func(b, "ship", func(context.Context, int) (int, error) { return 0, flox.Permanent(errors.New("no such place")) })
	book.To(ship)
	return build(t, b, book, ship)
}

// slow takes longer than its timeout, and then its fallback.
func slow(t *testing.T) flox.Definition {
	b := flox.New[flox.NoState]("slow")
	ask := flox.Func(b, "ask", func(ctx context.Context, n int) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}).Timeout(time.Second).Retry(quickly)
	guess := flox.Func(b, "guess", func(_ context.Context, f flox.Failure[int]) (int, error) { return f.Input, nil })
	ask.OnFailure(guess)
	return build(t, b, ask, ask, guess)
}

// long has a step more than its limit allows.
func long(t *testing.T) flox.Definition {
	b := flox.New[flox.NoState]("long").MaxSteps(1)
	same := func(_ context.Context, n int) (int, error) { return n, nil }
	one, two := flox.Func(b, "one", same), flox.Func(b, "two", same)
	one.To(two)
	return build(t, b, one, two)
}

// quorum goes on with two of three answers. The third comes when all else is done, so
// that no commit ends the run, but the end of its branch.
func quorum(t *testing.T) flox.Definition {
	b := flox.New[flox.NoState]("quorum")
	all := flox.Split(b, "all", func(int) []int { return []int{1, 1, 5} })
	ask := flox.Func(b, "answer", func(_ context.Context, seconds int) (int, error) {
		time.Sleep(time.Duration(seconds) * time.Second)
		return seconds, nil
	})
	best := flox.Func(b, "best", func(_ context.Context, in []int) (int, error) { return in[0], nil }).Quorum(2)
	all.To(ask)
	ask.Join(best)
	return build(t, b, all, best)
}

// late takes longer than it may.
func late(t *testing.T) flox.Definition {
	b := flox.New[flox.NoState]("late").Deadline(3 * time.Second)
	sleep := flox.Func(b, "sleep", func(_ context.Context, n int) (int, error) {
		time.Sleep(5 * time.Second)
		return n, nil
	})
	return build(t, b, sleep, sleep)
}

func build[S any](t *testing.T, b *flox.Builder[S], start flox.In[int], ends ...flox.Out[int]) flox.Definition {
	t.Helper()
	wf, err := flox.Build(b, start, ends...)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// plant is a worker of some workflows on a store in memory, and its series.
type plant struct {
	t    *testing.T
	st   *flox.Memory
	reg  *prometheus.Registry
	ctl  *flox.Control
	stop func()
}

// newPlant must be called in a bubble.
func newPlant(t *testing.T, defs ...flox.Definition) *plant {
	t.Helper()
	p := &plant{t: t, st: flox.NewMemory(), reg: prometheus.NewPedanticRegistry()}
	w, err := flox.NewWorker(p.st, &flox.WorkerConfig{
		Logger: slog.New(slog.DiscardHandler), Observer: NewWorker(p.reg, "test", 64),
	}, defs...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	synctest.Wait() // it has registered
	p.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	p.ctl = flox.NewControl(p.st)
	return p
}

func (p *plant) start(workflow string) string {
	p.t.Helper()
	id, err := p.ctl.Start(p.t.Context(), workflow, []byte("1"))
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// finish lets all runs come to their end.
func (p *plant) finish() {
	p.t.Helper()
	for range 100 {
		time.Sleep(time.Second)
		page, err := p.st.List(p.t.Context(), flox.ListRequest{
			RunFilter: flox.RunFilter{Statuses: flox.ActiveStatuses()}, Limit: 1,
		})
		if err != nil {
			p.t.Fatal(err)
		}
		if len(page.Runs) == 0 {
			return
		}
	}
	p.t.Fatal("the runs do not end")
}

// counted lists the series of a counter or histogram, and what they have counted.
func (p *plant) counted(name string) []string {
	p.t.Helper()
	var all []string
	for _, m := range family(p.t, p.reg, name).GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			if l.GetName() != labelNamespace {
				labels = append(labels, l.GetValue())
			}
		}
		all = append(all, strings.Join(labels, " ")+": "+amount(m))
	}
	slices.Sort(all)
	return all
}

func amount(m *dto.Metric) string {
	if h := m.GetHistogram(); h != nil {
		return fmt.Sprint(h.GetSampleCount())
	}
	return fmt.Sprint(m.GetCounter().GetValue() + m.GetGauge().GetValue())
}

// workload is what ten runs of each workflow count. Labels are in the order of their
// names; for a histogram the number is that of its observations.
var workload = map[string][]string{
	"flox_items_total": { // node, outcome, workflow
		"all fan quorum: 10", "answer deposit quorum: 20", "ask fallback slow: 10", "ask retry slow: 10",
		"best end quorum: 10", "book next broken: 10",
		"charge next order: 10", "charge retry order: 10", "guess end slow: 10", "one next long: 10",
		"pack deposit order: 30", "pack retry order: 10", "parts fan order: 10", "ship fail broken: 10",
		"sleep end late: 10", "total end order: 10", "two end long: 10", "unbook end broken: 10",
	},
	"flox_attempt_failures_total": { // class, final, node, workflow
		"error false charge order: 10", "limit true two long: 10", "panic false pack order: 10",
		"permanent true ship broken: 10", "timeout false ask slow: 10", "timeout true ask slow: 10",
	},
	"flox_node_duration_seconds": { // node, workflow
		"all quorum: 10", "answer quorum: 20", "ask slow: 20", "best quorum: 10", "book broken: 10", "charge order: 20", "guess slow: 10", "one long: 10", "pack order: 40",
		"parts order: 10", "ship broken: 10", "sleep late: 10", "total order: 10", "two long: 10", "unbook broken: 10",
	},
	"flox_run_duration_seconds": { // status, workflow
		"completed order: 10", "completed quorum: 10", "completed slow: 10",
		"failed broken: 10", "failed late: 10", "failed long: 10",
	},
	"flox_joins_total":     {"best quorum: 10", "total order: 10"}, // node, workflow
	"flox_join_branches":   {"order: 10", "quorum: 10"},            // workflow
	"flox_state_bytes":     {"order: 10"},                          // workflow
	"flox_promoted_total":  {": 40"},                               // retries, and deadlines
	"flox_items_in_flight": {": 0"},
	// The tokens that were claimed: roots, those that were retried, branches, joins,
	// what undoes, and what comes after more time than a worker stays with a token.
	"flox_queue_wait_seconds": {"broken: 20", "late: 10", "long: 10", "order: 60", "quorum: 40", "slow: 30"}, // queue
}

// TestCountsOfAWorkload has the series equal what a finished workload did.
func TestCountsOfAWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, order(t), broken(t), slow(t), long(t), quorum(t), late(t))
		for range 10 {
			for _, workflow := range []string{"order", "broken", "slow", "long", "quorum", "late"} {
				p.start(workflow)
			}
		}
		p.finish()
		p.stop()
		for _, name := range slices.Sorted(maps.Keys(workload)) {
			if got := p.counted(name); !slices.Equal(got, workload[name]) {
				t.Errorf("%s counts\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(workload[name], "\n"))
			}
		}
		if sum := family(t, p.reg, "flox_join_branches").GetMetric()[0].GetHistogram().GetSampleSum(); sum != 30 {
			t.Errorf("flox_join_branches adds up to %v, want 3 branches a run", sum)
		}
		for _, m := range family(t, p.reg, "flox_run_duration_seconds").GetMetric() {
			if sum := m.GetHistogram().GetSampleSum(); m.GetLabel()[2].GetValue() == "slow" && (sum < 20 || sum > 40) {
				t.Errorf("slow took %v s in all, want 2 to 4 a run: two timeouts, and the wait between", sum)
			}
		}
	})
}

// TestSeriesDoNotGrowWithRuns runs many runs of random ids.
func TestSeriesDoNotGrowWithRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, order(t), broken(t), slow(t), long(t))
		count := func(runs int) (series int) {
			for range runs {
				for _, workflow := range []string{"order", "broken", "slow", "long"} {
					p.start(workflow)
				}
			}
			p.finish()
			families, err := p.reg.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				series += len(f.GetMetric())
			}
			return series
		}
		few := count(5)
		if many := count(250); many != few {
			t.Errorf("%d series after 20 runs, %d after 1,020, want no more", few, many)
		}
		p.stop()
	})
}

// TestLeaseIsLostOnce has another worker take the token of a node that does not mind
// its context: the worker hears of it while the node runs, and at the commit.
func TestLeaseIsLostOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, late(t))
		p.start("late")
		time.Sleep(time.Second)
		entries, err := p.st.Reclaim(t.Context(), flox.ReclaimRequest{Consumer: "thief", Queues: []string{"late"}, Max: 1})
		if err != nil || len(entries) != 1 {
			t.Fatalf("Reclaim = %v, %v, want the token", entries, err)
		}
		if l, err := p.st.Load(t.Context(), entries[0], "thief", 9); err != nil || l.Grant != flox.GrantOK {
			t.Fatalf("Load = %v, %v, want the lease", l.Grant, err)
		}
		time.Sleep(10 * time.Second)
		p.stop()
		if got := p.counted("flox_leases_lost_total"); !slices.Equal(got, []string{"late: 1"}) {
			t.Errorf("flox_leases_lost_total: %v, want 1 of late", got)
		}
		if got := p.counted("flox_commit_duration_seconds"); !slices.Equal(got, []string{"lost: 1"}) {
			t.Errorf("flox_commit_duration_seconds: %v, want one commit that was refused", got)
		}
	})
}

// TestJoinBeginsOnce retries a run that has failed of its join.
func TestJoinBeginsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[flox.NoState]("joins")
		both := flox.Split(b, "both", func(n int) []int { return []int{0, 1} })
		same := flox.Func(b, "same", func(_ context.Context, n int) (int, error) { return n, nil })
		failed := false
		all := flox.Func(b, "all", func(_ context.Context, in []int) (int, error) {
			if !failed {
				failed = true
				return 0, flox.Permanent(errors.New("not yet"))
			}
			return len(in), nil
		})
		both.To(same)
		same.Join(all)
		p := newPlant(t, build(t, b, both, all))
		run := p.start("joins")
		p.finish()
		if err := p.ctl.Retry(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		p.finish()
		p.stop()
		for name, want := range map[string][]string{
			"flox_joins_total":          {"all joins: 1"},
			"flox_run_duration_seconds": {"completed joins: 1", "failed joins: 1"},
		} {
			if got := p.counted(name); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

// held has two branches: the first goes on until its context ends, the second fails
// when it is told to, at an attempt that never comes otherwise.
func held(t *testing.T, fail <-chan struct{}) flox.Definition {
	b := flox.New[flox.NoState]("held")
	both := flox.Split(b, "both", func(n int) []int { return []int{0, 1} })
	node := flox.Func(b, "node", func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		select {
		case <-fail:
			return 0, flox.Permanent(errors.New("told to"))
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	all := flox.Func(b, "all", func(_ context.Context, in []int) (int, error) { return len(in), nil })
	both.To(node)
	node.Join(all)
	return build(t, b, both, all)
}

// TestInFlightComesBack gives items up in each way there is.
func TestInFlightComesBack(t *testing.T) {
	for name, giveUp := range map[string]func(p *plant, run string, fail chan struct{}){
		"cancelled": func(p *plant, run string, _ chan struct{}) {
			if err := p.ctl.Cancel(p.t.Context(), run); err != nil {
				p.t.Error(err)
			}
		},
		"drained": func(p *plant, _ string, _ chan struct{}) { p.stop() },
		"lost": func(p *plant, run string, fail chan struct{}) {
			close(fail)
			synctest.Wait()
			if err := p.ctl.Delete(p.t.Context(), run); err != nil {
				p.t.Error(err)
			}
			synctest.Wait()
			if got := p.counted("flox_leases_lost_total"); !slices.Equal(got, []string{"held: 1"}) {
				p.t.Errorf("flox_leases_lost_total after the run was deleted: %v, want 1 of held", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fail := make(chan struct{})
				p := newPlant(t, held(t, fail))
				run := p.start("held")
				// A beat, at times of its own, renews the lease when a third of its 10 s is over.
				for range 120 {
					if time.Sleep(100 * time.Millisecond); slices.Equal(p.counted("flox_leases_extended_total"), []string{": 4"}) {
						break
					}
				}
				want := map[string][]string{"flox_items_in_flight": {": 2"}, "flox_leases_extended_total": {": 4"}}
				for name := range want {
					if got := p.counted(name); !slices.Equal(got, want[name]) {
						t.Errorf("%s while the nodes run: %v, want %v", name, got, want[name])
					}
				}
				giveUp(p, run, fail)
				synctest.Wait()
				if got := p.counted("flox_items_in_flight"); !slices.Equal(got, []string{": 0"}) {
					t.Errorf("flox_items_in_flight after they were given up: %v, want 0", got)
				}
				if name != "drained" {
					p.stop()
				}
			})
		})
	}
}
