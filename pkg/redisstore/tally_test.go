package redisstore

import (
	"context"
	"fmt"
	"testing"

	"github.com/floxrun/flox/internal/testredis"
)

// TestTallyOfManyRuns compares the counts of more runs than are counted when the
// doctor only looks: their sums tell that something is wrong, and mending counts.
func TestTallyOfManyRuns(t *testing.T) {
	server := testredis.Start(t)
	ctx := t.Context()
	s, err := Open(ctx, Config{URL: server.URL(), Namespace: "many"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, pipe := s.keys.parts[0], s.client.Pipeline()
	for i := range tallyRuns + 1 {
		pipe.Do(ctx, "ZADD", p.completed(), i, fmt.Sprintf("r%d|wf", i))
	}
	pipe.Do(ctx, "HSET", p.stats(), "wf:completed", tallyRuns)
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		fix   bool
		found int
	}{{false, 1}, {true, 1}, {false, 0}} {
		e := &examiner{s: s, cfg: ExamineConfig{Fix: test.fix}, mend: bit(test.fix), yield: func(f Finding, _ error) bool {
			if test.found--; f.Kind != "counts-differ" || f.Mended != test.fix {
				t.Errorf("with Fix %t found %+v, want counts that differ", test.fix, f)
			}
			return true
		}}
		if err := e.stats(ctx); err != nil || e.flush() != nil || test.found != 0 {
			t.Errorf("with Fix %t: %v, %d findings are lacking", test.fix, err, test.found)
		}
	}
	if got := s.client.HGet(context.Background(), p.stats(), "wf:completed").Val(); got != fmt.Sprint(tallyRuns+1) {
		t.Errorf("count = %s, want %d", got, tallyRuns+1)
	}
}
