package flox_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// TestLastStartIsAlone has several items in hand of two workers that died: one of
// them killed both. With one start left each, no two of them are in the same
// worker's hands, so that the one takes none of the others with it.
func TestLastStartIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const runs, lease = 6, time.Second
		var mu sync.Mutex
		inHand, most := 0, 0
		wf := single(t, func(_ *flox.Context[trail], in int) (flox.Transition[int], error) {
			mu.Lock()
			inHand++
			most = max(most, inHand)
			mu.Unlock()
			time.Sleep(lease / 10)
			mu.Lock()
			inHand--
			mu.Unlock()
			return flox.Next(in), nil
		}, nil)
		st := flox.NewMemory()
		orch := orchestrate(t, st, wf)
		var ids []string
		for i := range runs {
			id, err := orch.Start(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		// Two workers that take everything and die.
		entries, err := st.Claim(t.Context(), flox.ClaimRequest{Consumer: "first", Queues: []string{"single"}, Max: runs})
		for _, dead := range []string{"first", "second"} {
			if err != nil || len(entries) != runs {
				t.Fatalf("%d entries, %v, want %d", len(entries), err, runs)
			}
			for _, e := range entries {
				if l, err := st.Load(t.Context(), e, dead+e.ID, 3); err != nil || l.Grant != flox.GrantOK {
					t.Fatalf("Load = %d, %v", l.Grant, err)
				}
			}
			time.Sleep(lease)
			if dead == "first" {
				entries, err = st.Reclaim(t.Context(), flox.ReclaimRequest{Consumer: "second", Queues: []string{"single"}, Lease: lease, Max: runs})
			}
		}
		begun := time.Now()
		defer stage{t, st}.worker(flox.WorkerConfig{Lease: lease, CrashLimit: 3}, wf)()
		for _, id := range ids {
			if _, err := orch.Wait(t.Context(), id); err != nil {
				t.Errorf("run %s: %v", id, err)
			}
		}
		// One reclaim brings them all, and each takes a tenth of a lease.
		if took := time.Since(begun); took > 2*lease {
			t.Errorf("they took %v, want at most %v", took, 2*lease)
		}
		if most != 1 {
			t.Errorf("%d items with one start left were in hand at the same time, want 1", most)
		}
	})
}
