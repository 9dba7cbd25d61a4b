package flox_test

import (
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

func TestMemory(t *testing.T) {
	floxtest.TestStore(t, func(*testing.T) floxtest.Backend {
		m := flox.NewMemory()
		return floxtest.Backend{
			Store:   m,
			Dump:    func(*testing.T) map[string]string { return m.Dump() },
			Advance: time.Sleep,
		}
	})
}
