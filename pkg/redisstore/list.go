package redisstore

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// indexes are the indexes in the order in which all runs are listed.
var indexes = []string{"active", "completed", "failed", "cancelled"}

// listPart is how many members one command reads from an index.
const listPart = 100

// indexed is a run's place in an index: score descending, then member descending.
type indexed struct {
	index  int
	score  int64
	member string // "<run>|<workflow>"
}

func compareIndexed(a, b indexed) int {
	return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(b.score, a.score), cmp.Compare(b.member, a.member))
}

func (i indexed) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", i.index, i.score, i.member))
}

// parseCursor reads a cursor; "" is before everything.
func parseCursor(cursor string) (indexed, error) {
	if cursor == "" {
		return indexed{index: -1}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	f := strings.SplitN(string(raw), " ", 3)
	if err != nil || len(f) != 3 {
		return indexed{}, fmt.Errorf("cursor %q is not one that a list returned", cursor)
	}
	index, err1 := strconv.Atoi(f[0])
	score, err2 := strconv.ParseInt(f[1], 10, 64)
	if errors.Join(err1, err2) != nil {
		return indexed{}, fmt.Errorf("cursor %q is not one that a list returned", cursor)
	}
	return indexed{index, score, f[2]}, nil
}

// selects returns which indexes a request looks at.
func selects(status flox.Status) []int {
	switch status {
	case "":
		return []int{0, 1, 2, 3}
	case flox.StatusPending, flox.StatusRunning, flox.StatusPaused, flox.StatusUndoing:
		return []int{0}
	}
	return []int{slices.Index(indexes, string(status))}
}

// List implements flox.RunInfoStore.
func (s *Store) List(ctx context.Context, req flox.ListRequest) (flox.RunPage, error) {
	after, err := parseCursor(req.Cursor)
	if err != nil {
		return flox.RunPage{}, fmt.Errorf("list runs: %w", err)
	}
	var found []indexed
	for _, index := range selects(req.Status) {
		// One more than wanted says whether there is another page.
		if len(found) > req.Limit || index < after.index {
			continue
		}
		more, err := s.listIndex(ctx, index, after, req)
		if err != nil {
			return flox.RunPage{}, fmt.Errorf("list runs: %w", err)
		}
		found = append(found, more...)
	}
	var page flox.RunPage
	if len(found) > req.Limit {
		found = found[:req.Limit]
		page.Next = found[req.Limit-1].cursor()
	}
	page.Runs, err = s.infos(ctx, found)
	return page, err
}

// listIndex merges one index of all partitions: up to Limit+1 runs after a place.
func (s *Store) listIndex(ctx context.Context, index int, after indexed, req flox.ListRequest) ([]indexed, error) {
	parts := make([][]indexed, len(s.keys.parts))
	err := each(len(parts), func(n int) error {
		var err error
		parts[n], err = s.listPartition(ctx, n, index, after, req)
		return err
	})
	all := slices.Concat(parts...)
	slices.SortFunc(all, compareIndexed)
	return all, err
}

func (s *Store) listPartition(ctx context.Context, n, index int, after indexed, req flox.ListRequest) ([]indexed, error) {
	var found []indexed
	from := "+inf"
	if index == after.index {
		from = strconv.FormatInt(after.score, 10)
	}
	key := s.keys.parts[n].index(indexes[index])
	for offset := 0; len(found) <= req.Limit; offset += listPart {
		reply, err := s.command(ctx, n, "ZREVRANGEBYSCORE", key, from, "-inf", "WITHSCORES", "LIMIT", offset, listPart)
		if err != nil {
			return nil, err
		}
		r := list(reply)
		for i := 0; i+1 < len(r); i += 2 {
			// Scores are whole ms, below the size where they would be shown rounded.
			at := indexed{index, integer(r, i+1), text(r, i)}
			_, workflow, _ := strings.Cut(at.member, "|")
			if compareIndexed(at, after) > 0 && (req.Workflow == "" || workflow == req.Workflow) {
				found = append(found, at)
			}
		}
		if len(r) < 2*listPart {
			break
		}
	}
	return found, nil
}

// infos reads the runs of a page. One that has changed its index meanwhile is
// shown as it is now; one that is gone or spoilt is left out.
func (s *Store) infos(ctx context.Context, found []indexed) ([]flox.RunInfo, error) {
	infos := make([]flox.RunInfo, len(found))
	err := each(len(found), func(i int) error {
		run, _, _ := strings.Cut(found[i].member, "|")
		info, err := s.Info(ctx, run)
		if spoilt(err) {
			return nil
		}
		infos[i] = info
		return err
	})
	return slices.DeleteFunc(infos, func(r flox.RunInfo) bool { return r.ID == "" }), err
}
