package cli

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func (a *app) doctorCmd() *cobra.Command {
	var cfg redisstore.ExamineConfig
	var limit int
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with the server and the namespace, and mend it",
		Long: `Find what is wrong with the server and all that the namespace keeps there: runs that
stand still, tokens that are in no queue, keys of a wrong type or left over, leases
of dead workers, wrong counts, settings with which data may be lost. docs/doctor.md
lists the findings.

Without --fix nothing is written. --fix mends what can be mended; it is safe while
workers run. Exit code 0 if there is no problem or all were mended, 8 if some are
left. A finding of severity info is no problem.`,
		Example: `  orchestrator doctor
  orchestrator doctor --fix
  orchestrator doctor --run order-1001 -o json`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return flags.Usagef("--limit=%d: want zero (for all) or more", limit)
			}
			if cfg.Run != "" {
				if err := flox.CheckName("--run", cfg.Run); err != nil {
					return flags.Usagef("%v", err)
				}
			}
			return a.lenient(cmd.Context(), func(ctx context.Context, st *redisstore.Store) error {
				return a.examine(ctx, st, cfg, limit)
			})
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVar(&cfg.Fix, "fix", false, "mend what can be mended")
	fs.StringVar(&cfg.Run, "run", "", "look only at this `run`")
	fs.BoolVar(&cfg.Deep, "deep", false, "read also all that completed and cancelled runs keep; may take long")
	fs.DurationVar(&cfg.Lease, "lease", 0, "lease of the workers (default 10s)")
	fs.IntVar(&limit, "limit", 100, "most findings that are printed, 0 for all; all are counted")
	return cmd
}

// lenient opens the store also where flox should not work, for fn, which may take
// any time: --timeout ends it if it is given.
func (a *app) lenient(ctx context.Context, fn func(context.Context, *redisstore.Store) error) error {
	opening, cancel := a.request(ctx)
	defer cancel()
	st, err := redisstore.Open(opening, redisstore.Config{
		URL: a.redis, Namespace: a.namespace, Embedded: a.embedded, Lenient: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return timedOut(opening, err)
	}
	defer st.Close()
	if a.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, a.timeout, fmt.Errorf("--timeout of %v is over", a.timeout))
		defer cancel()
	}
	if err = fn(ctx, st); err != nil && ctx.Err() != nil {
		return interrupted(ctx)
	}
	return err
}

// diagnosis counts the findings of one examination.
type diagnosis struct {
	found, problems, mended int
	unprinted               map[string]int // by kind
}

var findingColumns = []column[redisstore.Finding]{
	{"SEVERITY", false, func(f redisstore.Finding) any { return f.Severity }},
	{"KIND", false, func(f redisstore.Finding) any { return f.Kind }},
	{"SUBJECT", false, func(f redisstore.Finding) any { return f.Subject }},
	{"FIX", false, func(f redisstore.Finding) any { return remedy(f) }},
	{"DETAIL", false, func(f redisstore.Finding) any { return f.Detail }},
}

// remedy says what is to be done about a finding.
func remedy(f redisstore.Finding) string {
	switch {
	case f.Mended:
		return "mended"
	case f.Fix != "":
		return "--fix: " + f.Fix
	}
	return ""
}

func (a *app) examine(ctx context.Context, st *redisstore.Store, cfg redisstore.ExamineConfig, limit int) error {
	line := a.progress()
	cfg.Progress = func(stage string, done int) { line.show(fmt.Sprintf("looked at %s: %s", stage, number(int64(done)))) }
	table, d := newRows(a, "findings", findingColumns), diagnosis{unprinted: map[string]int{}}
	for f, err := range st.Examine(ctx, cfg) {
		if err != nil {
			line.clear()
			table.flush()
			if cfg.Run != "" {
				return explain(cfg.Run, err)
			}
			return err
		}
		if d.count(f); limit > 0 && d.found > limit {
			d.unprinted[f.Kind]++
			continue
		}
		line.clear()
		if err := table.add(f); err != nil {
			return err
		}
	}
	line.clear()
	if d.found == 0 && !a.structured() {
		a.printf("nothing found: namespace %s is healthy\n", a.namespace)
		return nil
	}
	err := table.end(extra{"found", d.found}, extra{"problems", d.problems}, extra{"mended", d.mended})
	if err != nil {
		return err
	}
	a.conclude(d)
	if d.problems > 0 {
		return reported(ExitUnhealthy)
	}
	return nil
}

func (d *diagnosis) count(f redisstore.Finding) {
	d.found++
	if f.Problem() {
		d.problems++
	}
	if f.Mended {
		d.mended++
	}
}

// conclude says what came of it: for people with the result, else beside it.
func (a *app) conclude(d diagnosis) {
	say := a.printf
	if a.structured() {
		say = a.notef
	}
	if len(d.unprinted) > 0 {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(d.unprinted)) {
			kinds = append(kinds, fmt.Sprintf("%s %s", number(int64(d.unprinted[kind])), kind))
		}
		say("and more, see --limit: %s\n", strings.Join(kinds, ", "))
	}
	if !a.structured() {
		say("found %s, mended %s, problems left %s\n", number(int64(d.found)), number(int64(d.mended)), number(int64(d.problems)))
	}
}
