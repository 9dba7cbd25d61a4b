package demo

import (
	"cmp"
	"fmt"
	"time"
)

// Limits of a LinkInput: they keep every payload of a run far below 1 MiB.
const (
	maxDepth    = 50
	maxPages    = 5000
	maxParallel = 256
	maxAttempts = 20
	maxWaitMs   = 60_000
)

// LinkInput is the input of workflow "linkcheck". Only Start is required; zero
// is the default of each other field.
type LinkInput struct {
	Start         string `json:"start" jsonschema:"URL of the page to start from; pages of its host are crawled, links to other hosts are only checked"`
	Depth         int    `json:"depth,omitempty" jsonschema:"how many links away from the start page to go (default 3, at most 50)"`
	MaxPages      int    `json:"maxPages,omitempty" jsonschema:"most URLs to fetch, links to other hosts included (default 500, at most 5000)"`
	Parallel      int    `json:"parallel,omitempty" jsonschema:"most URLs fetched at the same time (default 32, at most 256)"`
	TimeoutMs     int    `json:"timeoutMs,omitempty" jsonschema:"milliseconds one request may take (default 10000, at most 60000)"`
	Attempts      int    `json:"attempts,omitempty" jsonschema:"how often to try a URL that times out, refuses connections or answers 429 or 5xx (default 4, at most 20)"`
	BackoffMs     int    `json:"backoffMs,omitempty" jsonschema:"milliseconds to wait before the second attempt; doubles at each further one (default 500)"`
	MaxBackoffMs  int    `json:"maxBackoffMs,omitempty" jsonschema:"most milliseconds to wait between attempts, also where a Retry-After header asks for more (default 30000, at most 60000)"`
	SkipExternal  bool   `json:"skipExternal,omitempty" jsonschema:"leave links to other hosts unchecked"`
	SkipResources bool   `json:"skipResources,omitempty" jsonschema:"leave images, scripts, style sheets and the like unchecked"`
}

func (in LinkInput) withDefaults() LinkInput {
	in.Depth = cmp.Or(in.Depth, 3)
	in.MaxPages = cmp.Or(in.MaxPages, 500)
	in.Parallel = cmp.Or(in.Parallel, 32)
	in.TimeoutMs = cmp.Or(in.TimeoutMs, 10_000)
	in.Attempts = cmp.Or(in.Attempts, 4)
	in.BackoffMs = cmp.Or(in.BackoffMs, 500)
	in.MaxBackoffMs = cmp.Or(in.MaxBackoffMs, 30_000)
	return in
}

// validate reports what is wrong with an input whose gaps are filled.
func (in LinkInput) validate() error {
	for _, f := range []struct {
		name     string
		got, max int
	}{
		{"depth", in.Depth, maxDepth},
		{"maxPages", in.MaxPages, maxPages},
		{"parallel", in.Parallel, maxParallel},
		{"timeoutMs", in.TimeoutMs, maxWaitMs},
		{"attempts", in.Attempts, maxAttempts},
		{"backoffMs", in.BackoffMs, maxWaitMs},
		{"maxBackoffMs", in.MaxBackoffMs, maxWaitMs},
	} {
		if f.got < 1 || f.got > f.max {
			return fmt.Errorf("%s is %d: want 1 to %d", f.name, f.got, f.max)
		}
	}
	return nil
}

func (in LinkInput) patience() Patience {
	return Patience{TimeoutMs: in.TimeoutMs, Attempts: in.Attempts, BackoffMs: in.BackoffMs, MaxBackoffMs: in.MaxBackoffMs}
}

// Patience says how long to try a URL. It travels with each Target, because
// the node's own retry policy is the same for all runs.
type Patience struct {
	TimeoutMs    int `json:"timeoutMs"`
	Attempts     int `json:"attempts"`
	BackoffMs    int `json:"backoffMs"`
	MaxBackoffMs int `json:"maxBackoffMs"`
}

func (p Patience) timeout() time.Duration { return time.Duration(p.TimeoutMs) * time.Millisecond }

// backoff is the wait after attempt n (from 1). asked is what a Retry-After
// header said, zero for nothing.
func (p Patience) backoff(n int, asked time.Duration) time.Duration {
	most := time.Duration(p.MaxBackoffMs) * time.Millisecond
	if asked > 0 {
		return min(asked, most)
	}
	d := time.Duration(p.BackoffMs) * time.Millisecond
	return min(d<<min(n-1, 16), most)
}
