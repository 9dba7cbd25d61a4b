// Chaos runs flox as it is deployed, real worker processes on real servers, does
// harm to it while it works, lets it come to rest and judges from outside whether
// every promise was kept. It prints a row for each scenario, server and seed, and
// exits with 1 if a promise was broken, if a fault never fired, or if anything
// could not be judged; with 2 if it was called wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/redisstore"
)

func main() {
	if load.IsWorker() {
		load.Main()
	}
	redisstore.DiscardClientLog()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	plan, err := o.plan()
	if err != nil {
		return err
	}
	if o.list {
		list(out, plan)
		return nil
	}
	earlier, err := readJSON(o.after)
	if err != nil {
		return err
	}
	binary, cleanup, err := o.binary(ctx)
	if err != nil {
		return err
	}
	defer cleanup()
	rows := merged(earlier, perform(ctx, o, binary, plan, out))
	table(out, rows)
	if o.json != "" {
		if err := writeJSON(o.json, rows); err != nil {
			return err
		}
	}
	if o.page != "" {
		if err := writePage(o.page, rows); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return o.verdict(rows)
}
