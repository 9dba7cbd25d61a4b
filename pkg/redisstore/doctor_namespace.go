package redisstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// config looks at what says how the namespace is made.
func (e *examiner) config(ctx context.Context) error {
	key := e.s.keys.config()
	if e.s.unfit != nil {
		e.report(Finding{Kind: "config-unfit", Severity: SeverityError, Subject: "key " + key,
			Detail: e.s.unfit.Error() + "; the rest was not looked at: how many partitions there are is not known"})
		return nil
	}
	stored, err := e.s.command(ctx, e.s.keys.home(), "HMGET", key, "format", "partitions")
	if err != nil {
		return err
	}
	if integer(list(stored), 0) != 0 && integer(list(stored), 1) != 0 {
		return nil
	}
	used, err := e.s.used(ctx)
	if err != nil {
		return err
	}
	if !used {
		e.report(Finding{Kind: "namespace-empty", Severity: SeverityInfo, Subject: "namespace " + e.s.keys.ns,
			Detail: "nothing is kept under this name"})
		return nil
	}
	e.report(Finding{Kind: "config-lost", Severity: SeverityError, Subject: "key " + key,
		Detail: fmt.Sprintf("it does not say how many partitions the namespace has; %d are assumed here. A worker that still "+
			"runs writes it again within a minute: do not start others before, unless they have the right number set", len(e.s.keys.parts))})
	return nil
}

// used reports whether the namespace has any key.
func (s *Store) used(ctx context.Context) (bool, error) {
	n, err := s.command(ctx, s.keys.home(), "EXISTS", s.keys.config())
	if err != nil || integer([]any{n}, 0) == 1 {
		return err == nil, err
	}
	used := false
	err = s.eachPage(ctx, func(keys []string, _ []place) error {
		if used = len(keys) > 0; used {
			return errEnough
		}
		return nil
	})
	if used {
		err = nil
	}
	return used, err
}

// registered reads the workflows.
func (e *examiner) registered(ctx context.Context) error {
	all, err := e.s.registrations(ctx)
	if err == errSpoilt {
		return e.wrongTypeOf(ctx, e.s.keys.home(), e.s.keys.workflows(), "hash")
	}
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.err != nil {
			e.report(Finding{Kind: "unreadable-record", Severity: SeverityError, Subject: "workflow " + w.name,
				Detail: "its registration is not what flox has written: no run of it can be started, and none expires; start one of its workers again"})
			continue
		}
		e.workflows = append(e.workflows, w.info)
	}
	return nil
}

// served looks whether every workflow with runs that have not ended has a worker.
func (e *examiner) served(ctx context.Context) error {
	stats, err := e.s.Stats(ctx)
	if err != nil {
		if spoilt(err) {
			return nil // is reported as a wrong type
		}
		return err
	}
	names := slices.Collect(maps.Keys(stats))
	for _, w := range e.workflows {
		names = append(names, w.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		active := int64(0)
		for _, status := range []flox.Status{flox.StatusRunning, flox.StatusPaused, flox.StatusUndoing} {
			active += stats[name][status]
		}
		e.workflow(name, active)
	}
	return nil
}

func (e *examiner) workflow(name string, active int64) {
	has := func(w workerBeat) bool { return w.Age < workerAlive && slices.Contains(w.Workflows, name) }
	if slices.ContainsFunc(e.workers, has) {
		return
	}
	f := Finding{Kind: "workflow-unserved", Severity: SeverityWarning, Subject: "workflow " + name,
		Detail: fmt.Sprintf("%s of it, and no worker that is alive has it: start one", plural(int(active), "active run"))}
	if !slices.ContainsFunc(e.workflows, func(w flox.WorkflowInfo) bool { return w.Name == name }) {
		if active == 0 {
			return
		}
		f.Detail += "; it is not even registered"
	}
	if active == 0 {
		f.Severity, f.Detail = SeverityInfo, "no worker that is alive has it"
	}
	e.report(f)
}
