package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/floxrun/flox/integration/checker"
)

// row is the result of one job.
type row struct {
	Scenario   string             `json:"scenario"`
	Fault      string             `json:"fault"`
	Server     string             `json:"server"`
	Topology   string             `json:"topology"`
	Seed       uint64             `json:"seed"`
	Runs       int                `json:"runs"`
	Executions int                `json:"executions"`
	Repeated   int                `json:"repeated"` // executions of items that had been begun before
	Faults     map[string]int     `json:"faults"`
	Judged     int                `json:"judged"`
	Rules      string             `json:"rules"`
	Violations int                `json:"violations"`
	Details    string             `json:"details,omitempty"`
	Measures   map[string]float64 `json:"measures,omitempty"`
	Seconds    float64            `json:"seconds"`
	Error      string             `json:"error,omitempty"`
	Repeat     string             `json:"repeat"`
}

// ok reports whether everything held and everything fired.
func (r row) ok() bool { return r.Error == "" && r.Violations == 0 }

// perform runs the jobs and prints each row when it is there.
func perform(ctx context.Context, o *options, binary string, plan []job, out io.Writer) []row {
	fmt.Fprintf(out, "seed %d: %d rows\n", o.seed, len(plan))
	rows := make([]row, len(plan))
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, o.jobs)
	for i, j := range plan {
		if j.scenario.apart {
			wg.Wait()
		}
		slots <- struct{}{}
		if ctx.Err() != nil {
			rows = rows[:i]
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			rows[i] = one(ctx, o, binary, j)
			mu.Lock()
			defer mu.Unlock()
			rows[i].print(out)
		})
		if j.scenario.apart {
			wg.Wait()
		}
	}
	wg.Wait()
	return rows
}

// one runs one job.
func one(ctx context.Context, o *options, binary string, j job) row {
	began := time.Now()
	t, err := newTrial(ctx, o, j, binary)
	defer t.close()
	if err == nil {
		err = t.prepare(ctx)
	}
	if err == nil {
		err = j.scenario.run(ctx, t)
		// What can be judged is judged, also of a scenario that failed.
		err = errors.Join(err, t.settle(ctx))
	}
	r := row{
		Scenario: j.scenario.name, Fault: j.scenario.row, Server: j.server, Topology: j.topology, Seed: j.seed,
		Runs: len(t.wants), Faults: t.faults, Judged: t.report.Judgements(), Rules: t.report.String(),
		Violations: t.report.Violations(), Details: t.report.Details(), Measures: t.report.Measures,
		Repeat: o.repeat(j), Seconds: time.Since(began).Seconds(),
	}
	err = errors.Join(err, fired(t.faults))
	if t.Fleet != nil {
		r.count(t.Fleet.Log())
		if err != nil || r.Violations > 0 {
			r.Details += lastWords(t.Fleet.Said())
		}
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// fired says which faults did not.
func fired(faults map[string]int) error {
	var never []string
	for name, n := range faults {
		if n == 0 {
			never = append(never, name)
		}
	}
	slices.Sort(never)
	switch {
	case len(faults) == 0:
		return errors.New("no fault was told to have fired")
	case len(never) > 0:
		return fmt.Errorf("these faults never fired: %s", strings.Join(never, ", "))
	}
	return nil
}

// count counts what was executed, and what of it more than once; a retry after a
// failure is a further attempt, and is not counted as repeated.
func (r *row) count(file string) {
	log, err := checker.ReadLog(file)
	if err != nil {
		return
	}
	for _, e := range log {
		if e.Event == checker.Start {
			r.Executions++
		}
	}
	r.Repeated = repeated(log)
}

// lastWords is the end of what the workers said.
func lastWords(file string) string {
	said, err := os.ReadFile(filepath.Clean(file))
	if err != nil || len(said) == 0 {
		return ""
	}
	const most = 3000
	return "the workers said at last: " + string(said[max(0, len(said)-most):])
}
