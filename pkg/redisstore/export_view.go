package redisstore

import (
	"encoding/json"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// What is exported has durations in milliseconds, in fields that say so, as the
// output of the orchestrator has.

func inMillis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// exportedWorkflow shows the graph and the schema as the JSON that they are.
func exportedWorkflow(w flox.WorkflowInfo) any {
	type plain flox.WorkflowInfo
	shown := struct {
		plain
		Deadline    *struct{}                `json:"deadline,omitempty"`  // hides plain's, as does the next
		Retention   *struct{}                `json:"retention,omitempty"` // in nanoseconds
		DeadlineMs  float64                  `json:"deadlineMs,omitempty"`
		RetentionMs map[flox.Status]*float64 `json:"retentionMs"` // null is for ever
		Graph       json.RawMessage          `json:"graph,omitempty"`
		Schema      json.RawMessage          `json:"schema,omitempty"`
	}{plain: plain(w), DeadlineMs: inMillis(w.Deadline), RetentionMs: map[flox.Status]*float64{}}
	for _, end := range ends {
		shown.RetentionMs[end] = nil
		if keep := w.Retains(end); keep >= 0 {
			ms := inMillis(keep)
			shown.RetentionMs[end] = &ms
		}
	}
	if json.Valid(w.Graph) {
		shown.Graph = w.Graph
	}
	if json.Valid(w.Schema) {
		shown.Schema = w.Schema
	}
	return shown
}

func exportedStep(step flox.StepRecord) any {
	type plain flox.StepRecord
	return struct {
		plain
		Duration *struct{} `json:"duration,omitempty"` // hides plain's, in nanoseconds
		TookMs   float64   `json:"tookMs"`
	}{plain: plain(step), TookMs: inMillis(step.Duration)}
}
