package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

func (a *app) watchCmd() *cobra.Command {
	var f filterFlags
	cmd := &cobra.Command{
		Use:   "watch [RUN]",
		Short: "Follow a run to its end, or what happens to all runs",
		Long: `Follow a run to its end and show it; its end gives the exit code (0 completed,
3 failed, 4 cancelled, 5 --timeout passed first). Without a run, print each change
of any run's status until interrupted or, with exit code 0, --timeout has passed.

With -o json and jsonl, each change is one object a line; of one run, the last
object is the run as show has it. Changes are pushed by Redis; a run is looked at
once a second besides, because a push may be lost.`,
		Example: `  orchestrator watch order-1001 --timeout 5m
  orchestrator watch --workflow order --status failed,cancelled -o jsonl`,
		Args: wantRuns(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.filter()
			if err != nil {
				return err
			}
			if len(args) == 1 && f.given() {
				return flags.Usagef("watch: want a run, or --workflow, --status and --label for some of all runs, not both")
			}
			a.perLine()
			return a.open(cmd.Context(), func(s *session) error {
				if len(args) == 1 {
					return a.await(cmd.Context(), s, args[0], true)
				}
				return a.watchAll(cmd.Context(), s, filter)
			})
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	f.addKinds(fs)
	return cmd
}

// statusEvent is a change of a run's status.
type statusEvent struct {
	Time     time.Time   `json:"time"`
	Run      string      `json:"run"`
	Workflow string      `json:"workflow,omitempty"` // if it had to be looked up
	Status   flox.Status `json:"status"`
}

// watchAll prints events as they come, and on a terminal a live line with the
// counts of runs.
func (a *app) watchAll(ctx context.Context, s *session, filter flox.RunFilter) error {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	if err := a.knownWorkflow(ctx, s, filter.Workflow, false); err != nil {
		return err
	}
	events, err := s.st.Watch(ctx)
	if err != nil {
		return err
	}
	w := eventFilter{s: s, filter: filter, runs: map[string]flox.RunInfo{}}
	p := a.progress()
	defer p.end()
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	for changed := true; ; {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				return nil
			}
			changed = true
			if event, ok := w.takes(ctx, e); ok {
				p.clear()
				if err := a.printEvent(event); err != nil {
					return err
				}
			}
		case <-tick.C:
			if changed && p.terminal { // nobody sees the line elsewhere
				a.showStats(ctx, s, p)
				changed = false
			}
		}
	}
}

// showStats shows the counts of runs. It is a remark: an error is not worth one.
func (a *app) showStats(ctx context.Context, s *session, p *progress) {
	if stats, err := s.st.Stats(ctx); err == nil {
		p.show(statsText(stats))
	}
}

// eventFilter takes the events of the runs that a filter selects. What an event
// does not say of its run is read once.
type eventFilter struct {
	s      *session
	filter flox.RunFilter
	runs   map[string]flox.RunInfo // those read that have not ended
}

func (w *eventFilter) takes(ctx context.Context, e flox.RunEvent) (statusEvent, bool) {
	event := statusEvent{Time: time.Now(), Run: e.Run, Status: e.Status}
	f := w.filter
	if !(flox.RunFilter{Statuses: f.Statuses}).Passes(e.Status, nil) {
		return event, false
	}
	if f.Workflow == "" && len(f.Labels) == 0 {
		return event, true
	}
	run, known := w.runs[e.Run]
	if !known {
		var err error
		if run, err = w.s.st.Info(ctx, e.Run); err != nil {
			return event, false // it is gone
		}
		w.runs[e.Run] = run
	}
	if e.Status.Terminal() {
		delete(w.runs, e.Run)
	}
	event.Workflow = run.Workflow
	return event, (f.Workflow == "" || run.Workflow == f.Workflow) && f.Passes(e.Status, run.Labels)
}

func (a *app) printEvent(e statusEvent) error {
	if a.structured() {
		return a.printOne(e)
	}
	t := a.plainTable()
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
