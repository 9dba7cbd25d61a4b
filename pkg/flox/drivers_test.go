package flox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

// TestDrivers runs every workflow of a table through flox.Run, through
// RunCheckpointed, through workers, and checkpointed with a kill after each
// commit, and checks that output, state and the items done are the same.
func TestDrivers(t *testing.T) {
	for _, s := range driverScenarios {
		t.Run(s.name, func(t *testing.T) {
			for name, drive := range drivers {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { s.run(t, drive) })
				})
			}
		})
	}
}

// finished is what a run came to, as far as all drivers must agree.
type finished struct {
	Output string
	State  trail
	Items  []string // item, node and outcome, sorted; nil if that depends on chance
	Undone []string
	Err    string
}

// driverScenario is one workflow and what every driver must make of it.
type driverScenario struct {
	name string
	run  func(t *testing.T, d driver)
}

// driver runs a workflow its way, as run "r", once or several times, and has
// check look at each result and the store it was got on.
type driver func(t *testing.T, wf *flox.Workflow[trail, int, int], in int, check func(st flox.Store, res flox.Result[trail, int], err error))

var drivers = map[string]driver{
	"run": func(t *testing.T, wf *flox.Workflow[trail, int, int], in int, check func(flox.Store, flox.Result[trail, int], error)) {
		st := flox.NewMemory()
		res, err := flox.RunOn(t.Context(), st, wf, in)
		check(st, res, err)
	},
	"checkpointed": func(t *testing.T, wf *flox.Workflow[trail, int, int], in int, check func(flox.Store, flox.Result[trail, int], error)) {
		st := flox.NewMemory()
		res, err := flox.RunCheckpointed(t.Context(), st, "r", wf, in)
		check(st, res, err)
	},
	"workers": func(t *testing.T, wf *flox.Workflow[trail, int, int], in int, check func(flox.Store, flox.Result[trail, int], error)) {
		st := flox.NewMemory()
		for i := range 3 {
			defer stage{t, st}.worker(flox.WorkerConfig{Name: fmt.Sprint("w", i), Concurrency: 2, Quantum: 1}, wf)()
		}
		orch := orchestrate(t, st, wf)
		if _, err := orch.Start(t.Context(), in, flox.WithID("r")); err != nil {
			t.Fatal(err)
		}
		res, err := orch.Wait(t.Context(), "r")
		check(st, res, err)
	},
	"killed": killedAfterEachCommit,
}

// killedAfterEachCommit kills the process after its first commit and resumes the
// run, then does so with another run after its second, and so on.
func killedAfterEachCommit(t *testing.T, wf *flox.Workflow[trail, int, int], in int, check func(flox.Store, flox.Result[trail, int], error)) {
	for after, died := 1, true; died; after++ {
		st := flox.NewMemory()
		ctx, kill := context.WithCancelCause(t.Context())
		mortal := &mortalStore{Store: st, dead: make(chan struct{}), die: func() { kill(errKilled) }}
		mortal.left.Store(int64(after))
		res, err := flox.RunCheckpointed(ctx, mortal, "r", wf, in)
		if died = mortal.gone(); died {
			res, err = flox.Resume(t.Context(), st, "r", wf)
		}
		kill(nil)
		check(st, res, err)
	}
}

var errKilled = errors.New("killed")

// mortalStore is the store of a process that dies after some commits: what it
// holds it never gives back.
type mortalStore struct {
	flox.Store
	left atomic.Int64 // commits until it dies
	dead chan struct{}
	die  func()
}

func (m *mortalStore) gone() bool {
	select {
	case <-m.dead:
		return true
	default:
		return false
	}
}

func (m *mortalStore) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	if m.gone() {
		return flox.CommitResult{}, errKilled
	}
	res, err := m.Store.Commit(ctx, c)
	if m.left.Add(-1) > 0 {
		return res, err
	}
	if m.left.Load() == 0 {
		close(m.dead)
		m.die()
	}
	return res, errKilled
}

func (m *mortalStore) Handback(ctx context.Context, l flox.Lease, unknown bool) (flox.Verdict, error) {
	if m.gone() {
		return 0, errKilled
	}
	return m.Store.Handback(ctx, l, unknown)
}

func (m *mortalStore) Leave(ctx context.Context, w flox.WorkerInfo) error {
	if m.gone() {
		return errKilled
	}
	return m.Store.Leave(ctx, w)
}

// want runs wf and checks what it came to.
func (d driver) want(t *testing.T, wf *flox.Workflow[trail, int, int], in int, want finished) {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	d(t, wf, in, func(st flox.Store, res flox.Result[trail, int], err error) {
		t.Helper()
		want.check(t, st, res, err)
	})
}

func (want finished) check(t *testing.T, st flox.Store, res flox.Result[trail, int], err error) {
	t.Helper()
	got := finished{Output: fmt.Sprint(res.Output), State: res.State}
	if err != nil {
		got.Output, got.Err = "", err.Error()
	}
	if e, ok := errors.AsType[*flox.RunError](err); ok {
		got.Undone = e.Undone
	}
	steps, err := st.History(t.Context(), "r", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if want.Items == nil {
			break
		}
		got.Items = append(got.Items, s.Item+" "+s.Node+" "+s.Outcome)
	}
	slices.Sort(got.Items)
	slices.Sort(got.State.Steps)
	for _, field := range []struct{ name, got, want string }{
		{"output", got.Output, want.Output},
		{"error", got.Err, want.Err},
		{"state", fmt.Sprintf("%d %s", got.State.Total, strings.Join(got.State.Steps, " ")), fmt.Sprintf("%d %s", want.State.Total, strings.Join(want.State.Steps, " "))},
		{"items", strings.Join(got.Items, "\n"), strings.Join(want.Items, "\n")},
		{"undone", strings.Join(got.Undone, " "), strings.Join(want.Undone, " ")},
	} {
		if field.got != field.want {
			t.Errorf("%s is\n%s\nwant\n%s", field.name, field.got, field.want)
		}
	}
	if info, err := st.Info(t.Context(), "r"); err != nil || info.Counts.Created !=
		info.Counts.Committed+info.Counts.Failed+info.Counts.Dropped+info.Counts.Live {
		t.Errorf("ledger %+v, %v", info.Counts, err)
	}
}

// did is the state after the named steps.
func did(names ...string) trail {
	slices.Sort(names)
	return trail{Steps: names, Total: flox.Sum(len(names))}
}

// plus is a node that adds n and notes its name.
func plus(b *flox.Builder[trail], name string, n int) flox.Ref[int, int] {
	return flox.AddFunc(b, name, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
		ctx.Merge(step(name))
		return flox.Next(in + n), nil
	})
}
