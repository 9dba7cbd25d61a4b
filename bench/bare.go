package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
)

// bareChains is the limit on this machine: flox's own scripts with their own
// arguments, sent as fast as can be by what does nothing else. With how many
// connections that is fastest is tried, each on a server of its own.
func bareChains(ctx context.Context, e *env) ([]Sample, error) {
	counts := []int{1, 2, 4}
	if e.quick {
		counts = []int{2}
	}
	var best []Sample
	for _, conns := range counts {
		got, err := bareRound(ctx, e, conns)
		if err != nil {
			return nil, fmt.Errorf("%d connections: %w", conns, err)
		}
		if best == nil || got[0].Value > best[0].Value {
			best = got
		}
	}
	return best, nil
}

// bareRound starts and drains the chains over so many connections. The first sample is
// the drain's rate.
func bareRound(ctx context.Context, e *env, conns int) ([]Sample, error) {
	defer e.close()
	srv, err := e.server(ctx)
	if err != nil {
		return nil, err
	}
	t, err := record(ctx, srv.URL())
	if err != nil {
		return nil, fmt.Errorf("record a run: %w", err)
	}
	d, err := newDriver(srv, t, conns)
	if err != nil {
		return nil, err
	}
	defer d.close()
	began := time.Now()
	if err := d.start(e.chains); err != nil {
		return nil, err
	}
	started := time.Since(began)
	r := e.client(srv)
	before, err := redisCPU(ctx, r)
	if err != nil {
		return nil, err
	}
	began = time.Now()
	if err := d.drain(); err != nil {
		return nil, err
	}
	drained := time.Since(began)
	after, err := redisCPU(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := allCompleted(ctx, srv, e.chains); err != nil {
		return nil, err
	}
	steps := float64(3 * e.chains)
	sample := func(metric, unit string, v float64) Sample {
		return Sample{Workload: "W1", System: "bare", Metric: metric, Unit: unit, Value: v}
	}
	return []Sample{
		sample("drain", "steps/s", steps/drained.Seconds()),
		sample("start", "runs/s", float64(e.chains)/started.Seconds()),
		sample("redis cpu", "µs/step", (after-before).Seconds()*1e6/steps),
		sample("connections", "", float64(conns)),
	}, nil
}

// bareRun is the id of the driver's i-th run.
func bareRun(i int) string { return fmt.Sprintf("bare-%08d", i) }

// allCompleted asks flox itself whether it takes the driver's runs for completed, with
// all of their steps.
func allCompleted(ctx context.Context, srv *testredis.Server, n int) error {
	st, err := openStore(ctx, srv.URL())
	if err != nil {
		return err
	}
	defer st.Close()
	control := flox.NewControl(st)
	var askers errgroup.Group
	askers.SetLimit(concurrency)
	for i := range n {
		askers.Go(func() error {
			info, err := control.Show(ctx, bareRun(i))
			if err == nil && (info.Status != flox.StatusCompleted || info.Counts.Committed != 3) {
				err = fmt.Errorf("run %s is %s after %d steps", info.ID, info.Status, info.Counts.Committed)
			}
			return err
		})
	}
	return askers.Wait()
}

// driver sends what one run was recorded to send, for many runs.
type driver struct {
	conns []*wire
	claim []byte
	first template
	steps []template
}

func newDriver(srv *testredis.Server, t *tape, conns int) (*driver, error) {
	d := &driver{claim: claimCommand(t.claim, batch)}
	for _, args := range t.calls {
		step, err := makeTemplate(args, t.sources)
		if err != nil {
			return nil, err
		}
		d.steps = append(d.steps, step)
	}
	d.first, d.steps = d.steps[0], d.steps[1:]
	for range conns {
		w, err := dialWire(srv.Addr())
		if err != nil {
			return nil, err
		}
		d.conns = append(d.conns, w)
	}
	return d, nil
}

func (d *driver) close() {
	for _, w := range d.conns {
		_ = w.conn.Close()
	}
}

// each calls f for all connections at once.
func (d *driver) each(f func(i int, w *wire) error) error {
	var all errgroup.Group
	for i, w := range d.conns {
		all.Go(func() error { return f(i, w) })
	}
	return all.Wait()
}

// start starts n runs.
func (d *driver) start(n int) error {
	return d.each(func(i int, w *wire) error {
		var mine []claimed
		for run := i; run < n; run += len(d.conns) {
			mine = append(mine, claimed{run: bareRun(run)})
		}
		for some := range slices.Chunk(mine, batch) {
			if err := w.pipeline(d.first, some); err != nil {
				return fmt.Errorf("start: %w", err)
			}
		}
		return nil
	})
}

// drain claims entries and does all steps of their runs until there are no more.
func (d *driver) drain() error {
	return d.each(func(_ int, w *wire) error {
		for {
			entries, err := w.claim(d.claim)
			if err != nil || len(entries) == 0 {
				return err
			}
			for i, step := range d.steps {
				if err := w.pipeline(step, entries); err != nil {
					return fmt.Errorf("call %d: %w", i+1, err)
				}
			}
		}
	})
}
