package redisstore

import (
	"github.com/floxrun/flox/pkg/flox"
)

// UsageConfig says what Usage measures. Its zero value measures everything.
type UsageConfig struct {
	Workflow string // only its runs
	Run      string // only this run, exactly
	Top      int    // how many of the largest runs are named; default 10
	// Sample is how many keys of a kind are measured; of more, the size is
	// reckoned from those. Default 10,000, negative for all.
	Sample int
	// Pace is asked before keys are looked at, those of others on the server too.
	// Default: as fast as the server answers.
	Pace Pace
	// Progress is told how many keys were looked at. Default: nobody is.
	Progress func(keys int)
}

// KindUsage is the memory of all keys of a kind.
type KindUsage struct {
	Kind     string `json:"kind"` // run, state, history, errors, queue, indexes, delayed, stats, workers, workflows, config, foreign
	Keys     int64  `json:"keys"`
	Measured int64  `json:"measured"` // fewer than the keys if the bytes were reckoned from these
	Bytes    int64  `json:"bytes"`
}

// RunUsage is the memory of one run: its own key, its state, history and errors.
type RunUsage struct {
	Run      string      `json:"run"`
	Workflow string      `json:"workflow"`
	Status   flox.Status `json:"status"`
	Bytes    int64       `json:"bytes"`
}

// WorkflowUsage is the memory of a workflow's runs.
type WorkflowUsage struct {
	Workflow string `json:"workflow"`
	Runs     int64  `json:"runs"`
	Measured int64  `json:"measured"`
	Bytes    int64  `json:"bytes"`
}

// Average is the memory of one run.
func (w WorkflowUsage) Average() int64 { return w.Bytes / max(1, w.Runs) }

// Usage is how much memory the namespace takes.
type Usage struct {
	Kinds     []KindUsage     `json:"kinds"`
	Workflows []WorkflowUsage `json:"workflows"`
	Largest   []RunUsage      `json:"largest"` // of the measured runs
	Runs      int64           `json:"runs"`
	Bytes     int64           `json:"bytes"`
	Sampled   bool            `json:"sampled"` // something was reckoned
}

// Average is the memory of one run with all that is kept of it.
func (u Usage) Average() int64 {
	var bytes int64
	for _, w := range u.Workflows {
		bytes += w.Bytes
	}
	return bytes / max(1, u.Runs)
}
