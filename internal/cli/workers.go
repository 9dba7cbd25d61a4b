package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/liveness"
	"github.com/floxrun/flox/pkg/flox"
)

// workerView is one worker process.
type workerView struct {
	ID        string     `json:"id"`     // unique to the process
	Name      string     `json:"name"`   // as configured
	Status    string     `json:"status"` // alive, stale or dead
	PID       int        `json:"pid"`
	Started   time.Time  `json:"started"`
	Version   string     `json:"version"`
	Workflows []string   `json:"workflows"`
	Queues    []string   `json:"queues"`
	Slots     int        `json:"slots"`    // items it does at a time
	Busy      int        `json:"busy"`     // of the slots
	Draining  bool       `json:"draining"` // it stops, and takes no more
	AgeMs     millis     `json:"ageMs"`    // since its last beat
	Active    []doingRow `json:"active"`   // what it is doing
}

// doingRow is one item that a worker is at.
type doingRow struct {
	Worker string  `json:"worker"`
	Run    string  `json:"run"`
	Item   string  `json:"item"`
	Node   string  `json:"node"`
	ForMs  millis  `json:"forMs"`           // as of its last beat
	Share  float64 `json:"share,omitempty"` // of the work that is done, as the node says: 0 to 1
	Note   string  `json:"note,omitempty"`  // what the node says
}

func newWorkerView(w flox.WorkerInfo) workerView {
	v := workerView{
		ID: w.ID, Name: w.Name, Status: liveness.Of(w.Age), PID: w.PID, Started: w.Started, Version: w.Version,
		Workflows: list(w.Workflows), Queues: list(w.Queues), Slots: w.Slots, Busy: len(w.Active), Draining: w.Draining,
		AgeMs: asMillis(w.Age), Active: []doingRow{},
	}
	for _, item := range w.Active {
		v.Active = append(v.Active, doingRow{w.ID, item.Run, item.Item, item.Node, asMillis(item.For), item.Share, item.Note})
	}
	return v
}

var workerColumns = []column[workerView]{
	{"WORKER", false, func(w workerView) any { return w.ID }},
	{"STATUS", false, func(w workerView) any { return w.Status }},
	{"BUSY", false, func(w workerView) any { return fmt.Sprintf("%d/%d", w.Busy, w.Slots) }},
	{"DRAINING", false, func(w workerView) any { return w.Draining }},
	{"LAST BEAT", false, func(w workerView) any { return shortMs(w.AgeMs) + " ago" }},
	{"UP SINCE", false, func(w workerView) any { return stamp(w.Started) }},
	{"PID", true, func(w workerView) any { return w.PID }},
	{"WORKFLOWS", true, func(w workerView) any { return strings.Join(w.Workflows, ",") }},
	{"QUEUES", true, func(w workerView) any { return strings.Join(w.Queues, ",") }},
	{"DOING", true, func(w workerView) any { return w.doing() }},
	{"VERSION", false, func(w workerView) any { return w.Version }},
}

// doing lists the items of a worker, as run/item@node.
func (w workerView) doing() string {
	var parts []string
	for _, item := range w.Active {
		parts = append(parts, fmt.Sprintf("%s/%s@%s", item.Run, item.Item, item.Node))
	}
	return strings.Join(parts, " ")
}

var doingColumns = []column[doingRow]{
	{"WORKER", false, func(r doingRow) any { return r.Worker }},
	{"RUN", false, func(r doingRow) any { return r.Run }},
	{"ITEM", false, func(r doingRow) any { return r.Item }},
	{"NODE", false, func(r doingRow) any { return r.Node }},
	{"FOR", false, func(r doingRow) any { return shortMs(r.ForMs) }},
	{"PROGRESS", false, doingRow.progress},
}

func (r doingRow) progress() any {
	if r.Share == 0 {
		return r.Note
	}
	return strings.TrimSpace(fmt.Sprintf("%.0f%% %s", 100*r.Share, r.Note))
}

func (a *app) workersCmd() *cobra.Command {
	var items bool
	cmd := &cobra.Command{
		Use:   "workers",
		Short: "List the workers: alive, stale or dead, and what each is doing",
		Long: `List the workers that were there within the last day. One is alive if its last beat
is less than 15s old, stale if it is less than 60s old, else dead: what it had is
done by others.`,
		Example: `  orchestrator workers
  orchestrator workers --items
  orchestrator workers -o jsonl`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error { return a.workers(ctx, s, items) })
		},
	}
	cmd.Flags().BoolVar(&items, "items", false, "list what they are doing, an item a row")
	return cmd
}

func (a *app) workers(ctx context.Context, s *session, items bool) error {
	workers, err := s.st.Workers(ctx)
	if err != nil {
		return err
	}
	var views []workerView
	var doing []doingRow
	for _, w := range workers {
		v := newWorkerView(w)
		views, doing = append(views, v), append(doing, v.Active...)
	}
	if items {
		return printRows(a, "items", doingColumns, doing)
	}
	return printRows(a, "workers", workerColumns, views)
}
