package simulation

import (
	"context"
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/floxrun/flox/pkg/flox"
)

// question is a call of a history, answer what came of it.
type question struct {
	what    string // start, claim, reclaim, load, renew, handback, commit, promote, settle, control, info
	entry   flox.Entry
	owner   string
	lease   flox.Lease
	commit  flox.Commit
	control flox.ControlRequest
}

type answer struct {
	text    string
	entries []string // ids, of claim and reclaim
	lost    bool     // nobody heard it
}

// ask makes the call of a store, the model included. With the model nothing is lost.
func (q question) ask(s calls, run string) (answer, flox.Loaded, flox.CommitResult, []flox.Entry) {
	ctx := context.Background()
	var (
		l       flox.Loaded
		res     flox.CommitResult
		entries []flox.Entry
		text    string
		err     error
	)
	switch q.what {
	case "start":
		err = s.Start(ctx, flox.StartRequest{
			Run: run, Nonce: "born", Workflow: "wf", Fingerprint: "print", Node: "a", Queue: run, Input: []byte("in"), NeedsOutput: true,
		})
	case "claim":
		entries, err = s.Claim(ctx, flox.ClaimRequest{Consumer: "w", Queues: []string{run}, Max: 1})
	case "reclaim": // every lease is over
		entries, err = s.Reclaim(ctx, flox.ReclaimRequest{Consumer: "w", Queues: []string{run}, Max: 1})
	case "load":
		l, err = s.Load(ctx, q.entry, q.owner, 3)
		text = fmt.Sprint(l.Grant, l.Lease.Step, l.Lease.Attempt, item(l.Item))
	case "renew":
		var h flox.Health
		h, err = s.Renew(ctx, q.lease)
		text = fmt.Sprint(h)
	case "handback":
		var v flox.Verdict
		v, err = s.Handback(ctx, q.lease, false)
		text = fmt.Sprint(v)
	case "commit":
		res, err = s.Commit(ctx, q.commit)
		text = fmt.Sprint(res.Verdict, res.Again, res.Version, res.Committed, res.Ended)
	case "promote":
		_, err = s.Promote(ctx, 10)
	case "settle":
		_, err = s.Settle(ctx, run)
	case "control":
		var status flox.Status
		status, err = s.Control(ctx, q.control)
		text = string(status)
	case "info":
		var info flox.RunInfo
		info, err = s.Info(ctx, run)
		text = fmt.Sprintf("%s %+v", info.Status, info.Counts)
	}
	a := answer{text: text + " " + said(err)}
	for _, e := range entries {
		a.entries = append(a.entries, e.ID)
	}
	return a, l, res, entries
}

// linearState is the model with the store's own name of the entry.
type linearState struct {
	m  *model
	id string // of the token's entry, once it was claimed; "" while nobody knows it
	// ahead is the model's name of an entry that the read of a claim brought which did
	// not get it: the next claim may. Others can reclaim it, and go on with it, meanwhile.
	ahead string
}

func (s linearState) token(run string) modelToken { return s.m.runs[run].tokens[flox.RootToken] }

// linearModel is the protocol's record of one token: what a call may answer.
func linearModel(run string) porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{linearState{m: newModel()}} },
		Step: func(state, input, output any) []any {
			return linearStep(run, state.(linearState), input.(question), output.(answer))
		},
		Equal: func(a, b any) bool { return describe(a) == describe(b) },
		DescribeOperation: func(input, output any) string {
			q, a := input.(question), output.(answer)
			return fmt.Sprintf("%s %s%s %v = %s%v", q.what, q.owner, q.control.Op, q.commit.Op, a.text, a.entries)
		},
		DescribeState: describe,
	}
	return model.ToModel()
}

func describe(state any) string {
	s := state.(linearState)
	return fmt.Sprintf("%s %s %+v", s.id, s.ahead, s.m.runs)
}

// linearStep returns the states that there may be after a call with that answer.
func linearStep(run string, s linearState, q question, a answer) []any {
	before := s.token(run)
	next := s
	next.m = s.m.clone()
	switch q.what {
	case "claim", "reclaim":
		return linearTake(run, s, next, q, a)
	case "promote", "settle":
		// They look first and act then, so that what came between is left alone: to do
		// nothing is right, too.
		q.ask(next.m, run)
		return []any{s, next.known(run, before)}
	case "load":
		// The model names entries otherwise.
		if q.entry.ID == s.id {
			q.entry.ID = before.entry
		} else {
			q.entry.ID = "gone"
		}
	}
	got, _, _, _ := q.ask(next.m, run)
	if !a.lost && got.text != a.text {
		return nil
	}
	after := next.known(run, before)
	return []any{after}
}

// known forgets the entry's name when the token has another one.
func (s linearState) known(run string, before modelToken) linearState {
	if s.token(run).entry != before.entry {
		s.id = ""
	}
	return s
}

// linearTake is a claim or reclaim. Nothing may come of it at any time: another call
// may have been first, and what a claim's read brought may be left for the next.
func linearTake(run string, s, next linearState, q question, a answer) []any {
	before := s.token(run)
	_, _, _, entries := q.ask(next.m, run)
	switch {
	case q.what == "claim" && len(a.entries) == 0 && len(entries) > 0:
		next.ahead = before.entry
		return []any{s, next}
	case q.what == "claim" && len(a.entries) > 0 && s.ahead != "":
		if s.ahead == before.entry && (s.id == "" || s.id == a.entries[0]) {
			s.id = a.entries[0]
		} else if s.id == a.entries[0] {
			return nil // the token has gone on, and has another entry
		}
		s.ahead = ""
		return []any{s}
	case len(a.entries) == 0:
		if next.token(run).id == "" && before.id != "" {
			return []any{s, next} // it dropped a token of a cancelled run
		}
		return []any{s}
	case len(entries) == 0:
		return nil
	case q.what == "reclaim" && s.id != "" && s.id != a.entries[0]:
		return nil
	}
	next.id = a.entries[0]
	return []any{next}
}
