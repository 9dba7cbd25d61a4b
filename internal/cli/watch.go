package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

func (a *app) watchCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "watch [RUN]",
		Short: "Follow a run to its end, or what happens to all runs",
		Long: `Follow a run to its end and show it; its end gives the exit code (0 completed,
3 failed, 4 cancelled, 5 --timeout passed first). With -o json, what happens is
one object a line, and the run itself the last object. Without a run, print each change
of any run's status until interrupted.`,
		Example: `  orchestrator watch order-1001 --timeout 5m
  orchestrator watch`,
		Args: wantRuns(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opening, cancel := a.request(cmd.Context())
			defer cancel()
			return a.connected(opening, func(s *session) error {
				if len(args) == 1 {
					return a.await(cmd.Context(), s, args[0], true)
				}
				return a.watchAll(cmd.Context(), s)
			})
		},
	}
}

// statusEvent is a line of watch -o json.
type statusEvent struct {
	Time time.Time `json:"time"`
	flox.RunEvent
}

// watchAll prints events as they come, and a live line with the counts of runs.
func (a *app) watchAll(ctx context.Context, s *session) error {
	if a.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout)
		defer cancel()
	}
	events, err := s.st.Watch(ctx)
	if err != nil {
		return err
	}
	p := a.progress()
	defer p.end()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				return nil
			}
			p.clear()
			if err := a.printEvent(statusEvent{time.Now(), e}); err != nil {
				return err
			}
		case <-tick.C:
			if stats, err := s.st.Stats(ctx); err == nil {
				p.show(statsText(stats))
			}
		}
	}
}

func (a *app) printEvent(e statusEvent) error {
	if a.json() {
		return a.printLine(e)
	}
	t := &table{colour: colours(a.stdout)}
	t.row(e.Time.Format(time.TimeOnly), e.Run, e.Status)
	t.print(a.stdout)
	return a.stdout.err
}

// statsText counts runs by status, over all workflows.
func statsText(stats map[string]map[flox.Status]int64) string {
	sums := map[flox.Status]int64{}
	for _, byStatus := range stats {
		for status, n := range byStatus {
			sums[status] += n
		}
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(sums)) {
		if sums[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", sums[status], status))
		}
	}
	if len(parts) == 0 {
		return "no runs"
	}
	return "runs: " + strings.Join(parts, ", ")
}
