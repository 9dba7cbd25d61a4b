package flox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memKey is a run's place in the order of List: by index, then by time, newest
// first unless reversed, then by id.
type memKey struct {
	index int
	time  int64
	run   string
}

func (k memKey) String() string { return fmt.Sprintf("%d.%d.%s", k.index, k.time, k.run) }

func compareKeys(a, b memKey, oldestFirst bool) int {
	within := cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(b.run, a.run))
	if oldestFirst {
		within = -within
	}
	return cmp.Or(cmp.Compare(a.index, b.index), within)
}

// parseKey reads a cursor. The run comes last because it may contain dots.
func parseKey(cursor string) (memKey, error) {
	parts := strings.SplitN(cursor, ".", 3)
	if len(parts) != 3 {
		return memKey{}, fmt.Errorf("list runs: cursor %q is not one that a list returned", cursor)
	}
	index, err1 := strconv.Atoi(parts[0])
	time, err2 := strconv.ParseInt(parts[1], 10, 64)
	if cmp.Or(err1, err2) != nil {
		return memKey{}, fmt.Errorf("list runs: cursor %q is not one that a list returned", cursor)
	}
	return memKey{index, time, parts[2]}, nil
}

// memIndex numbers the index a status belongs to.
func memIndex(s Status) int {
	return 1 + slices.Index([]Status{StatusCompleted, StatusFailed, StatusCancelled}, s)
}

// since is when the run ended, or, if it has not, when it was started.
func (r *memRun) since() time.Time {
	if r.status.Terminal() {
		return r.ended
	}
	return r.started
}

func (r *memRun) key() memKey { return memKey{memIndex(r.status), r.since().UnixNano(), r.id} }

// List implements RunInfoStore.
func (m *Memory) List(ctx context.Context, req ListRequest) (RunPage, error) {
	if err := m.lock(ctx); err != nil {
		return RunPage{}, err
	}
	defer m.mu.Unlock()
	compare := func(a, b memKey) int { return compareKeys(a, b, req.OldestFirst) }
	var keys []memKey
	for _, r := range m.runs {
		if r.selected(req.RunFilter) {
			keys = append(keys, r.key())
		}
	}
	slices.SortFunc(keys, compare)
	if req.Cursor != "" {
		last, err := parseKey(req.Cursor)
		if err != nil {
			return RunPage{}, err
		}
		keys = slices.DeleteFunc(keys, func(k memKey) bool { return compare(k, last) <= 0 })
	}
	return m.page(keys, req.Limit)
}

func (r *memRun) selected(f RunFilter) bool {
	age := time.Since(r.since())
	return (f.Workflow == "" || f.Workflow == r.workflow) &&
		(f.OlderThan == 0 || age >= f.OlderThan) && (f.NewerThan == 0 || age <= f.NewerThan) &&
		f.Passes(r.shown(), r.labels)
}

func (m *Memory) page(keys []memKey, limit int) (RunPage, error) {
	var page RunPage
	if len(keys) > limit {
		keys = keys[:limit]
		page.Next = keys[limit-1].String()
	}
	for _, k := range keys {
		info, err := m.runs[k.run].info()
		if err != nil {
			return RunPage{}, err
		}
		page.Runs = append(page.Runs, info)
	}
	return page, nil
}
