package integration

import (
	"testing"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/proptest"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/redisstore"
)

// TestRandomGraphsAreJudged runs random workflows with all that a graph can have,
// on workers that crash: the checker finds nothing wrong, in the order of the
// commands or in the keys.
func TestRandomGraphsAreJudged(t *testing.T) {
	server := testredis.Start(t)
	raw := server.Client()
	t.Cleanup(func() { raw.Close() })
	j := newJudge(t, "graphs", 1, raw)
	st, err := redisstore.Open(t.Context(), redisstore.Config{URL: server.URL(), Namespace: "graphs"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	cfg := proptest.Config{
		Workers: 3, Concurrency: 16, Lease: 500 * time.Millisecond, Quantum: 5 * time.Millisecond,
		Crashes: 12, Pauses: 12, Limit: time.Minute,
	}
	seed := time.Now().UnixNano() % 1e9
	var cases []*proptest.Case
	for n := range int64(40) {
		c, err := proptest.New(seed+n, 1+int(n%9), 2*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	for i, err := range proptest.Drive(t.Context(), st, seed, cfg, cases) {
		if err != nil {
			t.Errorf("case %d: %v", cases[i].Seed, err)
		}
	}
	r := j.watched()
	r.Add(j.read().Judge(checker.Case{Merges: func(string, string) bool { return false }}))
	j.fail("after the graphs", r)
	t.Logf("seed %d; judged: %s; measured: %v; counted: %v", seed, r, r.Measures, r.Counts)
}
