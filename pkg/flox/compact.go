package flox

import (
	"context"
	"strings"
)

// A reader that meets a long log folds it, so that the next one need not: once
// it has as many deltas as this, and more bytes than half the snapshot that is
// there, so that a large state is not written again for little.
const compactAfter = 256

// compact replaces what was read by a snapshot, if it is time. It must lose
// nothing: it leaves the log alone if it does not know every scope in it or met
// fields that its types do not have. A refusal or an error changes nothing.
func (r *runState) compact(ctx context.Context) {
	count := r.version - r.folded
	if r.graph == nil || count < compactAfter || r.deltas*2 < r.snapshot {
		return
	}
	r.parts.part("")
	var s scopedSnapshot
	for scope, part := range r.parts {
		if part.ended {
			continue
		}
		st := r.graph.stateOf(scope)
		if st == nil {
			return
		}
		folded, err := r.parts.fold(scope, st)
		if err != nil || part.partial {
			return
		}
		b, err := st.encode(folded)
		if err != nil {
			return
		}
		if scope == "" {
			s.Own = b
			continue
		}
		if s.Scopes == nil {
			s.Scopes = map[string][]byte{}
		}
		s.Scopes[scope] = b
	}
	snapshot := encodeSnapshot(s)
	req := CompactRequest{Run: r.run, Folded: r.folded, Deltas: count, Snapshot: snapshot}
	if done, err := r.st.Compact(ctx, req); err == nil && done {
		r.folded, r.deltas, r.snapshot = r.version, 0, len(snapshot)
	}
}

// scopeNow is the key of a scope under the name that its nest has by now.
func (g *graph) scopeNow(key string) string {
	name, frame, visit := strings.Cut(key, "@")
	if g == nil || !visit || g.scopes[name] == nil {
		return key
	}
	return scopeKey(g.scopes[name], frame)
}

// stateOf is the state type of a scope, nil if the graph has none of that name.
func (g *graph) stateOf(key string) *stateType {
	if key == "" {
		return g.state
	}
	name, _, _ := strings.Cut(key, "@")
	if s := g.scopes[name]; s != nil {
		return s.state
	}
	return nil
}
