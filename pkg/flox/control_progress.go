package flox

import (
	"context"
	"fmt"
)

const (
	progressSteps  = 1000 // history records asked for at a time
	progressTokens = 500  // tokens asked for at a time
)

// Progress returns how a run stands at each of its nodes, from what the store
// keeps of it: its live tokens, the newest 10,000 of its steps and the newest
// 100 of its errors. A longer run has done more than that says. A run that goes
// on meanwhile may be counted in both of two places, before and after a step.
// ErrNotFound if there is none of that id.
func (c *Control) Progress(ctx context.Context, id string) (*Progress, error) {
	info, err := c.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	t := &census{nodes: map[string]*counted{}, failed: map[string]bool{}}
	// Tokens first: what moves on in between is then seen twice, not never.
	for _, read := range []func(context.Context, Store, string) error{t.tokens, t.steps, t.errors} {
		if err := read(ctx, c.st, id); err != nil {
			return nil, fmt.Errorf("progress of run %s: %w", id, err)
		}
	}
	if f := info.Failure; f != nil && f.Node != "" && !t.failed[f.Item] {
		t.at(f.Node).Failed++ // a run that undoes drops the token of its failure
	}
	p := &Progress{Run: info, Nodes: map[string]NodeProgress{}}
	for node, at := range t.nodes {
		at.Attempts = max(at.Attempts, at.errors)
		p.Nodes[node] = at.NodeProgress
	}
	return p, nil
}

// census adds up what the records of a run say of each node.
type census struct {
	nodes  map[string]*counted
	failed map[string]bool // items of failed tokens
}

// counted are one node's counts. The failed attempts are in the steps and
// tokens that came of them, and in the errors; either may have forgotten some:
// a retry of the run resets the former, the store caps the latter.
type counted struct {
	NodeProgress
	errors int
}

func (t *census) at(node string) *counted {
	if t.nodes[node] == nil {
		t.nodes[node] = &counted{}
	}
	return t.nodes[node]
}

func (t *census) tokens(ctx context.Context, st Store, id string) error {
	for cursor := ""; ; {
		page, next, err := st.Checkpoint(ctx, id, cursor, progressTokens)
		if err != nil {
			return err
		}
		for _, token := range page {
			t.token(token)
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

func (t *census) token(token TokenInfo) {
	at := t.at(token.Node)
	at.Attempts += token.Attempt
	switch {
	case token.Failed:
		at.Failed++
		t.failed[ItemID(token.Token, token.Step)] = true
	case token.Place == PlaceLeased:
		at.Running++
	case token.Place == PlaceDelayed:
		at.Delayed++
	case token.Place == PlaceWaiting:
		at.Waiting++
	case token.Place == PlaceParked:
		at.Parked++
	default:
		at.Queued++
	}
}

func (t *census) steps(ctx context.Context, st Store, id string) error {
	for from := 0; ; from += progressSteps {
		page, err := st.History(ctx, id, from, progressSteps)
		if err != nil {
			return err
		}
		for _, step := range page {
			t.step(step)
		}
		if len(page) < progressSteps {
			return nil
		}
	}
}

func (t *census) step(step StepRecord) {
	at := t.at(step.Node)
	at.Attempts += max(step.Attempt-1, 0)
	switch step.Outcome {
	case "await": // it is done when it is answered
	case "hold":
		at.Held++
	case "fallback":
		at.Failed++
		at.Attempts++
	default:
		at.Done++
	}
	if step.Undoes != "" {
		t.at(step.Undoes).Undone++
	}
}

func (t *census) errors(ctx context.Context, st Store, id string) error {
	records, err := st.Errors(ctx, id)
	if err != nil {
		return err
	}
	for _, record := range records {
		if record.Node != "" { // a deadline's has none
			t.at(record.Node).errors++
		}
	}
	return nil
}
