package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

func (a *app) workersCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "workers",
		Short:   "List the workers and how busy they are",
		Example: "  orchestrator workers",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				workers, err := s.st.Workers(ctx)
				if err != nil {
					return err
				}
				for i := range workers {
					workers[i].Active = list(workers[i].Active)
				}
				if a.json() {
					return a.printJSON(map[string]any{"workers": list(workers)})
				}
				a.printWorkers(workers)
				return nil
			})
		},
	}
}

func (a *app) printWorkers(workers []flox.WorkerInfo) {
	t := a.table("WORKER", "PID", "SLOTS", "BUSY", "DRAINING", "LAST BEAT", "UP SINCE", "VERSION", "QUEUES")
	for _, w := range workers {
		t.row(w.ID, w.PID, w.Slots, len(w.Active), w.Draining, short(w.Age)+" ago", stamp(w.Started), w.Version,
			strings.Join(w.Queues, ","))
	}
	t.print(a.stdout)
}

// queuesView is what queues prints. Delayed tokens wait outside their queues.
type queuesView struct {
	Queues  []queueView `json:"queues"`
	Delayed int64       `json:"delayed"`
}

type queueView struct {
	Name   string `json:"name"`
	Ready  int64  `json:"ready"`
	Leased int64  `json:"leased"`
	Oldest int64  `json:"oldest"` // in nanoseconds
}

func (a *app) queuesCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "queues",
		Short:   "List the queues and how full they are",
		Example: "  orchestrator queues",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				stats, err := s.queues(ctx)
				if err != nil {
					return err
				}
				return a.printQueues(stats)
			})
		},
	}
}

// queues returns the queues of all registered workflows, by name.
func (s *session) queues(ctx context.Context) ([]flox.QueueStats, error) {
	workflows, err := s.st.Workflows(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, w := range workflows {
		names = append(names, w.Queues...)
	}
	if len(names) == 0 {
		return nil, nil
	}
	slices.Sort(names)
	return s.st.Queues(ctx, slices.Compact(names))
}

func (a *app) printQueues(stats []flox.QueueStats) error {
	v := queuesView{Queues: []queueView{}}
	t := a.table("QUEUE", "READY", "LEASED", "OLDEST")
	for _, q := range stats {
		v.Queues = append(v.Queues, queueView{q.Name, q.Ready, q.Leased, q.Oldest.Nanoseconds()})
		v.Delayed = q.Delayed
		t.row(q.Name, q.Ready, q.Leased, short(q.Oldest))
	}
	if a.json() {
		return a.printJSON(v)
	}
	t.print(a.stdout)
	a.printf("delayed in all queues: %d\n", v.Delayed)
	return nil
}
