package redisstore

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// commandText finds a command where it is called, or given to what calls it.
var commandText = regexp.MustCompile(`\w\('([A-Z]{3,})'`)

// commands are those that a script may run, sorted.
func (x *script) commands() []string {
	names := map[string]bool{}
	for _, m := range commandText.FindAllStringSubmatch(x.plain, -1) {
		names[m[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// permit looks whether the user may run every command of a script that is used for
// the first time: Redis refuses one in its middle, and what came before stays. A
// worker, which begins with Register, is told of all that it will need. Many may come
// with a script for the first time at once: one asks, the others wait for it.
func (s *Store) permit(ctx context.Context, x *script) error {
	if s.embedded || !lasting[x] || x == scriptState {
		return nil
	}
	if _, known := s.permitted.Load(x); known {
		return nil
	}
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if _, known := s.permitted.Load(x); known {
		return nil
	}
	needs := x.commands()
	if x == scriptRegister {
		needs = append(needs, "XGROUP", "XREADGROUP", "XPENDING")
		for other := range lasting {
			needs = append(needs, other.commands()...)
		}
		slices.Sort(needs)
		needs = slices.Compact(needs)
	}
	if s.replicas > 0 {
		needs = append(needs, "WAIT")
	}
	home := s.keys.parts[0]
	lacking, err := s.command(ctx, 0, "EVAL", scriptRights.source, 1, home.stats(), home.events(), strings.Join(needs, " "))
	if err != nil {
		return err
	}
	if name := text([]any{lacking}, 0); name != "" {
		return fmt.Errorf("redis at %s: the user lacks a permission: %s on the keys and channels of namespace %s; deploy/redis/flox.acl has all that flox needs",
			s.address, strings.ToLower(name), s.keys.ns)
	}
	s.permitted.Store(x, true)
	if x == scriptRegister {
		for other := range lasting {
			s.permitted.Store(other, true)
		}
	}
	return nil
}
