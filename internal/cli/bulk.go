package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// mostAtOnce is how many runs a verb takes without --limit: more are probably
// not meant.
const mostAtOnce = 10_000

// bulkResult is what a verb did to the runs selected.
type bulkResult struct {
	Op      string      `json:"op"`
	DryRun  bool        `json:"dryRun"`
	Matched int64       `json:"matched"`
	Done    int64       `json:"done"`
	Skipped int64       `json:"skipped"` // had changed meanwhile
	Failed  int64       `json:"failed"`
	Counts  []bulkCount `json:"counts"` // of the matched
	Errors  []string    `json:"errors,omitempty"`
}

// bulkCount is how many of the runs matched are of a workflow and a status.
type bulkCount struct {
	Workflow string      `json:"workflow"`
	Status   flox.Status `json:"status"`
	Runs     int64       `json:"runs"`
}

// bulk does a verb to the runs that the filters select.
func (a *app) bulk(cmd *cobra.Command, f *controlFlags) error {
	filter, err := f.filter.filter()
	switch {
	case err != nil:
		return err
	case f.all && f.filter.given():
		return flags.Usagef("%s: --all and a filter: want one of them", f.op)
	case !f.all && !f.filter.given():
		return flags.Usagef("%s: RUN is missing; name runs, or select them with --workflow, --status, --label, --older-than, --newer-than or --all", f.op)
	case f.given("limit") && f.limit < 1:
		return flags.Usagef("--limit=%d: want 1 or more", f.limit)
	}
	return a.long(cmd.Context(), func(ctx context.Context, s *session) error {
		if f.from != "" && filter.Workflow != "" {
			if err := s.node(ctx, filter.Workflow, f.from); err != nil {
				return err
			}
		}
		return a.countAndDo(ctx, s, f, filter)
	})
}

func (a *app) countAndDo(ctx context.Context, s *session, f *controlFlags, filter flox.RunFilter) error {
	counted := time.Now()
	g := a.gauge()
	found, err := s.ctl.Bulk(ctx, f.op, filter, &flox.BulkConfig{Limit: f.limit, DryRun: true, Progress: func(r flox.BulkResult) {
		g.show(-1, r.Total, "counting: "+runsOf(r.Total))
	}})
	g.line.clear()
	if err != nil {
		return because(err, "%s: %v; nothing was changed", f.op, a.cause(ctx, err))
	}
	if found.Total == 0 && filter.Workflow != "" {
		if _, err := s.workflow(ctx, filter.Workflow); err != nil {
			return err
		}
	}
	if found.Total == 0 || f.dryRun {
		return a.printFound(f, found)
	}
	if err := a.agreed(ctx, f, found); err != nil {
		return err
	}
	// What has come since was not counted, and so not agreed to.
	filter.OlderThan = max(filter.OlderThan, time.Since(counted))
	return a.doAll(ctx, s, f, filter, found.Total)
}

// agreed returns nil if the operator wants it done.
func (a *app) agreed(ctx context.Context, f *controlFlags, found flox.BulkResult) error {
	switch what := fmt.Sprintf("%s (%s)", runsOf(found.Total), summary(found)); {
	case found.Total > mostAtOnce && f.limit == 0:
		return flags.Usagef("%s: %s match, more than %s; narrow the filter, or pass --limit N for the newest N of them",
			f.op, runsOf(found.Total), number(mostAtOnce))
	case f.yes:
		return nil
	case !isTerminal(a.stdin) || !isTerminal(a.stderr):
		return flags.Usagef("%s: would %s %s; pass --yes to do it", f.op, f.op, what)
	default:
		op := string(f.op)
		a.notef("%s%s %s? [y/N] ", strings.ToUpper(op[:1]), op[1:], what)
	}
	answered := make(chan bool, 1)
	go func() { answered <- yes(a.stdin) }()
	select {
	case <-ctx.Done():
		a.notef("\n")
		return fmt.Errorf("%s: %w; nothing was changed", f.op, interrupted(ctx))
	case ok := <-answered:
		if !ok {
			return fmt.Errorf("%s: not confirmed; nothing was changed", f.op)
		}
	}
	return nil
}

