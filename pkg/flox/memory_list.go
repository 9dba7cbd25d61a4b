package flox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// memKey is a run's place in the order of List: by index, newest first, by id.
type memKey struct {
	index int
	time  int64
	run   string
}

func (k memKey) String() string { return fmt.Sprintf("%d.%d.%s", k.index, k.time, k.run) }

func compareKeys(a, b memKey) int {
	return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(b.time, a.time), cmp.Compare(b.run, a.run))
}

// parseKey reads a cursor. The run comes last because it may contain dots.
func parseKey(cursor string) (memKey, error) {
	parts := strings.SplitN(cursor, ".", 3)
	if len(parts) != 3 {
		return memKey{}, fmt.Errorf("list runs: bad cursor %q", cursor)
	}
	index, err1 := strconv.Atoi(parts[0])
	time, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err := cmp.Or(err1, err2); err != nil {
		return memKey{}, fmt.Errorf("list runs: bad cursor %q: %w", cursor, err)
	}
	return memKey{index, time, parts[2]}, nil
}

// memIndex numbers the index a status belongs to.
func memIndex(s Status) int {
	return 1 + slices.Index([]Status{StatusCompleted, StatusFailed, StatusCancelled}, s)
}

func (r *memRun) key() memKey {
	if !r.status.Terminal() {
		return memKey{0, r.started.UnixNano(), r.id}
	}
	return memKey{memIndex(r.status), r.ended.UnixNano(), r.id}
}

// List implements RunInfoStore.
func (m *Memory) List(ctx context.Context, req ListRequest) (RunPage, error) {
	if err := m.lock(ctx); err != nil {
		return RunPage{}, err
	}
	defer m.mu.Unlock()
	var keys []memKey
	for _, r := range m.runs {
		if r.selected(req) {
			keys = append(keys, r.key())
		}
	}
	slices.SortFunc(keys, compareKeys)
	if req.Cursor != "" {
		last, err := parseKey(req.Cursor)
		if err != nil {
			return RunPage{}, err
		}
		done := slices.IndexFunc(keys, func(k memKey) bool { return compareKeys(k, last) > 0 })
		if done < 0 {
			done = len(keys)
		}
		keys = keys[done:]
	}
	return m.page(keys, req.Limit)
}

func (r *memRun) selected(req ListRequest) bool {
	if req.Workflow != "" && req.Workflow != r.workflow {
		return false
	}
	return req.Status == "" || memIndex(req.Status) == memIndex(r.status)
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
