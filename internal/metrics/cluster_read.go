package metrics

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/floxrun/flox/internal/liveness"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// statuses are those that runs are counted by.
var statuses = []flox.Status{
	flox.StatusRunning, flox.StatusPaused, flox.StatusUndoing,
	flox.StatusCompleted, flox.StatusFailed, flox.StatusCancelled,
}

// classNone is of runs that failed of no node's error, classOther of an error of a
// class that this program does not know.
const (
	classNone  = "none"
	classOther = "other"
)

var classes = []string{
	flox.ClassError, flox.ClassPermanent, flox.ClassAbort, flox.ClassPanic, flox.ClassTimeout, flox.ClassCrash,
	flox.ClassPayload, flox.ClassLimit, flox.ClassDeadline, flox.ClassQuorum, classNone, classOther,
}

// readRuns counts runs. Of a registered workflow there are all series from the
// start, so that the first run of a status is seen as a rise.
func (c *Cluster) readRuns(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error) {
	if moved, err := st.Moved(ctx); moved || err != nil {
		return nil, cmp.Or(err, ErrMoved)
	}
	workflows, err := st.Workflows(ctx)
	if err != nil {
		return nil, err
	}
	stats, err := st.Stats(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range workflows {
		if stats[w.Name] == nil {
			stats[w.Name] = nil
		}
	}
	metrics := []prometheus.Metric{}
	for workflow, counts := range stats {
		for _, status := range statuses {
			metrics = append(metrics, seriesRuns.at(float64(counts[status]), workflow, string(status)))
		}
	}
	return metrics, nil
}

// readQueues measures the streams of the registered workflows' queues and of those
// in which tokens were found.
func (c *Cluster) readQueues(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error) {
	names, err := c.queueNames(ctx, st)
	if err != nil {
		return nil, err
	}
	queues, err := st.Streams(ctx, names)
	if err != nil {
		return nil, err
	}
	metrics := []prometheus.Metric{}
	for _, q := range queues {
		metrics = append(metrics,
			seriesItems.at(float64(q.Ready), q.Name, "ready"),
			seriesItems.at(float64(q.Leased), q.Name, "leased"),
			seriesOldest.at(q.OldestReady.Seconds(), q.Name))
		if q.Taken >= 0 {
			metrics = append(metrics, seriesTaken.at(float64(q.Taken), q.Name))
		}
	}
	return metrics, nil
}

func (c *Cluster) queueNames(ctx context.Context, st *redisstore.Store) ([]string, error) {
	workflows, err := st.Workflows(ctx)
	c.mu.Lock()
	names := slices.Clone(c.queues)
	c.mu.Unlock()
	for _, w := range workflows {
		names = append(names, w.Queues...)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// readWorkers counts workers. One that drains takes no more items, so its slots do
// not count.
func (c *Cluster) readWorkers(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error) {
	workers, err := st.Workers(ctx)
	if err != nil {
		return nil, err
	}
	const draining = "draining"
	count := map[string]int{liveness.Alive: 0, draining: 0, liveness.Stale: 0, liveness.Dead: 0}
	slots, busy := 0, 0
	for _, w := range workers {
		state := liveness.Of(w.Age)
		switch {
		case state == liveness.Alive && w.Draining:
			state = draining
		case state == liveness.Alive:
			slots += w.Slots
			busy += len(w.Active)
		}
		count[state]++
	}
	metrics := []prometheus.Metric{seriesSlots.at(float64(slots)), seriesBusy.at(float64(busy))}
	for state, n := range count {
		metrics = append(metrics, seriesWorkers.at(float64(n), state))
	}
	return metrics, nil
}

// readTokens counts what only a look at every run can tell.
func (c *Cluster) readTokens(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error) {
	found, err := st.Survey(ctx, newPacer(c.surveyRate, c.cfg.Interval).pace)
	if err != nil {
		return nil, err
	}
	workflows, err := st.Workflows(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.queues = slices.Sorted(maps.Keys(found.Held))
	c.queues = slices.AppendSeq(c.queues, maps.Keys(found.Delayed))
	c.mu.Unlock()
	names, err := c.queueNames(ctx, st)
	if err != nil {
		return nil, err
	}
	metrics := []prometheus.Metric{}
	for _, name := range names {
		metrics = append(metrics,
			seriesItems.at(float64(found.Held[name]), name, "held"),
			seriesItems.at(float64(found.Delayed[name]), name, "delayed"))
	}
	return append(metrics, failedRuns(found.Failed, workflows)...), nil
}

func failedRuns(found map[redisstore.FailedRuns]int64, workflows []flox.WorkflowInfo) []prometheus.Metric {
	count := map[redisstore.FailedRuns]int64{}
	names := map[string]bool{}
	for _, w := range workflows {
		names[w.Name] = true
	}
	for of, n := range found {
		names[of.Workflow] = true
		if of.Class = cmp.Or(of.Class, classNone); !slices.Contains(classes, of.Class) {
			of.Class = classOther
		}
		count[of] += n
	}
	var metrics []prometheus.Metric
	for name := range names {
		for _, class := range classes {
			n := count[redisstore.FailedRuns{Workflow: name, Class: class}]
			metrics = append(metrics, seriesFailed.at(float64(n), name, class))
		}
	}
	return metrics
}

// readMemory measures keys.
func (c *Cluster) readMemory(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error) {
	used, err := st.Usage(ctx, redisstore.UsageConfig{Sample: memorySample, Pace: newPacer(c.memoryRate, c.cfg.Interval).pace})
	if errors.Is(err, flox.ErrNotFound) {
		err = nil // nothing is there yet
	}
	metrics := []prometheus.Metric{}
	for _, kind := range used.Kinds {
		metrics = append(metrics, seriesKeyMemory.at(float64(kind.Bytes), kind.Kind))
	}
	return metrics, err
}

// readServers asks the servers how they are. What one does not say is left out.
func (c *Cluster) readServers(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error) {
	servers, err := st.Health(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(servers) > 0 {
		clear(c.up)
	}
	for server := range c.up {
		c.up[server] = false
	}
	metrics := []prometheus.Metric{}
	for _, s := range servers {
		c.up[s.Address] = s.Err == nil
		if s.Err != nil {
			err = cmp.Or(err, s.Err)
			continue
		}
		metrics = append(metrics, c.server(s)...)
	}
	return metrics, err
}

func (c *Cluster) server(s redisstore.ServerHealth) []prometheus.Metric {
	var metrics []prometheus.Metric
	if s.Version() != "" {
		metrics = append(metrics, seriesInfo.at(1, s.Address, s.Version(), s.Mode()))
	}
	for _, of := range []struct {
		series series
		field  string
	}{
		{seriesMemory, "used_memory"}, {seriesMemoryMax, "maxmemory"}, {seriesEvicted, "evicted_keys"},
		{seriesAOF, "aof_enabled"}, {seriesSaved, "rdb_last_save_time"}, {seriesReplicas, "connected_slaves"},
		{seriesClients, "connected_clients"}, {seriesCommands, "total_commands_processed"},
	} {
		if n, ok := s.Number(of.field); ok {
			metrics = append(metrics, of.series.at(n, s.Address))
		}
	}
	if status, ok := s.Info["rdb_last_bgsave_status"]; ok {
		metrics = append(metrics, seriesPersists.at(truth(status == "ok"), s.Address, "rdb"))
	}
	if status, ok := s.Info["aof_last_write_status"]; ok && s.Info["aof_enabled"] == "1" {
		metrics = append(metrics, seriesPersists.at(truth(status == "ok"), s.Address, "aof"))
	}
	if lag, ok := s.Lag(); ok {
		metrics = append(metrics, seriesLag.at(lag, s.Address))
	}
	if c.clocks[s.Address] == nil {
		c.clocks[s.Address] = &clock{}
	}
	clock := c.clocks[s.Address]
	clock.read(s.Time, s.Sent, s.Answered)
	return append(metrics,
		seriesOffset.at(clock.offset.Seconds(), s.Address),
		seriesBackwards.at(float64(clock.backwards), s.Address))
}

// clock is what was seen of a server's clock.
type clock struct {
	offset    time.Duration // to the wall clock of this process
	backwards int           // times it went back
	// The least that it was ahead of this process's monotonic clock at the last
	// reading, from its start.
	ahead time.Duration
	known bool
}

// clockTolerance is by how much a clock may be slewed between two readings.
const clockTolerance = time.Second

// processStart is where the monotonic clock is read from.
var processStart = time.Now()

// read takes a reading of the server's clock that was asked for at sent, and known
// at answered. It was read at some time in between, so that a slow answer does not
// look like a clock that went back.
func (k *clock) read(server, sent, answered time.Time) {
	wall := func(t time.Time) time.Duration { return time.Duration(t.UnixNano()) }
	middle := wall(sent) + answered.Sub(sent)/2
	k.offset = wall(server) - middle
	most, least := wall(server)-sent.Sub(processStart), wall(server)-answered.Sub(processStart)
	if k.known && most < k.ahead-clockTolerance {
		k.backwards++
	}
	k.ahead, k.known = least, true
}
