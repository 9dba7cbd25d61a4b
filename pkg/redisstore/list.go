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
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// indexes are the indexes in the order in which all runs are listed.
var indexes = []string{"active", "completed", "failed", "cancelled"}

// listPart is how many members one command reads from an index.
const listPart = 500

// listLook is about how many runs one List reads to find those that a filter
// on their fields selects.
const listLook = 2000

// indexed is a run's place in an index.
type indexed struct {
	index  int
	score  int64
	member string // "<run>|<workflow>"
}

// compareIndexed orders by index, then by score, then by member.
func compareIndexed(a, b indexed, oldestFirst bool) int {
	within := cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.member, a.member))
	if oldestFirst {
		within = -within
	}
	return cmp.Or(cmp.Compare(a.index, b.index), within)
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

// selects returns which indexes a filter looks at, in their order.
func selects(statuses []flox.Status) []int {
	if len(statuses) == 0 {
		return []int{0, 1, 2, 3}
	}
	var selected []int
	for _, status := range statuses {
		selected = append(selected, max(0, slices.Index(indexes, string(status))))
	}
	slices.Sort(selected)
	return slices.Compact(selected)
}

// listing is one List: where it stands and between which scores it looks.
type listing struct {
	flox.ListRequest
	after      indexed
	from, upto string // scores, the lowest and the highest
}

func (s *Store) listing(ctx context.Context, req flox.ListRequest) (listing, error) {
	l := listing{ListRequest: req, from: "-inf", upto: "+inf"}
	var err error
	if l.after, err = parseCursor(req.Cursor); err != nil || req.OlderThan == 0 && req.NewerThan == 0 {
		return l, err
	}
	now, err := s.now(ctx)
	if req.OlderThan != 0 {
		l.upto = strconv.FormatInt(now.Add(-req.OlderThan).UnixMilli(), 10)
	}
	if req.NewerThan != 0 {
		l.from = strconv.FormatInt(now.Add(-req.NewerThan).UnixMilli(), 10)
	}
	return l, err
}

// now is the time by the server's clock.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	reply, err := s.command(ctx, s.keys.home(), "TIME")
	r := list(reply)
	return time.Unix(integer(r, 0), integer(r, 1)*1000), err
}

// List implements flox.RunInfoStore.
func (s *Store) List(ctx context.Context, req flox.ListRequest) (flox.RunPage, error) {
	l, err := s.listing(ctx, req)
	if err != nil {
		return flox.RunPage{}, fmt.Errorf("list runs: %w", err)
	}
	var page flox.RunPage
	for looked := 0; ; {
		found, err := s.listNext(ctx, l)
		if err != nil {
			return flox.RunPage{}, fmt.Errorf("list runs: %w", err)
		}
		last := len(found) <= req.Limit // one more than wanted says that there are others
		found = found[:min(req.Limit, len(found))]
		infos, err := s.infos(ctx, found)
		if err != nil {
			return flox.RunPage{}, fmt.Errorf("list runs: %w", err)
		}
		for i, info := range infos {
			if info.ID == "" || !req.Passes(info.Status, info.Labels) {
				continue
			}
			page.Runs = append(page.Runs, info)
			if len(page.Runs) == req.Limit && (i < len(infos)-1 || !last) {
				page.Next = found[i].cursor()
				return page, nil
			}
		}
		if last {
			return page, nil
		}
		l.after = found[len(found)-1]
		if looked += len(found); looked >= listLook {
			page.Next = l.after.cursor()
			return page, nil
		}
	}
}

// listNext returns the next places in the listing, at most Limit+1.
func (s *Store) listNext(ctx context.Context, l listing) ([]indexed, error) {
	var found []indexed
	for _, index := range selects(l.Statuses) {
		if len(found) > l.Limit || index < l.after.index {
			continue
		}
		more, err := s.listIndex(ctx, index, l)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found[:min(len(found), l.Limit+1)], nil
}

// listIndex merges one index of all partitions: at least Limit+1 runs, if there
// are as many.
func (s *Store) listIndex(ctx context.Context, index int, l listing) ([]indexed, error) {
	parts := make([][]indexed, len(s.keys.parts))
	err := each(len(parts), func(n int) error {
		var err error
		parts[n], err = s.listPartition(ctx, n, index, l)
		return err
	})
	all := slices.Concat(parts...)
	slices.SortFunc(all, func(a, b indexed) int { return compareIndexed(a, b, l.OldestFirst) })
	return all, err
}

// listPartition reads one index of one partition, part by part. Each part begins
// at the score at which the last one ended, not at an offset: members that go
// meanwhile would move others in front of that.
func (s *Store) listPartition(ctx context.Context, n, index int, l listing) ([]indexed, error) {
	command, from, to := "ZREVRANGEBYSCORE", l.upto, l.from
	if l.OldestFirst {
		command, from, to = "ZRANGEBYSCORE", l.from, l.upto
	}
	if index == l.after.index {
		from = strconv.FormatInt(l.after.score, 10)
	}
	var found []indexed
	key, after := s.keys.parts[n].index(indexes[index]), l.after
	for part := listPart; len(found) <= l.Limit; {
		reply, err := s.command(ctx, n, command, key, from, to, "WITHSCORES", "LIMIT", 0, part)
		if err != nil {
			return nil, err
		}
		r := list(reply)
		for i := 0; i+1 < len(r); i += 2 {
			// Scores are whole ms, below the size where they would be shown rounded.
			at := indexed{index, integer(r, i+1), text(r, i)}
			if compareIndexed(at, after, l.OldestFirst) <= 0 {
				continue // the last part had it
			}
			after = at
			_, workflow, _ := strings.Cut(at.member, "|")
			if l.Workflow == "" || workflow == l.Workflow {
				found = append(found, at)
			}
		}
		if len(r) < 2*part {
			break
		}
		if end := text(r, len(r)-1); end != from {
			from, part = end, listPart
		} else {
			part += listPart // more of one ms than a part holds
		}
	}
	return found, nil
}

// infos reads the runs of a page. One that has changed its index meanwhile is
// shown as it is now; one that is gone or spoilt has no ID.
func (s *Store) infos(ctx context.Context, found []indexed) ([]flox.RunInfo, error) {
	infos := make([]flox.RunInfo, len(found))
	return infos, each(len(found), func(i int) error {
		run, _, _ := strings.Cut(found[i].member, "|")
		info, err := s.Info(ctx, run)
		if spoilt(err) {
			return nil
		}
		infos[i] = info
		if unreadable(err) {
			return nil
		}
		return err
	})
}
