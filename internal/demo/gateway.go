package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
)

// Payments moves money. A repeated call with the same key has no effect and
// returns the first call's reference. Implementations are safe for concurrent
// use; a refusal is an ErrRefused.
type Payments interface {
	Charge(ctx context.Context, order string, cents int64, key string) (ref string, err error)
	Refund(ctx context.Context, order string, cents int64, key string) (ref string, err error)
}

// Shipping sends goods, under the promises of Payments.
type Shipping interface {
	Ship(ctx context.Context, order, address, key string) (ref string, err error)
}

// Errors of a gateway.
var (
	// ErrRefused says no for good.
	ErrRefused = errors.New("refused")
	// ErrUnavailable says try again. The call may have had its effect.
	ErrUnavailable = errors.New("gateway unavailable")
)

// NowhereAddress is an address that shipping refuses.
const NowhereAddress = "Nowhere"

// Operations of a gateway.
const (
	OpCharge = "charge"
	OpRefund = "refund"
	OpShip   = "ship"
)

// Gateway charges, refunds and ships in memory and keeps a ledger. It is flaky
// in a known way: by the order's id, the first calls of each key fail, some of
// them after they had their effect. The zero value works.
type Gateway struct {
	mu      sync.Mutex
	entries map[entryID]*Entry
	calls   map[entryID]int
}

var (
	_ Payments = (*Gateway)(nil)
	_ Shipping = (*Gateway)(nil)
)

type entryID struct{ op, key string }

// Entry is one effect in the ledger.
type Entry struct {
	Op    string `json:"op"`
	Order string `json:"order"`
	Key   string `json:"key"`
	Ref   string `json:"ref"`
	Cents int64  `json:"cents,omitempty"`
	Calls int    `json:"calls"` // with this key, also those that were answered with an error
}

// Charge takes cents for an order.
func (g *Gateway) Charge(_ context.Context, order string, cents int64, key string) (string, error) {
	return g.do(Entry{Op: OpCharge, Order: order, Key: key, Cents: cents})
}

// Refund gives cents back.
func (g *Gateway) Refund(_ context.Context, order string, cents int64, key string) (string, error) {
	return g.do(Entry{Op: OpRefund, Order: order, Key: key, Cents: cents})
}

// Ship sends an order's goods, but not to NowhereAddress.
func (g *Gateway) Ship(_ context.Context, order, address, key string) (string, error) {
	if address == NowhereAddress {
		return "", fmt.Errorf("%w: nobody delivers to %s", ErrRefused, address)
	}
	return g.do(Entry{Op: OpShip, Order: order, Key: key})
}

// do applies e unless its key has been, and answers with an error if this is
// one of the calls that fail.
func (g *Gateway) do(e Entry) (string, error) {
	if e.Order == "" || e.Key == "" {
		return "", fmt.Errorf("%w: an order and an idempotency key are required", ErrRefused)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.entries == nil {
		g.entries, g.calls = make(map[entryID]*Entry), make(map[entryID]int)
	}
	id := entryID{e.Op, e.Key}
	g.calls[id]++
	out := outageOf(e.Op, e.Order)
	failing := g.calls[id] <= out.calls
	done := g.entries[id]
	if done == nil && (!failing || out.late) {
		done = &e
		done.Ref = fmt.Sprintf("%s-%s-%08x", e.Op, e.Order, hashOf(e.Key))
		g.entries[id] = done
	}
	if done != nil {
		done.Calls = g.calls[id]
		if done.Order != e.Order || done.Cents != e.Cents {
			return "", fmt.Errorf("%w: key %s was used for order %s and %d cents", ErrRefused, e.Key, done.Order, done.Cents)
		}
	}
	if failing {
		return "", fmt.Errorf("%w: %s of order %s, call %d", ErrUnavailable, e.Op, e.Order, g.calls[id])
	}
	return done.Ref, nil
}

// outage says how many calls of a key fail, and whether they have their effect
// nevertheless (the answer is lost).
type outage struct {
	calls int
	late  bool
}

func outageOf(op, order string) outage {
	all := []outage{{}, {calls: 1}, {calls: 2}, {calls: 1, late: true}}
	return all[hashOf(op+order)%uint32(len(all))]
}

func hashOf(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}

// Ledger is all that a gateway did, sorted by order, operation and key.
type Ledger []Entry

// Ledger returns what was done so far.
func (g *Gateway) Ledger() Ledger {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make(Ledger, 0, len(g.entries))
	for _, e := range g.entries {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Key, b.Key))
	})
	return all
}
