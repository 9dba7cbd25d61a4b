package flox

import (
	"context"
	"errors"

	"github.com/floxrun/flox/pkg/flox/internal/hook"
)

// What floxtest reaches of this package beyond its API.
func init() {
	hook.Nodes = func(def any) []hook.Node { return hookNodes(def.(Definition).graph()) }
	hook.NameOf = func(def, ref any) (node, workflow string, own bool) {
		n := defOf(ref)
		return n.name, n.w.name, n.w == def.(Definition).graph().plan.w
	}
	hook.Instrument = func(def any, code map[string]any, before func(string) error) any {
		return instrument(def.(Definition), code, before)
	}
	hook.Process = processAlone
}

// defOf is the node that a Ref of any types stands for.
func defOf(ref any) *nodeDef { return ref.(interface{ target() *nodeDef }).target() }

func hookNodes(g *graph) []hook.Node {
	var all []hook.Node
	for i, def := range g.plan.nodes {
		if def.visit != nil { // begins or ends the visits of a nested workflow
			continue
		}
		n := g.nodes[i]
		out := hook.Node{
			Name: n.name, In: n.in, Out: n.out, State: g.state.typ, Fanout: n.fanout, Signals: n.signals,
		}
		if n.scope != nil {
			out.State = n.scope.state.typ
		}
		if len(n.signals) > 0 {
			_, out.Payload = answerTypes(n.out)
		}
		all = append(all, out)
	}
	return all
}

// instrumented is a workflow whose nodes run other code than its own.
type instrumented struct {
	Definition
	g *graph
}

func (i instrumented) graph() *graph { return i.g }

func instrument(wf Definition, code map[string]any, before func(node string) error) Definition {
	g := *wf.graph()
	g.byName = map[string]*node{}
	for i, def := range g.plan.nodes {
		n := *g.nodes[i]
		for _, name := range append([]string{def.name}, def.aliases...) {
			g.byName[name] = &n
		}
		if def.visit != nil {
			continue
		}
		r := g.plan.newRunner(def, g.nodes[i])
		if ref, ok := code[def.name]; ok {
			r.process = defOf(ref).process
		}
		process := r.process
		r.process = func(v *visit, in any) (move, error) {
			if err := before(n.name); err != nil {
				return move{}, err
			}
			return process(v, in)
		}
		n.execute = r.executeSteadily
	}
	return instrumented{wf, &g}
}

// executeSteadily is execute with nothing left to chance: a retry waits as long
// as the back-off says at most.
func (r *runner) executeSteadily(ctx context.Context, x *execution) outcome {
	out := r.execute(ctx, x)
	if _, set := errors.AsType[retryAfterError](out.err); out.kind == outcomeError && !set {
		out.err = retryAfterError{out.err, r.n.retry.Backoff(x.lease.Attempt + 1)}
	}
	return out
}

// givenState is a state that nobody else changes.
type givenState struct{ state any }

func (f givenState) in(string) stateReader { return f }

func (f givenState) readState(context.Context, *stateType) (any, int64, error) {
	return f.state, 0, nil
}

// processAlone runs the code of a node that is in no workflow.
func processAlone(ctx context.Context, ref, state, in any) (hook.Decision, error) {
	def := defOf(ref)
	if def.problem != "" {
		return hook.Decision{}, errors.New(def.problem)
	}
	merger, err := mergers{}.of(def.w.state, def.w.state.Name())
	if err != nil {
		return hook.Decision{}, err
	}
	v := &visit{
		st: &stateType{typ: def.w.state, merger: merger}, state: givenState{state}, version: -1, limit: DefaultMaxPayload,
		item:    about{ns: "memory", run: "test", workflow: def.w.name, noted: noted{item: "0.0", node: def.name, attempt: 1}},
		Context: ctx,
	}
	m, err := def.process(v, in)
	d := m.decision()
	if err != nil {
		d = hook.Decision{Kind: new(runner).classify(err).class, Err: err}
		if after, ok := errors.AsType[retryAfterError](err); ok {
			d.After = max(0, after.after)
		}
	}
	d.Delta = v.delta
	return d, nil
}

func (m move) decision() hook.Decision {
	if m.one != nil {
		m.outs = []any{m.output()}
	}
	d := hook.Decision{Outs: m.outs, After: m.delay, Signal: m.signal, Carry: m.carry, Err: m.err}
	d.Kind = map[outcomeKind]string{
		outcomeNext: "next", outcomeFan: "fan", outcomeHold: "hold", outcomeAwait: "await", outcomeAbort: ClassAbort,
	}[m.kind]
	return d
}
