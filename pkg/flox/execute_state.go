package flox

import "context"

// newVisit makes the visit of an item, whose state is that of the node's scope.
func (r *runner) newVisit(x *execution) *visit {
	v := newVisit(x, r.n, r.st)
	v.scope = scopeKey(r.n.scope, x.item.Scope)
	return v
}

// delta encodes what the node merged, nil if it did not.
func (r *runner) delta(v *visit, x *execution, kind outcomeKind) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var delta []byte
	if v.delta != nil {
		var err error
		if delta, err = encodeWithin(r.st.codec, v.delta, x.limit, "state delta"); err != nil {
			return nil, err
		}
	}
	ends := ""
	if r.n.leaves != nil && kind == outcomeNext {
		ends = scopeKey(r.n.leaves, x.item.Joins)
	}
	return encodeDelta(scopeKey(r.n.scope, x.item.Scope), delta, ends), nil
}

// lift merges what the state of the visit that ends came to.
func (r *runner) lift(ctx context.Context, v *visit, x *execution) error {
	s := r.n.leaves
	final, version, err := x.state.in(scopeKey(s, x.item.Joins)).readState(ctx, s.state)
	if err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.unread = err
		return err
	}
	if s.lift != nil {
		v.merge(s.lift(final))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.version = max(v.version, version)
	return nil
}
