package redisstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// BenchmarkBaton commits steps of 64 runs whose tokens stay with their worker.
func BenchmarkBaton(b *testing.B) {
	server := testredis.Start(b)
	s, err := redisstore.Open(b.Context(), redisstore.Config{URL: server.URL()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const runs = 64
	var leases []flox.Lease
	for i := range runs {
		if err := s.Start(b.Context(), request(fmt.Sprintf("r%d", i))); err != nil {
			b.Fatal(err)
		}
	}
	for len(leases) < runs {
		entries, err := s.Claim(b.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: runs, Wait: time.Second})
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range entries {
			l, err := s.Load(b.Context(), e, "owner-"+e.Run, 3)
			if err != nil {
				b.Fatal(err)
			}
			leases = append(leases, l.Lease)
		}
	}
	record := make([]byte, 80)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			l := leases[i]
			for range b.N/runs + 1 {
				r, err := s.Commit(b.Context(), flox.Commit{
					Lease: l, Op: flox.OpNext, Node: "n", Queue: "q", Input: []byte("input"), Keep: true, Read: -1, Record: record,
				})
				if err != nil || r.Verdict != flox.VerdictKept {
					b.Errorf("Commit = %+v, %v, want kept", r, err)
					return
				}
				l.Step++
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	c := server.Client()
	defer c.Close()
	info, err := c.Info(b.Context(), "commandstats", "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	b.Log(info)
}
