package metrics

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/floxrun/flox/pkg/flox"
)

// BenchmarkObserve is the events of one step.
func BenchmarkObserve(b *testing.B) {
	w := NewWorker(prometheus.NewRegistry(), "bench", 64)
	step := []flox.Event{
		{Kind: flox.EventStarted, Workflow: "chain", Node: "a", Queue: "chain", Queued: true, Waited: time.Millisecond},
		{Kind: flox.EventFinished, Workflow: "chain", Node: "a", Queue: "chain", Outcome: "next", Duration: time.Microsecond},
		{Kind: flox.EventCommitted, Workflow: "chain", Outcome: "applied", Duration: time.Millisecond},
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range step {
			w.Observe(e)
		}
	}
}
