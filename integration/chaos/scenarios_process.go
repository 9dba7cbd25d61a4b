package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/proxy"
)

func init() {
	register(
		scenario{
			name: "kill", row: "worker SIGKILL mid-node", topologies: []string{single, cluster}, short: true, run: killWorkers,
			bugs: []string{"no-reclaim"},
		},
		scenario{
			name: "kill-before-commit", row: "worker SIGKILL before its commit is sent", short: true,
			run: func(ctx context.Context, t *trial) error { return killAtCommit(ctx, t, false) },
		},
		scenario{
			name: "kill-after-commit", row: "worker SIGKILL after its commit, before the reply", short: true,
			run: func(ctx context.Context, t *trial) error { return killAtCommit(ctx, t, true) },
		},
		scenario{
			name: "stop", row: "worker SIGSTOP longer than its lease, then SIGCONT", short: true, run: stopWorkers,
		},
		scenario{
			name: "late-commits", row: "commits arrive when their lease is another's", short: true, run: lateCommits,
			bugs: []string{"no-fence"},
		},
		scenario{
			name: "rolling-restart", row: "SIGTERM one by one", short: true, run: rollingRestart,
			bugs: []string{"lost-handback"},
		},
		scenario{name: "same-name", row: "two workers of one name", short: true, run: sameName},
	)
}

// slots is how many items a worker of a fleet has in hand at most.
const slots = 16

// killWorkers kills workers that have work in hand, at random moments.
func killWorkers(ctx context.Context, t *trial) error {
	const kills = 8
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	t.Fired("SIGKILL", 0)
	for range kills {
		if err := pause(ctx, time.Duration(50+t.Random.IntN(250))*time.Millisecond); err != nil {
			return err
		}
		w, err := t.Busy(ctx)
		if err != nil {
			return err
		}
		t.Fleet.Kill(w)
		t.Fired("SIGKILL", 1)
		if _, err := t.Fleet.Start(); err != nil {
			return err
		}
	}
	t.FinalCheck = func(_ context.Context, _ *checker.Snapshot, log []checker.Execution) error {
		n := repeated(log)
		t.Judge("re-executions", n >= 1 && n <= kills*slots, "%d executions repeated, want 1 to %d: those in hand", n, kills*slots)
		return nil
	}
	t.Calm()
	return f.End()
}

// committing reports whether a command commits an item: those scripts are given
// the run, its state and its history.
func committing(c proxy.Command) bool {
	keys := c.Keys()
	return len(keys) > 3 && bytes.Contains(keys[0], []byte("}:run:")) && bytes.Contains(keys[1], []byte("}:state:")) &&
		bytes.Contains(keys[2], []byte("}:history:"))
}

// committed returns which item a command commits.
func committed(c proxy.Command) (run, item string, ok bool) {
	if !committing(c) {
		return "", "", false
	}
	args := c.Args[3+len(c.Keys()):]
	if len(args) < 4 {
		return "", "", false
	}
	return string(args[0]), string(args[1]) + "." + string(args[3]), true
}

// killAtCommit kills workers, which do one item at a time, at the moment of a
// commit: before the server gets it, or after it took effect.
func killAtCommit(ctx context.Context, t *trial, after bool) error {
	const kills = 6
	name := "SIGKILL before the commit"
	if after {
		name = "SIGKILL after the commit"
	}
	t.Fired(name, 0)
	if err := t.Workers(ctx, 2); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 20)
	if err != nil {
		return err
	}
	for range kills {
		if err := t.killOneAtCommit(ctx, after); err != nil {
			return err
		}
		t.Fired(name, 1)
	}
	t.FinalCheck = func(_ context.Context, _ *checker.Snapshot, log []checker.Execution) error {
		n, least, most := repeated(log), 1, kills // some commits are of items without an execution
		if after {
			least, most = 0, 0
		}
		t.Judge("re-executions", n >= least && n <= most, "%d executions repeated for %d kills, want %d to %d", n, kills, least, most)
		return nil
	}
	t.Calm()
	return f.End()
}

// killOneAtCommit starts a worker with one slot and kills it at a commit.
func (t *trial) killOneAtCommit(ctx context.Context, after bool) error {
	p, err := t.Proxy()
	if err != nil {
		return err
	}
	hold := p.HoldRequest
	if after {
		hold = p.HoldReply
	}
	held := hold(committing)
	w, err := t.Fleet.Start("FLOX_REDIS=redis://"+p.Addr(), "FLOX_CONCURRENCY=1")
	if err != nil {
		return err
	}
	defer t.Fleet.Kill(w)
	return t.Await(ctx, "a commit is under way", func() (bool, error) { return isClosed(held.Done()), nil })
}

