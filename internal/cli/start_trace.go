package cli

import (
	"context"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/floxrun/flox/internal/buildinfo"
	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/telemetry"
)

// traceFlags are the flags of commands that start runs within spans. Its variable
// is read by open: those of the other flags of a command count for nothing.
type traceFlags struct {
	set  *pflag.FlagSet
	mode *flags.Choice
}

func newTraceFlags(fs *pflag.FlagSet) traceFlags {
	f := traceFlags{pflag.NewFlagSet("", pflag.ContinueOnError), telemetry.Modes()}
	f.set.Var(f.mode, "tracing", telemetry.Usage+"; also FLOX_TRACING")
	fs.AddFlagSet(f.set)
	return f
}

// open begins to send spans if the flag says so.
func (f traceFlags) open(ctx context.Context, a *app) (*telemetry.Tracing, error) {
	if err := flags.FromEnv(f.set); err != nil {
		return nil, err
	}
	return telemetry.Open(ctx, f.mode, "flox-orchestrator", buildinfo.Read().Version, slog.New(slog.NewTextHandler(a.stderr, nil)))
}
