package floxtest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/internal/hook"
)

// rig is a Harness with its types erased.
type rig struct {
	t       testing.TB
	wf      flox.Definition
	nodes   []hook.Node
	code    map[string]any // fakes, as flox.Refs
	signals []timedSignal
	options []flox.StartOption
	slots   int
	last    *report // of the last run, nil if there was none

	mu       sync.Mutex
	failures map[string][]failing
	attempts map[string]int // of the run, by node
}

func newRig(t testing.TB, wf flox.Definition) *rig {
	return &rig{
		t: t, wf: wf, nodes: hook.Nodes(wf), slots: 1,
		code: map[string]any{}, failures: map[string][]failing{}, attempts: map[string]int{},
	}
}

func (r *rig) base() *rig { return r }

// node finds a node by name; what is the call that names it.
func (r *rig) node(what, name string) hook.Node {
	r.t.Helper()
	var all, inner []string
	for _, n := range r.nodes {
		if n.Name == name {
			return n
		}
		all = append(all, n.Name)
		if strings.HasPrefix(n.Name, name+"/") {
			inner = append(inner, n.Name)
		}
	}
	if inner != nil {
		r.t.Fatalf("floxtest: %s: %s is a nested workflow; name one of its nodes: %s", what, name, strings.Join(inner, ", "))
	}
	r.t.Fatalf("floxtest: %s: workflow %s has no node of that name; it has %s", what, r.wf.Name(), strings.Join(all, ", "))
	return hook.Node{}
}

// failing is how often a node is to fail, and with what.
type failing struct {
	times int
	err   error
}

func (r *rig) fail(node string, times int, err error) {
	r.t.Helper()
	what := fmt.Sprintf("Fail(%q, %d)", node, times)
	r.node(what, node)
	switch {
	case times < 1:
		r.t.Fatalf("floxtest: %s: want at least one time", what)
	case err == nil:
		r.t.Fatalf("floxtest: %s: the error is nil", what)
	}
	r.failures[node] = append(r.failures[node], failing{times, err})
}

// before counts an attempt at a node and returns what it is to fail with.
func (r *rig) before(node string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.attempts[node]
	r.attempts[node]++
	for _, f := range r.failures[node] {
		if n < f.times {
			return f.err
		}
		n -= f.times
	}
	return nil
}
