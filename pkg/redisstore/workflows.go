package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// registration is a workflow as it was registered; err says why it cannot be read.
type registration struct {
	name string
	info flox.WorkflowInfo
	err  error
}

// registrations reads all workflows, by name.
func (s *Store) registrations(ctx context.Context) ([]registration, error) {
	reply, err := s.command(ctx, s.keys.home(), "HGETALL", s.keys.workflows())
	if err != nil {
		return nil, err
	}
	pairs := list(reply)
	var all []registration
	for i := 0; i+1 < len(pairs); i += 2 {
		r := registration{name: text(pairs, i)}
		r.info.Registered, r.err = decodeStamped(text(pairs, i+1), &r.info)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b registration) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

// Workflows implements flox.LivenessStore. It passes over what cannot be read, which
// doctor names: it must not keep the workers of all others from starting.
func (s *Store) Workflows(ctx context.Context) ([]flox.WorkflowInfo, error) {
	all, err := s.registrations(ctx)
	if err != nil {
		return nil, fmt.Errorf("workflows: %w", err)
	}
	workflows := []flox.WorkflowInfo{}
	for _, r := range all {
		if r.err == nil {
			workflows = append(workflows, r.info)
		}
	}
	return workflows, nil
}
