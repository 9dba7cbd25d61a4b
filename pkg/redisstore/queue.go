package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Load implements flox.WorkQueue.
func (s *Store) Load(ctx context.Context, e flox.Entry, owner string, crashLimit int) (flox.Loaded, error) {
	if loaded, ok := s.plainLoad(ctx, e, owner); ok {
		return loaded, nil
	}
	n, p := s.keys.of(e.Run)
	reply, err := s.script(ctx, n, scriptLoad, []string{p.run(e.Run), p.queue(e.Queue)},
		e.Run, e.Token, e.ID, e.Queue, owner, crashLimit, e.Consumer)
	if err != nil {
		return flox.Loaded{}, fmt.Errorf("load token %s of run %s: %w", e.Token, e.Run, err)
	}
	r := list(reply)
	grant, err := meaning(grants, integer(r, 0))
	if err != nil || grant != flox.GrantOK && grant != flox.GrantPoison {
		return flox.Loaded{Grant: grant}, err
	}
	lease := flox.Lease{Entry: e, Owner: owner, Step: int(integer(r, 6)), Attempt: int(integer(r, 7))}
	return flox.Loaded{Grant: grant, Lease: lease, Item: loadedItem(r)}, nil
}

// loadedItem reads the reply of load.lua.
func loadedItem(r []any) flox.Item {
	item := flox.Item{
		Workflow:    text(r, 1),
		Fingerprint: text(r, 2),
		Version:     integer(r, 3),
		Committed:   integer(r, 4),
		Node:        text(r, 5),
		Crashes:     int(integer(r, 8)),
		Waited:      time.Duration(max(0, integer(r, 9))) * time.Millisecond,
		Input:       flox.Input{Payload: blob(r, 10), Joined: integer(r, 11) == 1},
	}
	if chunk := integer(r, 12); chunk > 0 {
		item.Release = &flox.Release{Chunk: int(chunk), Chunks: int(integer(r, 13)), Blob: blob(r, 14)}
	}
	item.Scope, item.Joins = text(r, 16), text(r, 17)
	item.Elapsed = time.Duration(integer(r, 18)) * time.Millisecond
	if answer := text(r, 19); answer != "" {
		item.Input.Answer = &flox.Answered{Payload: blob(r, 20), TimedOut: answer == "T"}
	}
	item.Input.Cause, item.Trace, item.Retried = blob(r, 21), text(r, 22), int(integer(r, 23))
	if len(r) > 15 {
		var err error
		if item.Input.Deposits, item.Input.Sources, err = sortDeposits(list(r[15])); err != nil {
			item.Input.Spoilt = err.Error() // the lease is held: the item can fail of it
		}
	}
	return item
}

// deposit is "<index>|<item>|<payload>"; the item, "<token>.<step>", has left it.
type deposit struct {
	index       int
	token, item string
	payload     string
}

// sortDeposits brings deposits from their order of arrival into input order, and
// returns what they are and which items have left them.
func sortDeposits(raw []any) (payloads [][]byte, items []string, err error) {
	deposits := make([]deposit, 0, len(raw))
	for i := range raw {
		f := strings.SplitN(text(raw, i), "|", 3)
		if len(f) != 3 {
			return nil, nil, fmt.Errorf("deposit %d: %w", i+1, errDecode)
		}
		index, err := strconv.Atoi(f[0])
		if err != nil {
			return nil, nil, fmt.Errorf("deposit %d: %w", i+1, errDecode)
		}
		token := f[1] // earlier versions stored the token alone, which may be one without a dot
		if step := strings.LastIndexByte(token, '.'); step >= 0 {
			token = token[:step]
		}
		deposits = append(deposits, deposit{index, token, f[1], f[2]})
	}
	slices.SortFunc(deposits, func(a, b deposit) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.token, b.token))
	})
	for _, d := range deposits {
		payloads, items = append(payloads, []byte(d.payload)), append(items, d.item)
	}
	return payloads, items, nil
}

// Renew implements flox.WorkQueue.
func (s *Store) Renew(ctx context.Context, l flox.Lease) (flox.Health, error) {
	n, p := s.keys.of(l.Run)
	reply, err := s.script(ctx, n, scriptRenew, []string{p.run(l.Run), p.queue(l.Queue)},
		l.Token, l.Owner, l.Consumer)
	if err != nil {
		return flox.HealthLost, fmt.Errorf("renew lease of item %s of run %s: %w", l.Item(), l.Run, err)
	}
	return meaning(healths, integer([]any{reply}, 0))
}

// Handback implements flox.WorkQueue.
func (s *Store) Handback(ctx context.Context, l flox.Lease, unknownNode bool) (flox.Verdict, error) {
	n, p := s.keys.of(l.Run)
	unknown := 0
	if unknownNode {
		unknown = 1
	}
	reply, err := s.script(ctx, n, scriptHandback, []string{p.run(l.Run), p.delayed(), p.queue(l.Queue)},
		l.Run, l.Token, l.Owner, l.Step, unknown)
	if err != nil {
		return flox.VerdictLost, fmt.Errorf("hand back item %s of run %s: %w", l.Item(), l.Run, err)
	}
	result, err := commitResult(list(reply))
	return result.Verdict, err
}
