package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/demorun"
)

// demoOrders is how many orders the demo runs, besides its link check.
const demoOrders = 200

func (a *app) demoCmd() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Kill a worker in the middle of 201 runs and check that nothing is lost or repeated",
		Long: `Start an embedded Redis, a web site and a payment gateway with known faults and
three worker processes, all on this machine; check the site's links and take 200
orders through payment and shipping; kill one worker with SIGKILL while it holds
work; then compare all outputs, states and the gateway's ledger with what had to
happen. Needs no Redis and takes less than a minute.`,
		Example: "  orchestrator demo",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			worker, err := workerPath(path)
			if err != nil {
				return err
			}
			p := a.progress()
			p.lines = true
			report, err := demorun.Run(cmd.Context(), demorun.Config{
				Worker: worker, Orders: demoOrders, Progress: p.show, Event: p.event,
			})
			p.end()
			if cmd.Context().Err() != nil {
				return errors.New("demo: interrupted; everything it started has ended")
			}
			if err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			return a.printDemo(report)
		},
	}
	cmd.Flags().StringVar(&path, "worker", "", "`path` of the worker program (default next to this one)")
	return cmd
}

// workerPath finds the worker program.
func workerPath(path string) (string, error) {
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("demo: %w; name the worker program with --worker", err)
		}
		path = filepath.Join(filepath.Dir(self), "worker")
		if runtime.GOOS == "windows" {
			path += ".exe"
		}
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", fmt.Errorf("demo: no worker program at %s; build it with: go build -o bin/ ./cmd/... or name it with --worker", path)
	}
	return filepath.Abs(path) // a bare name would be looked for in PATH
}

func (a *app) printDemo(r *demorun.Report) error {
	if a.structured() {
		if err := a.printOne(r); err != nil {
			return err
		}
	} else {
		t := a.table("WORKFLOW", "RESULT", "RUNS")
		for _, o := range r.Outcomes {
			t.row(o.Workflow, o.Result, o.Runs)
		}
		t.print(a.stdout)
		a.printf("\n%s (pid %d) was killed while it held %d steps; %d steps were committed, %d failed attempts repeated, in %s\n",
			r.Killed, r.KilledPID, r.Held, r.Steps, r.Retries, short(r.Took))
		a.printf("demo: %d/%d runs completed, %d lost, %d duplicated", r.Completed, r.Runs, r.Lost, r.Duplicated)
		if r.Wrong > 0 {
			a.printf(", %d otherwise wrong", r.Wrong)
		}
		a.printf("\n")
	}
	if r.OK() {
		return nil
	}
	for _, f := range r.Faults {
		a.notef("%s\n", clean(f))
	}
	return fmt.Errorf("demo: %d lost, %d duplicated, %d otherwise wrong; see above", r.Lost, r.Duplicated, r.Wrong)
}
