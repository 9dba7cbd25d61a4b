package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// durable are the settings of workers that wait for a replica.
const durable = "FLOX_DURABILITY=wait"

// acknowledged is what the log of executions proves to have been acknowledged, and
// what of it was lost: an item's commit was acknowledged if an item that it made
// was begun; if the item is begun again after that, the commit was lost.
func acknowledged(log []checker.Execution) (commits int, lost []string) {
	type run struct{ begun, acked, lost map[string]bool }
	runs := map[string]*run{}
	for _, e := range log {
		if e.Event != checker.Start {
			continue
		}
		r := runs[e.Run]
		if r == nil {
			r = &run{map[string]bool{}, map[string]bool{}, map[string]bool{}}
			runs[e.Run] = r
		}
		if r.acked[e.Item] && !r.lost[e.Item] {
			r.lost[e.Item] = true
			lost = append(lost, fmt.Sprintf("run %s item %s (node %s, attempt %d, worker %s, at %s)", e.Run, e.Item, e.Node, e.Attempt, e.Worker, e.At.Format("15:04:05.000")))
		}
		r.begun[e.Item] = true
		for _, made := range makers(e.Item) {
			if r.begun[made] && !r.acked[made] {
				r.acked[made] = true
				commits++
			}
		}
	}
	return commits, lost
}

// makers are the items whose commits must have come before an item: the earlier
// steps of its token, and those that made its token. A join's depositors are not
// known from its name, and are left out.
func makers(item string) []string {
	var all []string
	for cut := strings.LastIndexByte(item, '.'); cut >= 0; cut = strings.LastIndexByte(item, '.') {
		token, last := item[:cut], item[cut+1:]
		steps, _ := strconv.Atoi(last)
		for s := range steps {
			all = append(all, token+"."+strconv.Itoa(s))
		}
		cut = strings.LastIndexByte(token, '.')
		if cut < 0 {
			break
		}
		item = token[:cut] // what made the token, or the join's frame
		all = append(all, item)
	}
	return all
}

// judgeAcknowledged judges that no acknowledged commit was lost; if losses are
// allowed they are counted and shown.
func (t *trial) judgeAcknowledged(allowed bool) {
	before := t.FinalCheck
	t.FinalCheck = func(ctx context.Context, snap *checker.Snapshot, log []checker.Execution) error {
		commits, lost := acknowledged(log)
		t.Measure("acknowledged", float64(commits))
		t.Measure("commits lost", float64(len(lost)))
		for range commits - len(lost) {
			t.Judge("ack", true, "")
		}
		for _, one := range lost {
			t.Judge("ack", allowed, "an acknowledged commit was lost: %s", one)
		}
		if commits == 0 {
			return errors.New("the log proves no commit to have been acknowledged")
		}
		if before != nil {
			return before(ctx, snap, log)
		}
		return nil
	}
}

// readLog reads what was executed so far.
func (t *trial) readLog() ([]checker.Execution, error) {
	log, err := checker.ReadLog(t.Fleet.Log())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return log, err
}

// gap is the longest time in which nothing was begun of the runs that of picks,
// between from and to.
func gap(log []checker.Execution, from, to time.Time, of func(run string) bool) time.Duration {
	last, longest := from, time.Duration(0)
	for _, e := range log {
		if e.Event != checker.Start || !of(e.Run) || e.At.Before(from) || e.At.After(to) {
			continue
		}
		longest = max(longest, e.At.Sub(last))
		last = e.At
	}
	return max(longest, to.Sub(last))
}

// judgeGap judges the gap around a fault at from, whose end was seen before now:
// at most limit, of which what the machine stood still is not counted.
func (t *trial) judgeGap(ctx context.Context, from time.Time, stalled, limit time.Duration, of func(run string) bool) error {
	// What is begun late must be in the log before it is read.
	if err := pause(ctx, limit); err != nil {
		return err
	}
	log, err := t.readLog()
	if err != nil {
		return err
	}
	took := gap(log, from, time.Now().Add(-500*time.Millisecond), of)
	stood := t.stalls.sum() - stalled
	t.Measure("gap", took.Seconds())
	t.Judge("gap", took-stood <= limit, "nothing was begun for %v, of which the machine stood still %v; want at most %v", took, stood, limit)
	return nil
}

// anyRun picks all runs.
func anyRun(string) bool { return true }

// waitingControl opens a store that waits for a replica and returns its controls.
func (t *trial) waitingControl(ctx context.Context) (*flox.Control, error) {
	st, err := redisstore.Open(ctx, redisstore.Config{
		URL: t.Site.URL, Namespace: t.Namespace, Patience: patience, Logger: slog.New(slog.DiscardHandler), Durability: redisstore.DurabilityWait,
	})
	if err != nil {
		return nil, err
	}
	t.onClose(func() { _ = st.Close() })
	return flox.NewControl(st), nil
}
