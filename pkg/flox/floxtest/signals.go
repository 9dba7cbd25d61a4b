package floxtest

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// timedSignal is a signal that is sent to every run.
type timedSignal struct {
	after time.Duration
	name  string
	send  func(ctx context.Context, to flox.Signaler, run string) error
}

// SignalAfter sends a signal to every following run, d after its start; what a
// run that has ended by then would get is not sent. The test fails if a run
// refuses it, or if no node awaits such a signal.
func SignalAfter[P any](h AnyHarness, d time.Duration, s flox.Signal[P], payload P) {
	r := h.base()
	r.t.Helper()
	what := fmt.Sprintf("SignalAfter(%v, %q)", d, s.Name())
	if d < 0 {
		r.t.Fatalf("floxtest: %s: want a delay of zero or more", what)
	}
	r.checkSignal(what, s.Name(), reflect.TypeFor[P]())
	r.signals = append(r.signals, timedSignal{d, s.Name(), func(ctx context.Context, to flox.Signaler, run string) error {
		return s.Send(ctx, to, run, payload)
	}})
	slices.SortStableFunc(r.signals, func(a, b timedSignal) int { return cmp.Compare(a.after, b.after) })
}

func (r *rig) checkSignal(what, name string, payload reflect.Type) {
	r.t.Helper()
	var names []string
	for _, n := range r.nodes {
		names = append(names, n.Signals...)
		if !slices.Contains(n.Signals, name) {
			continue
		}
		if n.Payload != payload {
			r.t.Fatalf("floxtest: %s: node %s awaits it with a payload of type %v, not %v", what, n.Name, n.Payload, payload)
		}
		return
	}
	slices.Sort(names)
	if names == nil {
		names = []string{"none at all"}
	}
	r.t.Fatalf("floxtest: %s: no node of workflow %s awaits it; they await %s", what, r.wf.Name(), strings.Join(slices.Compact(names), ", "))
}

// sendAll sends each signal when it is due, until ctx ends.
func (r *rig) sendAll(ctx context.Context, to flox.Signaler, run string) {
	start := time.Now()
	for _, s := range r.signals {
		timer := time.NewTimer(time.Until(start.Add(s.after)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		if err := s.send(ctx, to, run); err != nil && ctx.Err() == nil {
			r.t.Errorf("floxtest: SignalAfter(%v): %v", s.after, err)
		}
	}
}
