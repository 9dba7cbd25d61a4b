package checker_test

import (
	"strings"
	"testing"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
)

// counted is what two workers say that have done what clean has written, with one
// retry.
var counted = []string{
	series("flox_items_total", `workflow="wf",node="split",outcome="fan"`, "2"),
	series("flox_items_total", `workflow="wf",node="part",outcome="deposit"`, "2"),
	series("flox_items_total", `workflow="wf",node="part",outcome="retry"`, "1"),
	series("flox_joins_total", `workflow="wf",node="sum"`, "1"),
	series("flox_items_in_flight", ``, "0"),
	series("flox_commit_duration_seconds_count", `outcome="applied"`, "5"),
	series("flox_leases_lost_total", `workflow="wf"`, "0"),
	"# the other worker\n",
	series("flox_items_total", `workflow="wf",node="part",outcome="deposit"`, "1"),
	series("flox_items_total", `workflow="wf",node="sum",outcome="next"`, "1"),
	series("flox_items_total", `workflow="wf",node="last",outcome="end"`, "1"),
	series("flox_run_duration_seconds_count", `workflow="wf",status="completed"`, "1"),
	series("flox_run_duration_seconds_bucket", `workflow="wf",status="completed",le="1"`, "1"),
	series("flox_run_duration_seconds_count", `workflow="wf",status="failed"`, "0"),
	series("flox_commit_duration_seconds_count", `outcome="applied"`, "3"),
}

func series(name, labels, value string) string {
	return name + `{flox_namespace="n",` + labels + "} " + value + "\n"
}

// TestMetrics compares what workers have counted with what is there.
func TestMetrics(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	const (
		more  = `node="part",outcome="deposit"} 9`
		less  = `node="part",outcome="deposit"} 0`
		first = `node="part",outcome="deposit"} 2`
	)
	for _, test := range []struct {
		what, old, new string
		wrong          bool
		extra          string
	}{
		{what: "what is there"},
		{what: "too many", old: first, new: more, wrong: true},
		{what: "too few", old: first, new: less, wrong: true},
		{what: "too many, and a lost lease", old: first, new: more, extra: series("flox_leases_lost_total", `workflow="wf"`, "1")},
		{what: "too many, and a lease taken over", old: first, new: more, extra: series("flox_leases_reclaimed_total", ``, "1")},
		{what: "too many, and a refused commit", old: first, new: more, extra: series("flox_commit_duration_seconds_count", `outcome="stale"`, "1")},
		{what: "too few, and a lost lease", old: first, new: less, extra: series("flox_leases_lost_total", `workflow="wf"`, "1"), wrong: true},
		{what: "another node", old: `node="last"`, new: `node="sum"`, wrong: true},
		{what: "no retry", old: `outcome="retry"} 1`, new: `outcome="retry"} 0`, wrong: true},
		{what: "a retry more", old: `outcome="retry"} 1`, new: `outcome="retry"} 2`, wrong: true},
		{what: "a join more", old: `node="sum"} 1`, new: `node="sum"} 2`, wrong: true},
		{what: "a run more", old: `status="failed"} 0`, new: `status="failed"} 1`, wrong: true},
		{what: "no run", old: `_count{flox_namespace="n",workflow="wf",status="completed"} 1`, new: "", wrong: true},
		{what: "something in hand", old: "in_flight{flox_namespace=\"n\",} 0", new: "in_flight{flox_namespace=\"n\",} 1", wrong: true},
	} {
		s, c := clean(t, rdb), wanted()
		s.do("HSET", "run:done", "h:2", tried("0.1", "part", "deposit", 2))
		text := strings.Join(counted, "")
		if !strings.Contains(text, test.old) {
			t.Fatalf("%s: %q is not in the text", test.what, test.old)
		}
		c.Metrics = []string{strings.Replace(text, test.old, test.new, 1), test.extra}
		c.Rest = true
		snapshot := s.read()
		r := snapshot.JudgeMetrics(c)
		if judged, n := r.Of("S12"); judged == 0 || n > 0 != test.wrong {
			t.Errorf("%s: %d judged, reported: %v, want %v\n%s", test.what, judged, n > 0, test.wrong, r.Details())
		}
		if test.wrong {
			c.Rest = false
			if _, n := snapshot.Judge(c).Of("S12"); n == 0 && test.what != "something in hand" {
				t.Errorf("%s: Judge has not reported it", test.what)
			}
		}
	}
	var none checker.Case
	if n := clean(t, rdb).read().JudgeMetrics(none).Judgements(); n != 0 {
		t.Errorf("%d judgements without metrics", n)
	}
}
