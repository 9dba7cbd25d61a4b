package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// purged is a failed run with tokens, in a namespace of its own.
type purged struct {
	scene
	url string
	run string // the key
}

func newPurged(t *testing.T) *purged {
	t.Helper()
	server := testredis.Start(t)
	c := server.Client()
	t.Cleanup(func() { _ = c.Close() })
	s := scene{open(t, redisstore.Config{URL: server.URL()}), t, c}
	p := &purged{s, server.URL(), s.key("run", "r")}
	p.commit(fanJoin(p.begin("r"), "q"), flox.VerdictReleased)
	fails := p.take("q")
	p.take("q")
	p.commit(flox.Commit{Lease: fails.Lease, Op: flox.OpFail, Read: -1, Cause: "boom"}, flox.VerdictReleased)
	return p
}

func (p *purged) set(values ...any) {
	p.t.Helper()
	if err := p.client.HSet(context.Background(), p.run, values...).Err(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *purged) index(name string, members ...string) {
	p.t.Helper()
	for _, member := range members {
		if err := p.client.ZAdd(context.Background(), p.key("runs", name), redis.Z{Score: 1, Member: member}).Err(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// mark leaves the run as a client that died after its first call would.
func (p *purged) mark() {
	p.t.Helper()
	p.set("purging", "delete")
	p.index("todo", "r")
}

// settle lets a janitor do what is left.
func (p *purged) settle() {
	p.t.Helper()
	for range 20 {
		done, err := p.Settle(p.t.Context(), "")
		if err != nil {
			p.t.Fatal(err)
		}
		if !done.More {
			return
		}
	}
	p.t.Fatal("Settle never comes to an end")
}

// wantNothing checks that the namespace holds empty queues alone.
func (p *purged) wantNothing() {
	p.t.Helper()
	raw := &backend{client: p.client, servers: []redis.UniversalClient{p.client}, store: p.Store, n: 1}
	for key, value := range raw.dump(p.t) {
		if !strings.Contains(key, "}:queue:") || value != "[]" {
			p.t.Errorf("%s has %s left, want nothing", key, value)
		}
	}
}

// TestDeleteGoesOn has the client that deletes a run die: a janitor goes on, and
// until then the run's id stays taken, but controls do not find it.
func TestDeleteGoesOn(t *testing.T) {
	p := newPurged(t)
	p.mark()
	ctx := t.Context()
	again := request("r")
	again.Nonce = "another"
	if err := p.Start(ctx, again); !errors.Is(err, flox.ErrRunExists) {
		t.Errorf("Start of a run that is being deleted = %v, want flox.ErrRunExists", err)
	}
	for _, op := range []flox.ControlOp{flox.ControlRetry, flox.ControlCancel, flox.ControlPause} {
		_, err := p.Control(ctx, flox.ControlRequest{Run: "r", Op: op, Nonce: "n"})
		if !errors.Is(err, flox.ErrNotFound) {
			t.Errorf("%s of a run that is being deleted = %v, want flox.ErrNotFound", op, err)
		}
	}
	p.settle()
	if _, err := p.Info(ctx, "r"); !errors.Is(err, flox.ErrNotFound) {
		t.Fatalf("Info after Settle = %v, want flox.ErrNotFound", err)
	}
	p.wantNothing()
}

// TestDeleteGoesOnAtTheEnd has the client die with the last token dropped.
func TestDeleteGoesOnAtTheEnd(t *testing.T) {
	p := newPurged(t)
	if _, err := p.Delete(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	p.commit(flox.Commit{Lease: p.begin("r").Lease, Op: flox.OpEnd, Read: -1}, flox.VerdictReleased)
	p.mark()
	p.settle()
	p.wantNothing()
}

// TestDeleteOfDamaged deletes runs whose records cannot be trusted.
func TestDeleteOfDamaged(t *testing.T) {
	for name, damage := range map[string]func(p *purged){
		"counts too many tokens": func(p *purged) { p.set("live", "7") },
		"counts no token":        func(p *purged) { p.set("live", "0") },
		"counts none of nothing": func(p *purged) { p.set("live", "many", "ended", "then") },
		"a token is cut off":     func(p *purged) { p.set("t:0", "q|17") },
		"lost its tokens": func(p *purged) {
			fields := p.client.HKeys(context.Background(), p.run).Val()
			fields = slices.DeleteFunc(fields, func(f string) bool { return !strings.HasPrefix(f, "t:") })
			p.client.HDel(context.Background(), p.run, fields...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPurged(t)
			damage(p)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if n, err := p.Delete(ctx, "r"); n != 1 || err != nil {
				t.Fatalf("Delete = %d, %v, want 1", n, err)
			}
			if _, err := p.Info(ctx, "r"); !errors.Is(err, flox.ErrNotFound) {
				t.Fatalf("Info = %v, want flox.ErrNotFound", err)
			}
		})
	}
}

// TestExpireMendsTheIndex leaves members in an index that no run fits: those go,
// and the runs of the same ids stay as they are.
func TestExpireMendsTheIndex(t *testing.T) {
	p := newPurged(t)
	ctx := t.Context()
	p.begin("running")
	p.index("completed", "nobody|wf", "r|wf", "running|wf", "foreign")
	p.index("failed", "r|other")
	p.index("cancelled", "running|wf")
	for n := 1; n > 0; {
		var err error
		if n, err = p.Delete(ctx, ""); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string][]string{"completed": {"foreign"}, "failed": {"r|wf"}, "cancelled": {}, "active": {"running|wf"}} {
		if got := p.client.ZRange(context.Background(), p.key("runs", name), 0, -1).Val(); !slices.Equal(got, want) {
			t.Errorf("index of the %s has %v, want %v", name, got, want)
		}
	}
	for run, want := range map[string]flox.Status{"r": flox.StatusFailed, "running": flox.StatusRunning} {
		if info, err := p.Info(ctx, run); err != nil || info.Status != want {
			t.Errorf("Info(%s) = %s, %v, want %s", run, info.Status, err, want)
		}
	}
}

// TestExpireWaitsForARestart keeps a run that is about to be done again.
func TestExpireWaitsForARestart(t *testing.T) {
	p := newPurged(t)
	p.set("purging", "restart")
	err := p.Register(t.Context(), flox.WorkflowInfo{
		Name: "wf", StartNode: "first", StartQueue: "q", Retention: map[flox.Status]time.Duration{flox.StatusFailed: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	for want, prepare := range []func(){
		func() {},
		func() { p.client.HDel(context.Background(), p.run, "purging") },
	} {
		prepare()
		fresh, err := redisstore.Open(t.Context(), redisstore.Config{URL: p.url, Namespace: p.Namespace()})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := fresh.Delete(t.Context(), ""); n != want || err != nil {
			t.Errorf("Delete of what has expired = %d, %v, want %d", n, err, want)
		}
		if err := fresh.Close(); err != nil {
			t.Error(err)
		}
	}
	p.wantNothing()
}

// TestExpirePassesOverABrokenRegistration keeps the runs of a workflow of which
// nobody can tell the retention, and lets the others' expire.
func TestExpirePassesOverABrokenRegistration(t *testing.T) {
	p := newPurged(t)
	ctx := t.Context()
	p.client.HSet(ctx, fmt.Sprintf("flox:{%s}:workflows", p.Namespace()), "broken", "1|\xc1")
	err := p.Register(ctx, flox.WorkflowInfo{
		Name: "wf", StartNode: "first", StartQueue: "q", Retention: map[flox.Status]time.Duration{flox.StatusFailed: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := p.key("run", "kept")
	p.client.Copy(ctx, p.run, kept, 0, false)
	p.client.HSet(ctx, kept, "workflow", "broken", "ended", 1)
	p.client.ZAdd(ctx, p.key("runs", "failed"), redis.Z{Score: 1, Member: "kept|broken"})
	if n, err := p.Delete(ctx, ""); n != 1 || err != nil {
		t.Errorf("Delete of what has expired = %d, %v, want 1", n, err)
	}
	if all, err := p.Workflows(ctx); len(all) != 1 || err != nil {
		t.Errorf("Workflows = %v, %v, want the one that can be read", all, err)
	}
	if _, err := p.Info(ctx, "kept"); err != nil {
		t.Errorf("Info of a run whose retention nobody knows = %v, want it kept", err)
	}
}
