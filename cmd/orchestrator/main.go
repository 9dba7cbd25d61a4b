// Command orchestrator starts, shows and steers runs. See package internal/cli,
// or orchestrator --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/floxrun/flox/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
