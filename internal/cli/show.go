package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// runView is what show prints of a run.
type runView struct {
	flox.RunInfo
	Standing []standing         `json:"standing"` // how many tokens stand where
	Tokens   []itemView         `json:"tokens"`   // the first 100
	State    stateView          `json:"state"`    // the newest 10 deltas
	Outputs  []json.RawMessage  `json:"outputs"`
	Timings  timings            `json:"timings"`
	Errors   []flox.ErrorRecord `json:"errors"` // the newest 5
}

// standing counts the live tokens of a run at one node.
type standing struct {
	Node   string          `json:"node"`
	Place  flox.TokenPlace `json:"place"`
	Signal string          `json:"signal,omitempty"` // they wait for
	Count  int             `json:"count"`
}

const (
	shownErrors = 5
	shownDeltas = 10
	shownTokens = 100
	tableTokens = 10 // shown in a table that is not wide
)

func (a *app) showCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show how a run stands: counts, tokens, state, output, timings, errors",
		Long: `Show how a run stands: what it is, where its tokens are, the newest of its state and
its errors, its output, and how long its nodes took. Timings are those of the newest
10,000 steps. See items, state, errors and history for all of it.`,
		Example: `  orchestrator show order-1001
  orchestrator show order-1001 -o json`,
		Args: wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.open(cmd.Context(), func(s *session) error {
				v, err := a.view(cmd.Context(), s, args[0])
				if err != nil {
					return explain(args[0], err)
				}
				return a.printView(v)
			})
		},
	}
}

func (a *app) printView(v runView) error {
	if a.structured() {
		return a.printOne(v)
	}
	a.printRun(v)
	return a.stdout.err
}

func (a *app) view(ctx context.Context, s *session, id string) (runView, error) {
	v := runView{Outputs: []json.RawMessage{}}
	var doing map[itemKey]flox.ActiveItem
	err := a.ask(ctx, func(ctx context.Context) (err error) {
		if v.RunInfo, err = s.ctl.Show(ctx, id); err != nil {
			return err
		}
		if doing, err = s.doing(ctx); err != nil {
			return err
		}
		return s.records(ctx, &v)
	})
	if err != nil {
		return v, err
	}
	if err := a.viewTokens(ctx, s, &v, doing); err != nil {
		return v, err
	}
	v.Timings, err = a.timings(ctx, s, v.RunInfo)
	return v, err
}

// records reads what is kept of the run besides its tokens and its steps.
func (s *session) records(ctx context.Context, v *runView) error {
	log, err := s.st.State(ctx, v.ID, max(0, v.Counts.Version-shownDeltas))
	if err != nil {
		return err
	}
	v.State = newStateView(log)
	v.State.Deltas = v.State.Deltas[max(0, len(v.State.Deltas)-shownDeltas):]
	outs, err := s.st.Outputs(ctx, v.ID)
	if err != nil {
		return err
	}
	for _, out := range outs {
		v.Outputs = append(v.Outputs, rendered(out))
	}
	if v.Errors, err = s.st.Errors(ctx, v.ID); err != nil {
		return err
	}
	v.Errors = list(v.Errors[max(0, len(v.Errors)-shownErrors):])
	return nil
}

func (a *app) viewTokens(ctx context.Context, s *session, v *runView, doing map[itemKey]flox.ActiveItem) error {
	v.Tokens = []itemView{}
	counts := map[standing]int{}
	for token, err := range s.tokens(ctx, v.ID, a.ask) {
		if err != nil {
			return err
		}
		counts[standing{Node: token.Node, Place: token.Place, Signal: token.Signal}]++
		if len(v.Tokens) < shownTokens {
			v.Tokens = append(v.Tokens, tokenItem(token, v.ID, doing))
		}
	}
	v.Standing = []standing{}
	for at, count := range counts {
		at.Count = count
		v.Standing = append(v.Standing, at)
	}
	slices.SortFunc(v.Standing, func(x, y standing) int {
		return strings.Compare(x.Node+" "+string(x.Place)+" "+x.Signal, y.Node+" "+string(y.Place)+" "+y.Signal)
	})
	return nil
}

func (a *app) printRun(v runView) {
	t := a.plainTable()
	t.rowIf("run", v.ID)
	t.rowIf("workflow", v.Workflow)
	t.rowIf("status", v.Status)
	t.rowIf("cause", v.Cause)
	t.rowIf("labels", labelText(v.Labels))
	t.rowIf("trace", traceID(v.Trace))
	if a.wide() {
		t.rowIf("fingerprint", v.Fingerprint)
	}
	t.rowIf("started", stamp(v.Created))
	t.rowIf("deadline", stamp(v.Deadline))
	if v.Ended.IsZero() {
		t.row("age", short(max(0, time.Since(v.Created))))
	} else {
		t.row("ended", fmt.Sprintf("%s (after %s)", stamp(v.Ended), short(v.Ended.Sub(v.Created))))
	}
	t.row("steps", fmt.Sprintf("%d made, %d done, %d fallbacks, %d dropped, %d in progress, %d parked",
		v.Counts.Created, v.Counts.Committed, v.Counts.Failed, v.Counts.Dropped, inProgress(v.Counts), v.Counts.Parked))
	t.rowIf("held", v.Held)
	for _, at := range v.Standing {
		t.row("at", strings.TrimSpace(fmt.Sprintf("%s: %d %s %s", at.Node, at.Count, at.Place, at.Signal)))
	}
	t.details(v, a.wide())
	t.print(a.stdout)
}

// details adds the rows that a run may have many of.
func (t *table) details(v runView, wide bool) {
	tokens := v.Tokens
	if !wide {
		tokens = tokens[:min(len(tokens), tableTokens)]
	}
	for _, token := range tokens {
		t.row("token", token.text())
	}
	if v.State.Snapshot != nil {
		t.row("state", brief(string(v.State.Snapshot)))
	}
	for _, delta := range v.State.Deltas {
		t.row("state", "+ "+brief(string(delta)))
	}
	for _, out := range v.Outputs {
		t.row("output", string(out))
	}
	for _, line := range v.Timings.lines() {
		t.row("timing", line)
	}
	for _, e := range v.Errors {
		t.row("error", fmt.Sprintf("%s %s attempt %d (%s): %s", stamp(e.Time), e.Node, e.Attempt, e.Class, e.Message))
	}
}

// rowIf adds a row if there is something in it.
func (t *table) rowIf(name string, value any) {
	if fmt.Sprint(value) != "" {
		t.row(name, value)
	}
}

// text is a token in one line.
func (v itemView) text() string {
	parts := []string{v.Item, "at " + v.Node + ":", v.Status}
	if v.Attempt > 1 {
		parts = append(parts, fmt.Sprintf("attempt %d", v.Attempt))
	}
	if v.Worker != "" {
		parts = append(parts, "with "+v.Worker)
	}
	if v.TookMs != nil {
		parts = append(parts, "for "+shortMs(*v.TookMs))
	}
	if waits := fmt.Sprint(v.waits()); waits != "" {
		parts = append(parts, waits)
	}
	return strings.Join(parts, " ")
}

// labelText lists labels by their keys.
func labelText(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return strings.Join(parts, ",")
}

// traceID is the part of a traceparent that names the trace.
func traceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 2 {
		return traceparent
	}
	return parts[1]
}

func isNotFound(err error) bool { return errors.Is(err, flox.ErrNotFound) }
