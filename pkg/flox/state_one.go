package flox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
)

// maybe is a value or none: what Max, Min, Last and Fixed have in common. It is
// stored as its value, and none as nil, see codec_maybe.go.
type maybe[T any] struct {
	value T
	set   bool
}

// Get returns the value and whether there is one.
func (m maybe[T]) Get() (T, bool) { return m.value, m.set }

// String returns the value as fmt prints it, or "unset".
func (m maybe[T]) String() string {
	if !m.set {
		return "unset"
	}
	return fmt.Sprint(m.value)
}

// MarshalJSON writes the value, or null if there is none.
func (m maybe[T]) MarshalJSON() ([]byte, error) {
	if !m.set {
		return []byte("null"), nil
	}
	return json.Marshal(m.value)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *maybe[T]) UnmarshalJSON(b []byte) error {
	*m = maybe[T]{}
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		return nil
	}
	m.set = true
	return json.Unmarshal(b, &m.value)
}

// inside is where the value is, a *T, and whether there is one.
func (m *maybe[T]) inside() (value any, set *bool) { return &m.value, &m.set }

// Max keeps the largest value; NaN is the smallest. Its zero value is unset.
type Max[T cmp.Ordered] struct{ maybe[T] }

// MaxOf returns a Max of v.
func MaxOf[T cmp.Ordered](v T) Max[T] { return Max[T]{maybe[T]{v, true}} }

// Merge returns the larger of a and b.
func (a Max[T]) Merge(b Max[T]) Max[T] {
	if !a.set || b.set && cmp.Less(a.value, b.value) {
		return b
	}
	return a
}

// Min keeps the smallest value; NaN is the smallest. Its zero value is unset.
type Min[T cmp.Ordered] struct{ maybe[T] }

// MinOf returns a Min of v.
func MinOf[T cmp.Ordered](v T) Min[T] { return Min[T]{maybe[T]{v, true}} }

// Merge returns the smaller of a and b.
func (a Min[T]) Merge(b Min[T]) Min[T] {
	if !a.set || b.set && cmp.Less(b.value, a.value) {
		return b
	}
	return a
}

// Last keeps the value that was committed last. Its zero value is unset.
type Last[T any] struct{ maybe[T] }

// LastOf returns a Last of v.
func LastOf[T any](v T) Last[T] { return Last[T]{maybe[T]{v, true}} }

// Merge returns b, or a if b is unset.
func (a Last[T]) Merge(b Last[T]) Last[T] {
	if b.set {
		return b
	}
	return a
}

// Fixed keeps the value that was committed first: it stays, and later ones are
// dropped without an error. Its zero value is unset.
type Fixed[T any] struct{ maybe[T] }

// FixedOf returns a Fixed of v.
func FixedOf[T any](v T) Fixed[T] { return Fixed[T]{maybe[T]{v, true}} }

// Merge returns a, or b if a is unset.
func (a Fixed[T]) Merge(b Fixed[T]) Fixed[T] {
	if a.set {
		return a
	}
	return b
}
