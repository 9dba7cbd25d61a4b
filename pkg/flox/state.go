package flox

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
)

// The types below are fields of a run's state: each says how two contributions
// combine. A struct of such fields combines field by field; a type of one's own
// joins in with a method Merge(T) T that is associative, treats the zero value
// as "nothing" on either side, and modifies neither operand.

// NoState is the state of workflows that need none.
type NoState struct{}

// Sum adds up.
type Sum int64

// Merge returns a + b.
func (a Sum) Merge(b Sum) Sum { return a + b }

// SumFloat adds up; the order of commits may show in the last digits.
type SumFloat float64

// Merge returns a + b.
func (a SumFloat) Merge(b SumFloat) SumFloat { return a + b }

// List appends, in commit order.
type List[T any] []T

// Merge returns a followed by b.
func (a List[T]) Merge(b List[T]) List[T] {
	if len(b) == 0 {
		return slices.Clip(a)
	}
	return slices.Concat(a, b)
}

// EventLog is a List of events, to be replayed.
type EventLog[E any] []E

// Merge returns a followed by b.
func (a EventLog[E]) Merge(b EventLog[E]) EventLog[E] {
	return EventLog[E](List[E](a).Merge(List[E](b)))
}

// Replay yields the events in commit order.
func (a EventLog[E]) Replay() iter.Seq[E] { return slices.Values(a) }

// Fold replays l, starting with zero and applying f to each event.
func Fold[A, E any](l EventLog[E], zero A, f func(A, E) A) A {
	for _, e := range l {
		zero = f(zero, e)
	}
	return zero
}

// Set unites. Its JSON is an array.
type Set[T comparable] map[T]struct{}

// SetOf returns the set of the given values.
func SetOf[T comparable](values ...T) Set[T] {
	s := make(Set[T], len(values))
	for _, v := range values {
		s[v] = struct{}{}
	}
	return s
}

// Has reports whether v is in the set.
func (a Set[T]) Has(v T) bool {
	_, ok := a[v]
	return ok
}

// Merge returns the union of a and b.
func (a Set[T]) Merge(b Set[T]) Set[T] {
	if len(b) == 0 {
		return a
	}
	both := make(Set[T], len(a)+len(b))
	maps.Copy(both, a)
	maps.Copy(both, b)
	return both
}

// MarshalJSON writes the set as an array, ordered by its elements' JSON.
func (a Set[T]) MarshalJSON() ([]byte, error) {
	elements := make([]json.RawMessage, 0, len(a))
	for v := range a {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		elements = append(elements, b)
	}
	slices.SortFunc(elements, func(x, y json.RawMessage) int { return slices.Compare(x, y) })
	return json.Marshal(elements)
}

// UnmarshalJSON reads an array.
func (a *Set[T]) UnmarshalJSON(b []byte) error {
	var values []T
	if err := json.Unmarshal(b, &values); err != nil {
		return err
	}
	*a = SetOf(values...)
	return nil
}
