package flox

import (
	"cmp"
	"encoding/json"
	"fmt"
)

// A run's state log holds deltas of the run's own state as plain payloads, and
// those of nested workflows with a state of their own, which begin with
// codecScoped. A snapshot of a run that has both begins with it, too.
const codecScoped = 3

// scopedDelta is a delta with its scope.
type scopedDelta struct {
	Scope string `json:"scope"` // "" is the run's
	Delta []byte `json:"delta"` // empty for none
	Ends  string `json:"ends"`  // a scope that nobody will read again, "" for none
}

// scopedSnapshot is a snapshot with scopes in it.
type scopedSnapshot struct {
	Own    []byte            `json:"own"` // empty for none
	Scopes map[string][]byte `json:"scopes"`
}

// scopeKey names one visit's state: by the nest and the visit's frame.
func scopeKey(s *scope, frame string) string {
	if s == nil {
		return ""
	}
	return s.name + "@" + frame
}

// encodeDelta wraps a delta for the log; nil if there is nothing to log.
func encodeDelta(scope string, delta []byte, ends string) []byte {
	if scope == "" && ends == "" {
		return delta
	}
	if delta == nil && ends == "" {
		return nil
	}
	return append([]byte{codecScoped}, EncodeRecord(scopedDelta{scope, delta, ends})...)
}

func decodeDelta(b []byte) (d scopedDelta, err error) {
	if len(b) == 0 || b[0] != codecScoped {
		return scopedDelta{Delta: b}, nil
	}
	err = DecodeRecord(b[1:], &d)
	return d, err
}

func decodeSnapshot(b []byte) (s scopedSnapshot, err error) {
	if len(b) == 0 || b[0] != codecScoped {
		return scopedSnapshot{Own: b}, nil
	}
	err = DecodeRecord(b[1:], &s)
	return s, err
}

func encodeSnapshot(s scopedSnapshot) []byte {
	if len(s.Scopes) == 0 {
		return s.Own
	}
	return append([]byte{codecScoped}, EncodeRecord(s)...)
}

// stateParts is what was read of a run's state, by scope.
type stateParts map[string]*statePart

// statePart is the state of one scope: what is folded, and what is not yet.
type statePart struct {
	folded  any
	pending [][]byte
	partial bool // folded lacks what this program's types do not have
	begun   bool // the log had a delta of it
	ended   bool // nobody is to read it again
}

func (p stateParts) part(scope string) *statePart {
	if p[scope] == nil {
		p[scope] = &statePart{}
	}
	return p[scope]
}

// take adds a delta, or what stands for several.
func (s *statePart) take(b []byte) { s.pending, s.begun = append(s.pending, b), true }

// end forgets a scope's state, but not that it has ended.
func (s *statePart) end() { *s = statePart{ended: true} }

// add takes what was read of the log, scopes as now calls them. A snapshot
// stands for all before it: a scope that it lacks has ended, if it had begun.
func (p stateParts) add(log StateLog, now func(scope string) string) error {
	if log.Snapshot != nil {
		for scope, part := range p {
			if scope != "" && (part.begun || part.ended) {
				part.end()
			} else {
				delete(p, scope)
			}
		}
		s, err := decodeSnapshot(log.Snapshot)
		if err != nil {
			return fmt.Errorf("state snapshot: %w", err)
		}
		if len(s.Own) > 0 {
			p.part("").take(s.Own)
		}
		for scope, b := range s.Scopes {
			part := p.part(now(scope))
			part.ended = false
			part.take(b)
		}
	}
	for i, b := range log.Deltas {
		d, err := decodeDelta(b)
		if err != nil {
			return fmt.Errorf("state delta %d: %w", i, err)
		}
		if len(d.Delta) > 0 {
			p.part(now(d.Scope)).take(d.Delta)
		}
		if d.Ends != "" {
			p.part(now(d.Ends)).end()
		}
	}
	return nil
}

// fold returns the state of a scope. Who asks for one that has ended is late.
func (p stateParts) fold(scope string, st *stateType) (any, error) {
	part := p.part(scope)
	if part.ended {
		return nil, errDropped
	}
	if part.folded == nil {
		part.folded = st.zero()
	}
	folded, complete, err := st.fold(part.folded, part.pending)
	if err != nil {
		return nil, err
	}
	part.folded, part.pending, part.partial = folded, nil, part.partial || !complete
	return folded, nil
}

// StateJSON renders a delta or snapshot of a run's state log as JSON. What
// belongs to nested workflows with a state of their own is shown as an object
// by scope; "run" is the run's own. An empty snapshot is shown as an empty object.
func StateJSON(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return []byte("{}"), nil
	}
	if b[0] != codecScoped {
		return PayloadJSON(b)
	}
	var either struct {
		scopedDelta
		scopedSnapshot
	}
	if err := DecodeRecord(b[1:], &either); err != nil {
		return nil, err
	}
	parts := either.Scopes
	if parts == nil {
		parts = map[string][]byte{either.Scope: either.Delta}
	}
	if len(either.Own) > 0 {
		parts[""] = either.Own
	}
	shown := map[string]json.RawMessage{}
	for scope, payload := range parts {
		if len(payload) == 0 {
			continue
		}
		text, err := PayloadJSON(payload)
		if err != nil {
			return nil, err
		}
		shown[cmp.Or(scope, "run")] = text
	}
	return json.Marshal(shown)
}
