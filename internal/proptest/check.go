package proptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// checker compares a run that has ended with what it must have come to.
type checker struct {
	ctx     context.Context
	st      flox.Store
	c       *Case
	want    expected
	got     ended
	retried bool
	redone  bool // some of it, from a node
}

// all is everything that is wrong.
func (k *checker) all() error {
	if err := k.quiet(); err != nil {
		return err
	}
	steps, err := k.history()
	if err != nil {
		return err
	}
	errs := []error{k.status(), k.outs(), k.ledger(steps), k.undone(steps), k.attempts()}
	entries := map[string]int{}
	for _, entry := range k.got.state.Log {
		entries[entry]++
	}
	if int(k.got.state.Sum) != len(k.got.state.Log) {
		errs = append(errs, fmt.Errorf("the state has %d entries, and a sum of %d", len(k.got.state.Log), k.got.state.Sum))
	}
	errs = append(errs, k.undoneEffects(entries), k.compare(inState, entries))
	if !k.redone { // else the history has what was forgotten, too
		errs = append(errs, k.compare(committed, done(steps, false)), k.compare(caught, done(steps, true)))
	}
	for _, complaint := range k.c.complained() {
		errs = append(errs, errors.New(complaint))
	}
	return errors.Join(errs...)
}

// quiet waits until no worker has anything of the run: what was in flight when
// it failed is committed still, unless its worker is gone.
func (k *checker) quiet() error {
	for k.got.err != nil {
		tokens, next, err := k.st.Checkpoint(k.ctx, k.c.Name(), "", 10_000)
		if err != nil || next != "" {
			return fmt.Errorf("checkpoint: next %q, %w", next, err)
		}
		leased := func(t flox.TokenInfo) bool { return t.Place == flox.PlaceLeased }
		if !slices.ContainsFunc(tokens, leased) {
			break
		}
		select {
		case <-k.ctx.Done():
			return fmt.Errorf("%w\n%s", k.ctx.Err(), standing(k.st, k.c.Name()))
		case <-time.After(k.c.unit):
		}
	}
	return nil
}

// status compares how the run ended.
func (k *checker) status() error {
	failed := k.got.err
	switch {
	case k.want.Failed == nil && failed != nil:
		return fmt.Errorf("%w, want it to complete", failed)
	case k.want.Failed == nil:
		return nil
	case failed == nil:
		return fmt.Errorf("completed with %v, want it to fail at %v", k.got.outs, k.want.Failed)
	case failed.Status != flox.StatusFailed || !slices.Contains(k.want.Failed, local(failed.Node)):
		return fmt.Errorf("%w: %s at node %q, want one of %v", failed, failed.Status, failed.Node, k.want.Failed)
	}
	return nil
}

func (k *checker) outs() error {
	if k.want.Failed != nil {
		return nil
	}
	got, want := plain(k.got.outs), plain(k.want.Outs)
	if !slices.Equal(got, want) {
		return fmt.Errorf("outputs are\n%v, want\n%v", got, want)
	}
	return nil
}

// plain are values as the model knows them, in an order of their own.
func plain(vs []V) []V {
	all := make([]V, len(vs))
	for i, v := range vs {
		all[i] = V{N: v.N, L0: v.L0, L1: v.L1}
	}
	slices.SortFunc(all, compare)
	return all
}

func (k *checker) history() ([]flox.StepRecord, error) {
	var all []flox.StepRecord
	for {
		steps, err := k.st.History(k.ctx, k.c.Name(), len(all), 1000)
		if err != nil {
			return nil, err
		}
		if all = append(all, steps...); len(steps) < 1000 {
			return all, nil
		}
	}
}

// ledger checks that the counts add up.
func (k *checker) ledger(steps []flox.StepRecord) error {
	info, err := k.st.Info(k.ctx, k.c.Name())
	if err != nil {
		return err
	}
	n := info.Counts
	if n.Created != n.Committed+n.Failed+n.Dropped+n.Live {
		return fmt.Errorf("the ledger does not add up: %+v", n)
	}
	if int(n.Committed+n.Failed) != len(steps) {
		return fmt.Errorf("%d steps in the history, but %+v", len(steps), n)
	}
	if n.Live > 0 && (info.Status == flox.StatusCompleted || len(k.got.err.Undone) > 0) {
		return fmt.Errorf("tokens are left in a run that is %s: %s", info.Status, standing(k.st, k.c.Name()))
	}
	seen := map[string]bool{}
	for _, s := range steps {
		if seen[s.Item] {
			return fmt.Errorf("item %s is twice in the history", s.Item)
		}
		seen[s.Item] = true
	}
	return nil
}

// done counts the items of the history by node, those that took a fallback or
// the others.
func done(steps []flox.StepRecord, fallback bool) map[string]int {
	all := map[string]int{}
	for _, s := range steps {
		if s.Outcome != "answered" && (s.Outcome == "fallback") == fallback {
			all[local(s.Node)]++
		}
	}
	return all
}

// undone checks that all was undone that can be, the last first.
func (k *checker) undone(steps []flox.StepRecord) error {
	var did, undid []string
	for _, s := range steps {
		switch {
		case s.Undoes != "":
			undid = append(undid, local(s.Undoes))
		case s.Outcome != "fallback" && k.c.undos[local(s.Node)]:
			did = append(did, local(s.Node))
		}
	}
	if k.want.Failed == nil {
		did = nil
	}
	slices.Reverse(did)
	if !slices.Equal(did, undid) {
		return fmt.Errorf("undone were %v, want %v", undid, did)
	}
	return nil
}

// undoneEffects checks that nothing stays done that a node did, be it that its
// worker died before the commit.
func (k *checker) undoneEffects(entries map[string]int) error {
	if k.want.Failed == nil || k.c.drops || k.got.err == nil {
		return nil
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	for effect := range k.c.effects {
		if entries[effect] == 0 {
			return fmt.Errorf("what %s undoes was done, but not undone", effect)
		}
	}
	return nil
}

// attempts compares how often each node failed, if the store has kept all that.
func (k *checker) attempts() error {
	errs, err := k.st.Errors(k.ctx, k.c.Name())
	if err != nil || len(errs) >= 100 || k.retried {
		return err
	}
	counts := map[string]int{}
	for _, e := range errs {
		counts[local(e.Node)]++
	}
	return k.compare(failedTry, counts)
}

// compare says which events of a kind are missing or too many. What is no node's
// of the model is the engine's own.
func (k *checker) compare(kind string, got map[string]int) error {
	must, may := k.want.Must[kind], k.want.May[kind]
	var wrong []string
	for key, n := range must {
		if got[key] < n {
			wrong = append(wrong, fmt.Sprintf("%s: %d, want %d", key, got[key], n))
		}
	}
	for key, n := range got {
		if most := must[key] + may[key]; n > most && !engines(key) {
			wrong = append(wrong, fmt.Sprintf("%s: %d, want at most %d", key, n, most))
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%s:\n\t%s", kind, strings.Join(wrong, "\n\t"))
}

// engines says that a node is one that begins or ends a nest.
func engines(node string) bool { return strings.HasPrefix(node, "nest") }
