package checker

import (
	"cmp"
	"slices"
)

// Want is what a run must have come to. Zero fields are not judged.
type Want struct {
	// Status is the raw one: running, paused, undoing, completed, failed, cancelled.
	Status string
	// Committed is how many items must have been committed.
	Committed int
	// Outputs is how many outputs there must be.
	Outputs int
	// Retries is how often the run was retried after it had failed: each gives its
	// items the starts of S14 once more.
	Retries int
}

// Case says what is known besides a namespace's keys. The zero Case judges what
// can be judged at any moment from keys alone.
type Case struct {
	// Log is the execution log of all workers, whole: it must be read after the
	// snapshot was taken at rest.
	Log []Execution
	// Want holds what each run must have come to, by run id (L1). A run that is named
	// here and is not there is a violation.
	Want map[string]Want
	// Gone are ids of runs that were deleted or have expired (L5).
	Gone []string
	// Reused are ids under which a run was deleted and another one started: the log
	// does not say which of them a line is of.
	Reused []string
	// Spoilt are ids of runs whose keys were damaged on purpose: they are left out,
	// with all that points at them. Each may be counted anywhere once, or nowhere.
	Spoilt []string
	// Foreign are the names of keys that another program has put into partitions:
	// what follows "flox:{<namespace>:<partition>}:".
	Foreign []string
	// Rest says that nothing is going on any more, and no fault: nothing may be left
	// in queues (L4), and each run must be as its log says.
	Rest bool
	// Lost says that the server has lost acknowledged writes, as a fault may: items in
	// the log whose cause is gone are counted as lost, and are no violation.
	Lost bool
	// Starts is how often an item may be started and not ended (S14). Default: 3.
	Starts int
	// Merges says of which nodes each committed item merges its own id into the list
	// "items" of the run's state (S1). Nil: of every node.
	Merges func(workflow, node string) bool
	// Consumers is how many consumers a queue may have in each partition (L7): one for
	// each worker process that is alive. 0: not judged.
	Consumers int
	// Metrics are texts that all worker processes gave at /metrics (S12), if none of
	// them has ended, and no run was deleted, or retried after it had failed.
	Metrics []string
}

func (c *Case) starts() int { return cmp.Or(c.Starts, 3) }

func (c *Case) merges(workflow, node string) bool { return c.Merges == nil || c.Merges(workflow, node) }

func (c *Case) reused(run string) bool { return slices.Contains(c.Reused, run) }

func (c *Case) spoilt(r *Run) bool { return r.Spoilt || slices.Contains(c.Spoilt, r.ID) }

// spoiltID says whether what names that run is left out.
func (c *Case) spoiltID(p *Part, run string) bool {
	r := p.Runs[run]
	return r != nil && r.Spoilt || slices.Contains(c.Spoilt, run)
}
