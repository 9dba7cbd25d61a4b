package simulation

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
)

// silent is a log of go-redis, which tells of each connection that is refused.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	// The command line's go before these.
	_ = flag.Set("rapid.steps", "60") // calls of a check, about
	_ = flag.Set("rapid.checks", rapidDefault)
	_ = flag.Set("rapid.nofailfile", "true")
	os.Exit(m.Run())
}
