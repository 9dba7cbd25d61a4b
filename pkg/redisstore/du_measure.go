package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// meter is one measurement.
type meter struct {
	s         *Store
	cfg       UsageConfig
	mu        sync.Mutex
	kinds     map[keyKind]*KindUsage
	workflows map[string]*WorkflowUsage
	largest   []RunUsage
	runs      int64 // met so far
	chosen    map[keyKind]int
}

// Usage measures the memory of the namespace's keys, as MEMORY USAGE tells it.
// flox.ErrNotFound if there is no run cfg.Run, or nothing of the namespace's name.
func (s *Store) Usage(ctx context.Context, cfg UsageConfig) (Usage, error) {
	cfg.Top, cfg.Sample = cmp.Or(cfg.Top, 10), cmp.Or(cfg.Sample, 10_000)
	m := &meter{s: s, cfg: cfg, kinds: map[keyKind]*KindUsage{}, workflows: map[string]*WorkflowUsage{}, chosen: map[keyKind]int{}}
	if cfg.Run != "" {
		n, _ := s.keys.of(cfg.Run)
		err := m.run(ctx, place{kindRun, n, cfg.Run}, true)
		if err == nil && m.runs == 0 {
			err = flox.ErrNotFound
		}
		return m.usage(), err
	}
	seen := 0
	err := s.eachPage(ctx, func(keys []string, places []place) error {
		if cfg.Pace != nil {
			if err := cfg.Pace(ctx, scanKeys); err != nil {
				return err
			}
		}
		err := each(len(keys), func(i int) error { return m.key(ctx, keys[i], places[i]) })
		seen += len(keys)
		if cfg.Progress != nil {
			cfg.Progress(seen)
		}
		return err
	})
	if err == nil && seen == 0 {
		err = flox.ErrNotFound
	}
	if err != nil {
		return Usage{}, fmt.Errorf("measure namespace %s: %w", s.keys.ns, err)
	}
	return m.usage(), nil
}

// key measures one key; those that belong to a run come with it.
func (m *meter) key(ctx context.Context, key string, pl place) error {
	switch pl.kind {
	case kindRun:
		return m.run(ctx, pl, m.wanted(kindRun))
	case kindState, kindHistory, kindErrors:
		return nil
	}
	if m.cfg.Workflow != "" {
		return nil
	}
	if !m.wanted(pl.kind) {
		m.add(pl.kind, 0, false)
		return nil
	}
	lane := pl.part
	if lane < 0 || lane >= m.s.keys.home() {
		lane = m.s.keys.home()
	}
	bytes, err := m.measure(ctx, lane, key)
	if err == nil && bytes > 0 {
		m.add(pl.kind, bytes, true)
	}
	return err
}

// wanted reports whether one more key of a kind is measured. Keys come in the
// order of their hashes, so that the first are as good a sample as any.
func (m *meter) wanted(kind keyKind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cfg.Sample >= 0 && m.chosen[kind] >= m.cfg.Sample {
		return false
	}
	m.chosen[kind]++
	return true
}

func (m *meter) add(kind keyKind, bytes int64, measured bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.kinds[kind]
	if k == nil {
		k = &KindUsage{Kind: string(kind)}
		m.kinds[kind] = k
	}
	k.Keys++
	if measured {
		k.Measured++
		k.Bytes += bytes
	}
}

// measure returns the bytes of a key, 0 if it is not there.
func (m *meter) measure(ctx context.Context, lane int, key string) (int64, error) {
	args := []any{"MEMORY", "USAGE", key}
	if m.cfg.Run != "" {
		args = append(args, "SAMPLES", 0)
	}
	reply, err := m.s.command(ctx, lane, args...)
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, err
	}
	return integer([]any{reply}, 0), nil
}

// run measures a run and what belongs to it.
func (m *meter) run(ctx context.Context, pl place, measured bool) error {
	p := m.s.keys.parts[pl.part]
	reply, err := m.s.command(ctx, pl.part, "HMGET", p.run(pl.name), "workflow", "status")
	if err != nil && !spoilt(err) {
		return err
	}
	r := list(reply)
	workflow := text(r, 0)
	if m.cfg.Workflow != "" && workflow != m.cfg.Workflow || m.cfg.Run != "" && text(r, 1) == "" {
		return nil
	}
	u := RunUsage{Run: pl.name, Workflow: workflow, Status: flox.Status(text(r, 1))}
	for _, of := range []struct {
		kind keyKind
		key  string
	}{
		{kindRun, p.run(pl.name)}, {kindState, p.state(pl.name)},
		{kindHistory, p.history(pl.name)}, {kindErrors, p.errors(pl.name)},
	} {
		if !measured {
			continue
		}
		bytes, err := m.measure(ctx, pl.part, of.key)
		if err != nil {
			return err
		}
		if u.Bytes += bytes; bytes > 0 {
			m.add(of.kind, bytes, true)
		}
	}
	m.addRun(u, measured)
	return nil
}

// addRun counts a run; the largest are remembered.
func (m *meter) addRun(u RunUsage, measured bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs++
	w := m.workflows[u.Workflow]
	if w == nil {
		w = &WorkflowUsage{Workflow: u.Workflow}
		m.workflows[u.Workflow] = w
	}
	w.Runs++
	if !measured {
		return
	}
	w.Measured++
	w.Bytes += u.Bytes
	at, _ := slices.BinarySearchFunc(m.largest, u, func(a, b RunUsage) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Run, b.Run))
	})
	m.largest = slices.Insert(m.largest, at, u)
	m.largest = m.largest[:min(len(m.largest), m.cfg.Top)]
}

// usage sums up, and reckons what was not measured.
func (m *meter) usage() Usage {
	u := Usage{Largest: m.largest, Runs: m.runs}
	var measured int64
	for _, w := range m.workflows {
		measured += w.Measured
	}
	for kind, k := range m.kinds {
		switch kind {
		case kindRun, kindState, kindHistory, kindErrors:
			// Of so many measured runs so many have one.
			if measured < m.runs {
				k.Keys = scale(k.Measured, m.runs, measured)
			}
		}
		u.Sampled = u.Sampled || k.Measured < k.Keys
		k.Bytes = scale(k.Bytes, k.Keys, k.Measured)
		u.Bytes += k.Bytes
		u.Kinds = append(u.Kinds, *k)
	}
	var all int64
	for _, w := range m.workflows {
		all += w.Bytes
	}
	for _, w := range m.workflows {
		if w.Measured == 0 { // none of the sample is of it: as the others are
			w.Bytes = scale(all, w.Runs, measured)
		} else {
			w.Bytes = scale(w.Bytes, w.Runs, w.Measured)
		}
		u.Workflows = append(u.Workflows, *w)
	}
	slices.SortFunc(u.Kinds, func(a, b KindUsage) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Kind, b.Kind))
	})
	slices.SortFunc(u.Workflows, func(a, b WorkflowUsage) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Workflow, b.Workflow))
	})
	return u
}

// scale reckons a whole from a part of it.
func scale(n, whole, part int64) int64 {
	if part == 0 || part == whole {
		return n
	}
	return int64(float64(n) * float64(whole) / float64(part))
}
