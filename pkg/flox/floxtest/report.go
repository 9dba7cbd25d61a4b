package floxtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// report is what is known of a run that was made.
type report struct {
	elapsed time.Duration
	path    []string
	errors  []flox.ErrorRecord
	stuck   []string // where the tokens stand, nil if the run has ended
}

// report collects what st knows of a run.
func (r *rig) report(ctx context.Context, st flox.Store, info flox.RunInfo) (*report, error) {
	rep := &report{elapsed: info.Ended.Sub(info.Created)}
	var err error
	if !info.Status.Terminal() {
		rep.elapsed = time.Since(info.Created)
		if rep.stuck, err = standing(ctx, st, info); err != nil {
			return nil, err
		}
	}
	const page = 1000
	for from := 0; ; from += page {
		steps, err := st.History(ctx, info.ID, from, page)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			if r.counts(s) {
				rep.path = append(rep.path, s.Node)
			}
		}
		if len(steps) < page {
			break
		}
	}
	rep.errors, err = st.Errors(ctx, info.ID)
	return rep, err
}

// counts says that a step is one of the path: of a node that a user wrote, and
// not merely the answer to what it awaited.
func (r *rig) counts(s flox.StepRecord) bool {
	if s.Outcome == "answered" {
		return false
	}
	for _, n := range r.nodes {
		if n.Name == s.Node {
			return true
		}
	}
	return false
}

// maxStanding is the most tokens that are listed.
const maxStanding = 100

// standing says where the tokens of a run stand.
func standing(ctx context.Context, st flox.Store, info flox.RunInfo) ([]string, error) {
	tokens, _, err := st.Checkpoint(ctx, info.ID, "", maxStanding)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tokens, func(a, b flox.TokenInfo) int { return cmp.Compare(a.Token, b.Token) })
	all := []string{}
	for _, t := range tokens {
		all = append(all, "node "+t.Node+" "+standsHow(t))
	}
	if more := info.Counts.Live - int64(len(tokens)); more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return all, nil
}

func standsHow(t flox.TokenInfo) string {
	switch t.Place {
	case flox.PlaceWaiting:
		return fmt.Sprintf("awaits signal %q, which nobody sends; see SignalAfter", t.Signal)
	case flox.PlaceLeased:
		return "has not returned; it blocks, or ended its goroutine, as t.FailNow does"
	case flox.PlaceDelayed:
		return fmt.Sprintf("is delayed until %s", t.Due.UTC().Format(time.DateOnly))
	}
	return "waits for its turn"
}

// String returns the path and the errors, each on lines of its own.
func (r *report) String() string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	path := "nothing was committed"
	if len(r.path) > 0 {
		path = strings.Join(r.path, ", ")
	}
	fmt.Fprintf(&b, "path: %s", path)
	for i, e := range r.errors {
		if i == 0 {
			b.WriteString("\nerrors:")
		}
		fmt.Fprintf(&b, "\n  node %s: attempt %d: %s: %s", e.Node, e.Attempt, e.Class, e.Message)
		if e.Stack != "" {
			fmt.Fprintf(&b, "\n%s", strings.TrimRight(e.Stack, "\n"))
		}
	}
	return b.String()
}
