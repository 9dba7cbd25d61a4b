package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// limit is how long one measurement may take.
const limit = 5 * time.Minute

// measure does everything that the options ask for: in each repetition each system of
// each workload, one after the other.
func measure(ctx context.Context, o options, progress io.Writer) (*report, error) {
	var chosen []workload
	for _, w := range workloads() {
		if !o.workload.MatchString(w.name) {
			continue
		}
		var systems []system
		for _, s := range w.systems {
			if o.system.MatchString(s.name) {
				systems = append(systems, s)
			}
		}
		if w.systems = systems; len(systems) > 0 {
			chosen = append(chosen, w)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("nothing to measure: no workload and system match")
	}
	quiet, err := newQuiet(ctx)
	if err != nil {
		return nil, err
	}
	defer quiet.close()
	r := &report{About: about(ctx, o, quiet.client), workloads: chosen}
	for rep := range o.repeat {
		for _, w := range chosen {
			for _, s := range w.systems {
				if err := quiet.look(ctx); err != nil {
					return nil, err
				}
				began := time.Now()
				got, err := one(ctx, s, o.quick)
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				what := fmt.Sprintf("%d/%d %s %s", rep+1, o.repeat, w.name, s.name)
				switch took := time.Since(began).Seconds(); {
				case err != nil:
					fmt.Fprintf(progress, "%s: failed after %.1fs: %v\n", what, took, err)
					r.Failures = append(r.Failures, fmt.Sprintf("%s: %v", what, err))
				case len(got) > 0: // else it is not for this size
					fmt.Fprintf(progress, "%s: %.1fs\n", what, took)
					r.add(got, rep)
				}
			}
		}
	}
	if err := quiet.look(ctx); err != nil {
		return nil, err
	}
	r.Noise = quiet.verdict()
	r.sum()
	return r, nil
}

// one measures one system once.
func one(ctx context.Context, s system, quick bool) ([]Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	e := &env{sizes: fullSizes, quick: quick}
	if quick {
		e.sizes = quickSizes
	}
	defer e.close()
	return s.run(ctx, e)
}