// stopWorkers stops workers for longer than a lease and lets them go on: what they
// commit then is another's.
func stopWorkers(ctx context.Context, t *trial) error {
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	t.Fired("SIGSTOP", 0)
	for i := range 4 {
		w, err := t.Busy(ctx)
		if err != nil {
			return err
		}
		if err := w.Stop(); err != nil {
			return err
		}
		// It wakes up when others have just taken over what it has in hand.
		err = pause(ctx, lease+lease/5+time.Duration(i)*30*time.Millisecond)
		if cont := w.Continue(); err == nil {
			err = cont
		}
		if err != nil {
			return err
		}
		t.Fired("SIGSTOP", 1)
		if err := pause(ctx, 150*time.Millisecond); err != nil {
			return err
		}
	}
	t.Fired("late ends", 0)
	t.FinalCheck = func(_ context.Context, _ *checker.Snapshot, log []checker.Execution) error {
		t.Fired("late ends", late(log))
		return nil
	}
	t.Calm()
	return f.End()
}

// lateCommits keeps commits of one worker until others have taken over its items,
// and lets them arrive then: while the new holder works, or after its own commit.
func lateCommits(ctx context.Context, t *trial) error {
	t.Fired("late commits", 0)
	if err := t.Workers(ctx, 2); err != nil {
		return err
	}
	ps, err := t.Proxied(ctx, 1)
	if err != nil {
		return err
	}
	f, err := t.Feed(ctx, 30)
	if err != nil {
		return err
	}
	for i := range 6 {
		items := make(chan [2]string, 1)
		held := ps[0].HoldRequest(func(c proxy.Command) bool {
			run, item, ok := committed(c)
			if !ok || !strings.HasPrefix(run, "mesh-") {
				return false
			}
			items <- [2]string{run, item}
			return true
		})
		var late [2]string
		select {
		case late = <-items:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := t.awaitSuccessor(ctx, late[0], late[1], i%2 == 1); err != nil {
			return err
		}
		held.Release()
		t.Fired("late commits", 1)
	}
	t.FinalCheck = func(context.Context, *checker.Snapshot, []checker.Execution) error {
		n, _ := t.report.Of("S3")
		t.Judge("late commits", n > 0, "none of them was seen to be refused")
		return nil
	}
	t.Calm()
	return f.End()
}

// awaitSuccessor waits until an item was begun by a second worker, or ended by it.
func (t *trial) awaitSuccessor(ctx context.Context, run, item string, ended bool) error {
	return t.Await(ctx, fmt.Sprintf("item %s of run %s is another worker's", item, run), func() (bool, error) {
		log, err := checker.ReadLog(t.Fleet.Log())
		begun := map[string]bool{}
		n := 0
		for _, e := range log {
			if e.Run != run || e.Item != item {
				continue
			}
			begun[e.Worker] = true
			if e.Event == checker.End {
				n++
			}
		}
		return len(begun) > 1 && (!ended || n > 1), err
	})
}

// isClosed reports whether a channel is.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// rollingRestart drains one worker after the other. Some items take longer than
// the grace: they are handed back.
func rollingRestart(ctx context.Context, t *trial) error {
	const grace = 300 * time.Millisecond
	if err := t.Workers(ctx, 3, "FLOX_DRAIN_GRACE="+grace.String()); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 30)
	if err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	t.Longest = 5 * time.Second
	t.Fired("SIGTERM", 0)
	t.Fired("items longer than the grace", 0)
	for i := range 6 {
		long := longNap(i)
		if err := t.Start(ctx, ctl, long); err != nil {
			return err
		}
		if err := t.AwaitStarts(ctx, long.ID, "link", 1); err != nil {
			return err
		}
		for _, w := range t.Fleet.Workers()[:1] {
			hand, err := t.InHand()
			if err != nil {
				return err
			}
			took := t.Fleet.Drain(w)
			t.Fired("SIGTERM", 1)
			if hand[w.Name] > 0 {
				t.Fired("items longer than the grace", 1)
			}
			t.Measure("drain of a worker", took.Seconds())
			// What it needs besides: its claim may come back a second late.
			t.Judge("L8", took <= grace+4*time.Second+t.stalls.sum() && w.ExitCode() == 0, "worker %s took %v to end with code %d, grace %v", w.Name, took, w.ExitCode(), grace)
		}
		if err := t.Workers(ctx, 1, "FLOX_DRAIN_GRACE="+grace.String()); err != nil {
			return err
		}
	}
	t.Calm()
	return f.End()
}

// sameName lets two workers have one name, one of which is killed now and then.
func sameName(ctx context.Context, t *trial) error {
	if err := t.Workers(ctx, 2, "FLOX_NAME=twin"); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	t.Fired("twins", 0)
	for range 3 {
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		w, err := t.Busy(ctx)
		if err != nil {
			return err
		}
		t.Fleet.Kill(w)
		if err := t.Workers(ctx, 1, "FLOX_NAME=twin"); err != nil {
			return err
		}
		t.Fired("twins", 1)
	}
	t.Calm()
	return f.End()
}
