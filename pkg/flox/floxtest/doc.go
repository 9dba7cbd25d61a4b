// Package floxtest defines what a flox.Store must do: TestStore runs the whole
// definition against an implementation.
//
//	func TestStore(t *testing.T) {
//		floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
//			return floxtest.Backend{Store: flox.NewMemory(), Advance: time.Sleep}
//		})
//	}
package floxtest