// yes reports whether the next line is a y.
func yes(r io.Reader) bool {
	answer, _ := bufio.NewReader(r).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

func (a *app) doAll(ctx context.Context, s *session, f *controlFlags, filter flox.RunFilter, total int64) error {
	g := a.gauge()
	done, err := s.ctl.Bulk(ctx, f.op, filter, &flox.BulkConfig{Limit: int(total), From: f.from, Progress: func(r flox.BulkResult) {
		n := r.Done + r.Skipped + r.Failed
		g.show(float64(n)/float64(total), n, f.doneText(r))
	}})
	g.line.clear()
	result := asResult(f, done)
	code := ExitOK
	for _, err := range a.parts(ctx, err) {
		a.report(err)
		result.Errors = append(result.Errors, oneLine(err.Error()))
		code = ExitError
	}
	if a.structured() {
		if err := a.printOne(result); err != nil {
			return err
		}
	} else {
		a.printf("%s\n", f.doneText(done))
	}
	if code != ExitOK {
		return reported(code)
	}
	return nil
}

// parts are the errors that a Bulk has joined, each worded for people.
func (a *app) parts(ctx context.Context, err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	parts := joined.Unwrap()
	for i, part := range parts {
		if r, ok := errors.AsType[*flox.RefusedError](part); ok {
			parts[i] = refused(r.Run, part)
		}
	}
	if ctx.Err() != nil {
		parts[len(parts)-1] = fmt.Errorf("%w; repeat the command to go on", interrupted(ctx))
	}
	return parts
}

// cause is what ended ctx, if it did, else err.
func (a *app) cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return interrupted(ctx)
	}
	return err
}

// doneText is how far it came, as "cancelled 1,200, skipped 34 (changed
// meanwhile), failed 0".
func (f *controlFlags) doneText(r flox.BulkResult) string {
	return fmt.Sprintf("%s %s, skipped %s (changed meanwhile), failed %s", f.done, number(r.Done), number(r.Skipped), number(r.Failed))
}

func asResult(f *controlFlags, r flox.BulkResult) bulkResult {
	return bulkResult{
		Op: string(f.op), DryRun: f.dryRun, Matched: r.Total, Done: r.Done, Skipped: r.Skipped, Failed: r.Failed,
		Counts: counts(r),
	}
}

// printFound prints what a filter selects.
func (a *app) printFound(f *controlFlags, found flox.BulkResult) error {
	if a.structured() {
		return a.printOne(asResult(f, found))
	}
	if found.Total == 0 {
		a.notef("no run matches\n")
		return nil
	}
	t := a.table("WORKFLOW", "STATUS", "RUNS")
	for _, c := range counts(found) {
		t.row(c.Workflow, c.Status, number(c.Runs))
	}
	t.row("all", "", number(found.Total))
	t.print(a.stdout)
	return nil
}

// counts are the runs found by workflow, then by status, the most first.
func counts(r flox.BulkResult) []bulkCount {
	all := []bulkCount{}
	for _, workflow := range slices.Sorted(maps.Keys(r.Matched)) {
		var some []bulkCount
		for status, n := range r.Matched[workflow] {
			some = append(some, bulkCount{workflow, status, n})
		}
		slices.SortFunc(some, func(a, b bulkCount) int {
			return cmp.Or(cmp.Compare(b.Runs, a.Runs), cmp.Compare(a.Status, b.Status))
		})
		all = append(all, some...)
	}
	return all
}

// mostNamed is how many counts a question shows.
const mostNamed = 6

// summary is the counts in words, as "order 1,200 running, 34 paused".
func summary(r flox.BulkResult) string {
	var words []string
	last := ""
	all := counts(r)
	for _, c := range all[:min(len(all), mostNamed)] {
		word := number(c.Runs) + " " + string(c.Status)
		if c.Workflow != last {
			word = c.Workflow + " " + word
		}
		words, last = append(words, word), c.Workflow
	}
	if len(all) > mostNamed {
		words = append(words, "and others")
	}
	return strings.Join(words, ", ")
}
