package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/floxrun/flox/pkg/flox"
)

// calls are what a pair makes of two stores, one of which may be the model.
type calls interface {
	Start(context.Context, flox.StartRequest) error
	Claim(context.Context, flox.ClaimRequest) ([]flox.Entry, error)
	Load(ctx context.Context, e flox.Entry, owner string, crashLimit int) (flox.Loaded, error)
	Renew(context.Context, flox.Lease) (flox.Health, error)
	Handback(ctx context.Context, l flox.Lease, unknownNode bool) (flox.Verdict, error)
	Reclaim(context.Context, flox.ReclaimRequest) ([]flox.Entry, error)
	Promote(ctx context.Context, limit int) (flox.Promoted, error)
	Commit(context.Context, flox.Commit) (flox.CommitResult, error)
	State(ctx context.Context, run string, since int64) (flox.StateLog, error)
	Checkpoint(ctx context.Context, run, cursor string, limit int) ([]flox.TokenInfo, string, error)
	Settle(ctx context.Context, run string) (flox.Settled, error)
	Compact(context.Context, flox.CompactRequest) (bool, error)
	Control(context.Context, flox.ControlRequest) (flox.Status, error)
	Signal(context.Context, flox.SignalRequest) (bool, error)
	Info(ctx context.Context, run string) (flox.RunInfo, error)
	Delete(ctx context.Context, run string) (int, error)
	Outputs(ctx context.Context, run string) ([][]byte, error)
}

var (
	_ calls = flox.Store(nil)
	_ calls = (*model)(nil)
)

// pair makes the same calls of two stores and wants the same answers. What only
// names things (entries) or tells times is left out.
type pair struct {
	both [2]calls
	all  bool // also what the model does not have

	ctx     context.Context
	runs    []string
	queue   string
	entries []entryPair
	hands   []*handPair
	sent    [][2]flox.Commit
	last    entryPair // that was loaded
	owners  int
	nonces  int
	seen    *tally // of answers, by kind
}

type entryPair [2]flox.Entry

type handPair struct {
	loaded [2]flox.Loaded
}

func newPair(a, b calls, seen *tally, all bool) *pair {
	return &pair{
		both: [2]calls{a, b}, all: all, ctx: context.Background(), seen: seen,
		runs: []string{"run-0", "run-1"}, queue: "queue",
	}
}

// same makes a call of both and compares the answers.
func (p *pair) same(t *rapid.T, what string, call func(i int, s calls) string) {
	t.Helper()
	a, b := call(0, p.both[0]), call(1, p.both[1])
	if a != b {
		t.Fatalf("%s =\n\t%s\nwant\n\t%s", what, a, b)
	}
	t.Logf("%s = %s", what, a)
}

// said is an error as a caller can tell it from others.
func said(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*flox.RunExistsError](err); ok {
		return fmt.Sprintf("exists %+v", *e)
	}
	if e, ok := errors.AsType[*flox.RefusedError](err); ok {
		return fmt.Sprintf("refused %+v", *e)
	}
	if e, ok := errors.AsType[*flox.SignalError](err); ok {
		return fmt.Sprintf("refused %+v", *e)
	}
	if errors.Is(err, flox.ErrNotFound) {
		return "not found"
	}
	return "error " + err.Error()
}

// compare compares all that the two have.
func (p *pair) compare(t *rapid.T) {
	for _, run := range p.runs {
		a, b := p.dump(p.both[0], run), p.dump(p.both[1], run)
		if a != b {
			t.Fatalf("run %s is\n%s\nwant\n%s", run, a, b)
		}
	}
}

// dump is a run as text.
func (p *pair) dump(s calls, run string) string {
	info, err := s.Info(p.ctx, run)
	if err != nil {
		return said(err)
	}
	text := fmt.Sprintf("%s %q held %q %+v\n", info.Status, info.Cause, info.Held, info.Counts)
	tokens, next, err := s.Checkpoint(p.ctx, run, "", 10_000)
	slices.SortFunc(tokens, func(a, b flox.TokenInfo) int { return strings.Compare(a.Token, b.Token) })
	for _, token := range tokens {
		token.Due = time.Time{}
		text += fmt.Sprintf("%+v\n", token)
	}
	log, logErr := s.State(p.ctx, run, 0)
	outs, outsErr := s.Outputs(p.ctx, run)
	text += fmt.Sprintf("%q state %d %d %q %q outputs %q %v", next, log.Version, log.Folded, log.Snapshot, log.Deltas, outs, errors.Join(err, logErr, outsErr))
	records, ok := s.(flox.ErrorStore)
	if !ok || !p.all {
		return text
	}
	steps, err := records.History(p.ctx, run, 0, 10_000)
	for _, step := range steps {
		text += fmt.Sprintf("\n%s at %s: %s", step.Item, step.Node, step.Outcome)
	}
	failures, failuresErr := records.Errors(p.ctx, run)
	for _, e := range failures {
		text += fmt.Sprintf("\n%s at %s: %s %t", e.Item, e.Node, e.Message, e.Final)
	}
	return text + fmt.Sprint(errors.Join(err, failuresErr))
}
