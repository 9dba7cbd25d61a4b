package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func (a *app) duCmd() *cobra.Command {
	var cfg redisstore.UsageConfig
	cmd := &cobra.Command{
		Use:   "du",
		Short: "Measure the memory of runs, queues and all else that is kept",
		Long: `Measure the memory that the namespace takes, as Redis tells it: by kind of key, by
workflow, and of the largest runs. A run's memory is that of its own key, its state,
history and errors. Where there are more keys of a kind than --sample, as many are
measured and the rest is reckoned from them; the output says so.`,
		Example: `  orchestrator du
  orchestrator du --workflow order --top 20
  orchestrator du --run order-1001`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkUsage(cmd, cfg); err != nil {
				return err
			}
			return a.lenient(cmd.Context(), func(ctx context.Context, st *redisstore.Store) error { return a.du(ctx, st, cfg) })
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&cfg.Workflow, "workflow", "", "measure only runs of this workflow")
	fs.StringVar(&cfg.Run, "run", "", "measure only this `run`")
	fs.IntVar(&cfg.Top, "top", 10, "how many of the largest runs are named")
	fs.IntVar(&cfg.Sample, "sample", 10_000, "how many keys of a kind are measured, -1 for all")
	return cmd
}

func checkUsage(cmd *cobra.Command, cfg redisstore.UsageConfig) error {
	for flag, name := range map[string]string{"--workflow": cfg.Workflow, "--run": cfg.Run} {
		if name == "" {
			continue
		}
		if err := flox.CheckName(flag, name); err != nil {
			return flags.Usagef("%v", err)
		}
	}
	switch {
	case cfg.Workflow != "" && cfg.Run != "":
		return flags.Usagef("%s: want --workflow or --run, not both", cmd.Name())
	case cfg.Top < 1:
		return flags.Usagef("--top=%d: want 1 or more", cfg.Top)
	case cfg.Sample == 0 || cfg.Sample < -1:
		return flags.Usagef("--sample=%d: want 1 or more, or -1 for all", cfg.Sample)
	}
	return nil
}

// usageView is what du prints.
type usageView struct {
	redisstore.Usage
	AverageBytes int64 `json:"averageBytes"` // of a run
}

func (a *app) du(ctx context.Context, st *redisstore.Store, cfg redisstore.UsageConfig) error {
	line := a.progress()
	cfg.Progress = func(keys int) { line.show(fmt.Sprintf("measured keys: %s", number(int64(keys)))) }
	u, err := st.Usage(ctx, cfg)
	line.clear()
	switch {
	case isNotFound(err) && cfg.Run != "":
		return explain(cfg.Run, err)
	case isNotFound(err):
		return a.noNamespace(ctx, st, err)
	case err != nil:
		return err
	case cfg.Workflow != "" && u.Runs == 0:
		if _, err := (&session{st: st, ctl: flox.NewControl(st)}).workflow(ctx, cfg.Workflow); err != nil {
			return err
		}
	}
	u.Kinds, u.Workflows, u.Largest = list(u.Kinds), list(u.Workflows), list(u.Largest)
	if a.structured() {
		return a.printOne(usageView{u, u.Average()})
	}
	a.printUsage(u)
	return a.stdout.err
}

func (a *app) printUsage(u redisstore.Usage) {
	t := a.table("KIND", "KEYS", "MEASURED", "MEMORY")
	for _, k := range u.Kinds {
		t.row(k.Kind, number(k.Keys), number(k.Measured), size(k.Bytes))
	}
	t.row("all", "", "", size(u.Bytes))
	t.print(a.stdout)
	if len(u.Workflows) > 0 {
		a.printf("\n")
		t = a.table("WORKFLOW", "RUNS", "MEMORY", "A RUN")
		for _, w := range u.Workflows {
			t.row(w.Workflow, number(w.Runs), size(w.Bytes), size(w.Average()))
		}
		t.row("all", number(u.Runs), "", size(u.Average()))
		t.print(a.stdout)
	}
	if len(u.Largest) > 0 {
		a.printf("\n")
		t = a.table("LARGEST RUNS", "WORKFLOW", "STATUS", "MEMORY")
		for _, r := range u.Largest {
			t.row(r.Run, r.Workflow, r.Status, size(r.Bytes))
		}
		t.print(a.stdout)
	}
	if u.Sampled {
		a.notef("some was reckoned from a sample; add --sample -1 to measure everything\n")
	}
}

// size is a number of bytes as people read it.
func size(bytes int64) string {
	value, unit := float64(bytes), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
