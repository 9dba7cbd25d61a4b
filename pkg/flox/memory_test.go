package flox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

func TestMemory(t *testing.T) {
	floxtest.TestStore(t, func(*testing.T) floxtest.Backend {
		m := flox.NewMemory()
		return floxtest.Backend{
			Store:   m,
			Dump:    func(*testing.T) map[string]string { return m.Dump() },
			Advance: time.Sleep,
		}
	})
}

// TestMemoryBlocks has a claim wait in virtual time: a store that polled would
// never let the bubble's clock jump, or would be late.
func TestMemoryBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := flox.NewMemory()
		began := time.Now()
		req := flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Hour}
		entries, err := m.Claim(t.Context(), req)
		if err != nil || len(entries) != 0 || time.Since(began) != time.Hour {
			t.Fatalf("Claim = %v, %v after %v, want nothing after 1h", entries, err, time.Since(began))
		}
		go func() {
			time.Sleep(time.Minute)
			if err := m.Start(t.Context(), flox.StartRequest{Run: "r", Nonce: "n", Node: "first", Queue: "q"}); err != nil {
				t.Errorf("Start: %v", err)
			}
		}()
		entries, err = m.Claim(t.Context(), req)
		if err != nil || len(entries) != 1 || time.Since(began) != time.Hour+time.Minute {
			t.Fatalf("Claim = %v, %v after %v, want an entry after 1h1m", entries, err, time.Since(began))
		}
	})
}
