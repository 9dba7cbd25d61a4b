package redisstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Bounds of one Delete of what has expired, of each partition, end and retention:
// runs that one command reads, runs that are looked at, and runs that are removed.
const (
	expirePart   = 300
	expireLook   = 10_000
	expireRemove = 300
)

// expireAnew is how long what was passed over is not looked at again: a record may
// have been mended, the server's clock set back.
const expireAnew = time.Hour

// errEarly says that a run's retention is not over yet, by the server's clock.
var errEarly = errors.New("the run is to be kept longer")

// ends are the statuses in which a run expires.
var ends = []flox.Status{flox.StatusCompleted, flox.StatusFailed, flox.StatusCancelled}

// retentions are how long runs are kept, by end and by registered workflow.
type retentions map[flox.Status]map[string]time.Duration

func (r retentions) of(end flox.Status, workflow string) time.Duration {
	if keep, ok := r[end][workflow]; ok {
		return keep
	}
	return flox.DefaultRetention
}

// retentions reads the workflows. The runs of one whose registration cannot be read
// are kept, and keep nobody else's.
func (s *Store) retentions(ctx context.Context) (retentions, error) {
	all, err := s.registrations(ctx)
	if err != nil {
		return nil, err
	}
	table := retentions{}
	for _, end := range ends {
		table[end] = map[string]time.Duration{}
		for _, w := range all {
			table[end][w.name] = w.info.Retains(end)
			if w.err != nil {
				table[end][w.name] = flox.KeepForever
			}
		}
	}
	return table, nil
}

// sweep looks through an index for runs of one retention, the oldest first. Each
// retention has a sweep of its own: it need not look twice at what others keep.
type sweep struct {
	part int
	end  flox.Status
	keep time.Duration
}

func (r retentions) sweeps(part int) []sweep {
	var all []sweep
	for _, end := range ends {
		keeps := append(slices.Collect(maps.Values(r[end])), flox.DefaultRetention)
		slices.Sort(keeps)
		for _, keep := range slices.Compact(keeps) {
			if keep >= 0 {
				all = append(all, sweep{part, end, keep})
			}
		}
	}
	return all
}

// expiry remembers how far the sweeps have come, while the retentions stay what
// they are.
type expiry struct {
	mu     sync.Mutex
	table  retentions
	begun  time.Time
	passed map[sweep]int64 // end, in ms, of the last run looked at
}

func (e *expiry) begin(table retentions) {
	e.mu.Lock()
	defer e.mu.Unlock()
	same := maps.EqualFunc(e.table, table, func(a, b map[string]time.Duration) bool { return maps.Equal(a, b) })
	if !same || time.Since(e.begun) >= expireAnew {
		e.table, e.begun, e.passed = table, time.Now(), map[sweep]int64{}
	}
}

func (e *expiry) from(w sweep) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.passed[w]
}

func (e *expiry) pass(w sweep, ended int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passed[w] = ended
}

// expire removes some of the runs whose retention is over.
func (s *Store) expire(ctx context.Context) (int, error) {
	table, err := s.retentions(ctx)
	if err != nil {
		return 0, fmt.Errorf("delete what has expired: %w", err)
	}
	now, err := s.now(ctx)
	if err != nil {
		return 0, fmt.Errorf("delete what has expired: %w", err)
	}
	s.expired.begin(table)
	var total atomic.Int64
	err = each(len(s.keys.parts), func(n int) error {
		var errs []error
		for _, w := range table.sweeps(n) {
			count, err := s.sweep(ctx, w, table, now.Add(-w.keep).UnixMilli())
			total.Add(int64(count))
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		err = fmt.Errorf("delete what has expired: %w", err)
	}
	return int(total.Load()), err
}

// ended is a run in the index of an end.
type ended struct {
	run, workflow string
	at            int64
}

// sweep goes on with one sweep, up to runs that ended at upto. What it cannot
// remove it passes over, so that it keeps nobody else's.
func (s *Store) sweep(ctx context.Context, w sweep, table retentions, upto int64) (removed int, err error) {
	from, skip := s.expired.from(w), 0 // skip is how many are left that ended at from
	var errs []error
	for looked := 0; looked < expireLook && removed < expireRemove; {
		page, err := s.endedRuns(ctx, w, from, upto, skip)
		if err != nil {
			return removed, err
		}
		gone, err := s.removeExpired(ctx, w, table, page)
		early := errors.Is(err, errEarly)
		if err != nil && !early {
			errs = append(errs, err)
		}
		for i, r := range page {
			if r.at != from {
				from, skip = r.at, 0
			}
			if gone[i] {
				removed++
			} else {
				skip++
			}
		}
		if early { // this server's clock is behind the one that was asked
			break
		}
		s.expired.pass(w, from)
		if looked += len(page); len(page) < expirePart {
			break
		}
	}
	return removed, errors.Join(errs...)
}

// endedRuns reads a part of an index.
func (s *Store) endedRuns(ctx context.Context, w sweep, from, upto int64, skip int) ([]ended, error) {
	index := s.keys.parts[w.part].index(string(w.end))
	reply, err := s.command(ctx, w.part, "ZRANGEBYSCORE", index, from, upto, "WITHSCORES", "LIMIT", skip, expirePart)
	if err != nil {
		return nil, err
	}
	r := list(reply)
	page := make([]ended, 0, len(r)/2)
	for i := 0; i+1 < len(r); i += 2 {
		run, workflow, ok := strings.Cut(text(r, i), "|")
		if !ok {
			run = "" // not flox's
		}
		at, _ := strconv.ParseFloat(text(r, i+1), 64)
		page = append(page, ended{run, workflow, int64(at)})
	}
	return page, nil
}

// removeExpired removes those of a page that the sweep is for, and tells which.
func (s *Store) removeExpired(ctx context.Context, w sweep, table retentions, page []ended) (gone []bool, err error) {
	gone = make([]bool, len(page))
	return gone, each(len(page), func(i int) error {
		r := page[i]
		if r.run == "" || table.of(w.end, r.workflow) != w.keep {
			return nil
		}
		n, err := s.removeWhole(ctx, removal{
			run: r.run, keep: w.keep.Milliseconds(), found: w.end, workflow: r.workflow, upon: unasked,
		})
		gone[i] = n > 0
		if spoilt(err) || errors.Is(err, flox.ErrRefused) {
			return nil
		}
		return err
	})
}
