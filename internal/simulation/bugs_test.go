package simulation

import (
	"context"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// bugs are stores each of which does one thing wrong.
var bugs = map[string]func(flox.Store) flox.Store{
	"no fence":           func(st flox.Store) flox.Store { return noFence{st} },
	"no reclaim":         func(st flox.Store) flox.Store { return noReclaim{st} },
	"crashes uncounted":  func(st flox.Store) flox.Store { return noCrashCount{st} },
	"hand-back lost":     func(st flox.Store) flox.Store { return lostHandback{st} },
	"nothing settled":    func(st flox.Store) flox.Store { return noSettle{st} },
	"nothing promoted":   func(st flox.Store) flox.Store { return noPromote{st} },
	"two holders":        func(st flox.Store) flox.Store { return &twoHolders{Store: st} },
	"renewed for anyone": func(st flox.Store) flox.Store { return renewsAll{st} },
}

// noFence lets anybody commit.
type noFence struct{ flox.Store }

func (b noFence) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	tokens, _, err := b.Checkpoint(ctx, c.Run, "", 10_000)
	if err != nil {
		return flox.CommitResult{}, err
	}
	i := slices.IndexFunc(tokens, func(t flox.TokenInfo) bool { return t.Token == c.Token && t.Owner != "" })
	if i >= 0 {
		c.Owner, c.Step = tokens[i].Owner, tokens[i].Step
	}
	return b.Store.Commit(ctx, c)
}

// noReclaim leaves what was lost where it is.
type noReclaim struct{ flox.Store }

func (noReclaim) Reclaim(context.Context, flox.ReclaimRequest) ([]flox.Entry, error) { return nil, nil }

// noCrashCount grants what should be poison.
type noCrashCount struct{ flox.Store }

func (b noCrashCount) Load(ctx context.Context, e flox.Entry, owner string, _ int) (flox.Loaded, error) {
	return b.Store.Load(ctx, e, owner, 1000)
}

// lostHandback says that it took the token back.
type lostHandback struct{ flox.Store }

func (lostHandback) Handback(context.Context, flox.Lease, bool) (flox.Verdict, error) {
	return flox.VerdictReleased, nil
}

// noSettle leaves parked tokens parked.
type noSettle struct{ flox.Store }

func (noSettle) Settle(context.Context, string) (flox.Settled, error) { return flox.Settled{}, nil }

// noPromote forgets timers.
type noPromote struct{ flox.Store }

func (noPromote) Promote(context.Context, int) (flox.Promoted, error) {
	return flox.Promoted{Next: -1}, nil
}

// twoHolders answers every load of an entry as the first.
type twoHolders struct {
	flox.Store
	last map[string]flox.Loaded
}

func (b *twoHolders) Load(ctx context.Context, e flox.Entry, owner string, limit int) (flox.Loaded, error) {
	l, err := b.Store.Load(ctx, e, owner, limit)
	if b.last == nil {
		b.last = map[string]flox.Loaded{}
	}
	if l.Grant == flox.GrantLost {
		l = b.last[e.ID]
		l.Lease.Owner = owner
	}
	if l.Grant == flox.GrantOK {
		b.last[e.ID] = l
	}
	return l, err
}

// renewsAll tells everybody that a lease is theirs.
type renewsAll struct{ flox.Store }

func (b renewsAll) Renew(ctx context.Context, l flox.Lease) (flox.Health, error) {
	h, err := b.Store.Renew(ctx, l)
	if h == flox.HealthLost {
		h = flox.HealthOK
	}
	return h, err
}
