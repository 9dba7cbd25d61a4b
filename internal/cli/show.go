package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// runView is what show prints of a run.
type runView struct {
	flox.RunInfo
	Standing []standing         `json:"standing"`
	Outputs  []json.RawMessage  `json:"outputs"`
	Errors   []flox.ErrorRecord `json:"errors"` // the newest few
}

// standing counts the live tokens of a run at one node.
type standing struct {
	Node   string          `json:"node"`
	Place  flox.TokenPlace `json:"place"`
	Signal string          `json:"signal,omitempty"` // they wait for
	Count  int             `json:"count"`
}

const (
	lastErrors = 5   // shown by show
	tokenPage  = 500 // tokens asked for at a time
)

func (a *app) showCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show how a run stands: counts, where its tokens are, output, errors",
		Example: `  orchestrator show order-1001
  orchestrator show order-1001 -o json`,
		Args: wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				v, err := s.view(ctx, args[0])
				if err != nil {
					return explain(args[0], err)
				}
				return a.printView(v)
			})
		},
	}
}

func (a *app) printView(v runView) error {
	if a.json() {
		return a.printJSON(v)
	}
	a.printRun(v)
	return nil
}

func (s *session) view(ctx context.Context, id string) (runView, error) {
	info, err := s.ctl.Show(ctx, id)
	if err != nil {
		return runView{}, err
	}
	v := runView{RunInfo: info, Outputs: []json.RawMessage{}}
	tokens, err := s.tokens(ctx, id)
	if err != nil {
		return v, err
	}
	v.Standing = countTokens(tokens)
	outs, err := s.st.Outputs(ctx, id)
	if err != nil {
		return v, err
	}
	for _, out := range outs {
		v.Outputs = append(v.Outputs, rendered(out))
	}
	if v.Errors, err = s.st.Errors(ctx, id); err != nil {
		return v, err
	}
	v.Errors = list(v.Errors[max(0, len(v.Errors)-lastErrors):])
	return v, nil
}

// rendered is a stored payload as JSON; one that is broken is shown as the
// string that says so.
func rendered(payload []byte) json.RawMessage { return orUnreadable(flox.PayloadJSON(payload)) }

func orUnreadable(b []byte, err error) json.RawMessage {
	if err != nil {
		b, _ = json.Marshal("unreadable: " + err.Error()) // a string always has a JSON form
	}
	return b
}

// tokens returns all live tokens of a run, in the order of their names.
func (s *session) tokens(ctx context.Context, id string) ([]flox.TokenInfo, error) {
	var all []flox.TokenInfo
	for cursor := ""; ; {
		page, next, err := s.st.Checkpoint(ctx, id, cursor, tokenPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if cursor = next; cursor == "" {
			break
		}
	}
	slices.SortFunc(all, func(x, y flox.TokenInfo) int { return strings.Compare(x.Token, y.Token) })
	return all, nil
}

func countTokens(tokens []flox.TokenInfo) []standing {
	counts := []standing{}
	for _, t := range tokens {
		i := slices.IndexFunc(counts, func(c standing) bool { return c.Node == t.Node && c.Place == t.Place && c.Signal == t.Signal })
		if i < 0 {
			i = len(counts)
			counts = append(counts, standing{Node: t.Node, Place: t.Place, Signal: t.Signal})
		}
		counts[i].Count++
	}
	return counts
}

func (a *app) printRun(v runView) {
	t := &table{colour: colours(a.stdout)}
	t.row("run", v.ID)
	t.row("workflow", v.Workflow)
	t.row("status", v.Status)
	if v.Cause != "" {
		t.row("cause", v.Cause)
	}
	t.row("started", stamp(v.Created))
	if !v.Deadline.IsZero() {
		t.row("deadline", stamp(v.Deadline))
	}
	if !v.Ended.IsZero() {
		t.row("ended", fmt.Sprintf("%s (after %s)", stamp(v.Ended), short(v.Ended.Sub(v.Created))))
	} else {
		t.row("age", short(max(0, time.Since(v.Created))))
	}
	t.row("steps", fmt.Sprintf("%d made, %d done, %d fallbacks, %d dropped, %d in progress, %d parked",
		v.Counts.Created, v.Counts.Committed, v.Counts.Failed, v.Counts.Dropped, inProgress(v.Counts), v.Counts.Parked))
	if v.Held != "" {
		t.row("held", v.Held)
	}
	for _, at := range v.Standing {
		t.row("at", strings.TrimSpace(fmt.Sprintf("%s: %d %s %s", at.Node, at.Count, at.Place, at.Signal)))
	}
	for _, out := range v.Outputs {
		t.row("output", string(out))
	}
	for _, e := range v.Errors {
		t.row("error", fmt.Sprintf("%s %s attempt %d (%s): %s", stamp(e.Time), e.Node, e.Attempt, e.Class, e.Message))
	}
	t.print(a.stdout)
}

func isNotFound(err error) bool { return errors.Is(err, flox.ErrNotFound) }
