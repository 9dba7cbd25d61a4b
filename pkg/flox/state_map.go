package flox

import (
	"maps"
	"reflect"
)

// MapOf merges key by key: what both sides have merges as values of V do. V is
// any type that merges, such as Sum, another MapOf, or a struct of such fields;
// Build refuses one that does not.
type MapOf[K comparable, V any] map[K]V

// mergesMap is what MapOf is for any types: it merges with another of its type,
// given how values merge.
type mergesMap interface {
	mergeMap(b any, merge mergeFunc) any
}

var mapOfType = reflect.TypeFor[mergesMap]()

func (a MapOf[K, V]) mergeMap(b any, merge mergeFunc) any {
	both := make(MapOf[K, V], len(a))
	maps.Copy(both, a)
	for k, v := range b.(MapOf[K, V]) {
		if old, ok := both[k]; ok {
			v = mergeField(merge, reflect.ValueOf(&old).Elem(), reflect.ValueOf(&v).Elem()).Interface().(V)
		}
		both[k] = v
	}
	return both
}
