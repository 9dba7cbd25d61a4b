package main

import (
	"context"
	"time"

	"github.com/floxrun/flox/integration/checker"
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
