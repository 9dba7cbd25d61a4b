package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// historyView is one finished step on the run's timeline.
type historyView struct {
	OffsetMs millis    `json:"offsetMs"` // from the run's start until it began
	TookMs   millis    `json:"tookMs"`   // the node, in the last attempt
	Item     string    `json:"item"`     // <token>.<step>
	Node     string    `json:"node"`
	Outcome  string    `json:"outcome"` // next, end, deposit, fan, fallback, hold, await, answered, undone
	Attempt  int       `json:"attempt"` // counted from 1
	Worker   string    `json:"worker"`
	Time     time.Time `json:"time"`             // of the commit
	Undoes   string    `json:"undoes,omitempty"` // the node whose item it undid
}

func newHistoryView(run flox.RunInfo, s flox.StepRecord) historyView {
	return historyView{
		OffsetMs: asMillis(s.Time.Add(-s.Duration).Sub(run.Created)), TookMs: asMillis(s.Duration),
		Item: s.Item, Node: s.Node, Outcome: s.Outcome, Attempt: s.Attempt, Worker: s.Worker, Time: s.Time, Undoes: s.Undoes,
	}
}

var historyColumns = []column[historyView]{
	{"OFFSET", false, func(v historyView) any { return shortMs(v.OffsetMs) }},
	{"TOOK", false, func(v historyView) any { return shortMs(v.TookMs) }},
	{"NODE", false, func(v historyView) any { return v.Node }},
	{"OUTCOME", false, func(v historyView) any { return v.Outcome }},
	{"ATTEMPT", false, func(v historyView) any { return v.Attempt }},
	{"ITEM", false, func(v historyView) any { return v.Item }},
	{"AT", true, func(v historyView) any { return stamp(v.Time) }},
	{"WORKER", true, func(v historyView) any { return v.Worker }},
	{"UNDOES", true, func(v historyView) any { return v.Undoes }},
}

func (a *app) historyCmd() *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "history RUN",
		Short: "List a run's finished steps in the order of their commits, as a timeline",
		Long: `List a run's finished steps in the order of their commits: when each began, counted
from the run's start, and how long it took. The newest 10,000 are kept.

With --follow go on until the run ends; its end gives the exit code, as of watch,
and -o json prints one object a line.`,
		Example: `  orchestrator history order-1001
  orchestrator history order-1001 --follow -o jsonl`,
		Args: wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.open(cmd.Context(), func(s *session) error {
				if follow {
					return a.followHistory(cmd.Context(), s, args[0])
				}
				return explain(args[0], a.history(cmd.Context(), s, args[0]))
			})
		},
	}
	cmd.Flags().BoolVar(&follow, "follow", false, "go on until the run ends")
	return cmd
}

func (a *app) history(ctx context.Context, s *session, id string) error {
	var run flox.RunInfo
	err := a.ask(ctx, func(ctx context.Context) (err error) {
		run, err = s.ctl.Show(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	list := newRows(a, "steps", historyColumns)
	if err := a.printSteps(ctx, &historyReader{s: s, run: id}, run, list); err != nil {
		return err
	}
	return list.end()
}

// printSteps prints the steps that the reader has not read yet.
func (a *app) printSteps(ctx context.Context, h *historyReader, run flox.RunInfo, list *rows[historyView]) error {
	for {
		var steps []flox.StepRecord
		err := a.ask(ctx, func(ctx context.Context) (err error) {
			steps, err = h.next(ctx)
			return err
		})
		if err != nil || len(steps) == 0 {
			return err
		}
		for _, step := range steps {
			if err := list.add(newHistoryView(run, step)); err != nil {
				return err
			}
		}
	}
}

func (a *app) followHistory(ctx context.Context, s *session, id string) error {
	a.perLine()
	ctx, cancel := a.limited(ctx)
	defer cancel()
	h := &historyReader{s: s, run: id}
	list := newRows(a, "steps", historyColumns)
	info, err := s.follow(ctx, id, func(run flox.RunInfo) error {
		err := a.printSteps(ctx, h, run, list)
		list.flush()
		return err
	})
	if err != nil {
		return a.notAwaited(ctx, id, err)
	}
	if h.missed {
		a.notef("note: steps are missing: the run finished more than 10,000 in a moment\n")
	}
	return ended(info)
}

// historyPage is how many steps are asked for at a time.
const historyPage = 500

// historyReader reads the steps of a run in the order of their commits, each
// once, also while the run goes on. The store forgets the oldest of many; those
// behind then move to the front, and the reader looks for the last one it had.
type historyReader struct {
	s      *session
	run    string
	at     int    // where the next step was to come
	last   string // the item of the last step read, "" for none
	missed bool   // it was forgotten already
}

// next returns the next steps, none after the last for now.
func (h *historyReader) next(ctx context.Context) ([]flox.StepRecord, error) {
	for from := max(h.at-1, 0); ; {
		page, err := h.s.st.History(ctx, h.run, from, historyPage+1)
		if err != nil {
			return nil, err
		}
		last := slices.IndexFunc(page, func(s flox.StepRecord) bool { return s.Item == h.last })
		switch {
		case h.last == "" || last >= 0:
			h.at = from + len(page)
			steps := page[last+1:]
			if len(steps) > 0 {
				h.last = steps[len(steps)-1].Item
			}
			return steps, nil
		case from == 0:
			h.last, h.missed = "", true
		default:
			from = max(from-historyPage, 0)
		}
	}
}
