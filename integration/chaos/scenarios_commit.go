package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/proxy"
)

// committing reports whether a command commits an item.
func committing(c proxy.Command) bool { return len(committed(c)) > 0 }

// tookEffect says of a script's reply whether the script did its work: it was known
// to the server, had all the streams it needed, and left no item to another script.
func tookEffect(reply []byte) bool {
	return reply[0] != '-' && !bytes.Contains(reply, []byte("\r\n:-1\r\n"))
}

// committed returns which items a command commits. The scripts that commit one are
// given the run, its state and its history.
func committed(c proxy.Command) []checker.Commit {
	if !c.Script() || len(c.Args) < 3 {
		return nil
	}
	var keys, args []string
	for i, arg := range c.Args[3:] {
		if i < len(c.Keys()) {
			keys = append(keys, string(arg))
		} else {
			args = append(args, string(arg))
		}
	}
	if len(keys) > 3 && len(args) > 3 && strings.Contains(keys[0], "}:run:") && strings.Contains(keys[1], "}:state:") &&
		strings.Contains(keys[2], "}:history:") {
		return []checker.Commit{{Run: args[0], Item: args[1] + "." + args[3]}}
	}
	return checker.Commits(keys, args)
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
	held := p.HoldRequest(committing)
	if after {
		held = p.HoldReply(committing, tookEffect)
	}
	w, err := t.Fleet.Start("FLOX_REDIS=redis://"+p.Addr(), "FLOX_CONCURRENCY=1")
	if err != nil {
		return err
	}
	defer t.Fleet.Kill(w)
	return t.Await(ctx, "a commit is under way", func() (bool, error) { return isClosed(held.Done()), nil })
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
	const tries, want = 20, 6
	for try, n := 0, 0; try < tries && n < want; try++ {
		items := make(chan checker.Commit, 1)
		held := ps[0].HoldAll(func(c proxy.Command) bool {
			all := committed(c)
			i := slices.IndexFunc(all, func(c checker.Commit) bool { return strings.HasPrefix(c.Run, "mesh-") })
			if i < 0 {
				return false
			}
			items <- all[i]
			return true
		})
		var late checker.Commit
		select {
		case late = <-items:
		case <-ctx.Done():
			return ctx.Err()
		}
		soon, cancel := context.WithTimeout(ctx, 8*time.Second)
		err := t.awaitSuccessor(soon, late.Run, late.Item, n%2 == 1)
		cancel()
		held.Release()
		switch {
		case err == nil:
			n++
			t.Fired("late commits", 1)
		case soon.Err() == nil || ctx.Err() != nil:
			return err
		} // else it came in time after all
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
