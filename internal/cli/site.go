package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/httpserve"
)

func (a *app) siteCmd() *cobra.Command {
	var listen, elsewhere string
	var delay time.Duration
	cmd := &cobra.Command{
		Use:   "site",
		Short: "Serve the web site and the payment gateway that the demo's workflows need",
		Long: `Serve a small web site with known faults for linkcheck, and below /gateway the
payment gateway of order (workers find it with FLOX_DEMO_GATEWAY), until interrupted.
What the gateway knows ends with the process. No Redis is needed.`,
		Example: `  orchestrator site --listen 127.0.0.1:8080
  FLOX_DEMO_GATEWAY=http://127.0.0.1:8080/gateway worker
  orchestrator start linkcheck --input '{"start": "http://127.0.0.1:8080/"}' --wait`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.site(cmd.Context(), listen, elsewhere, delay)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to serve at")
	cmd.Flags().StringVar(&elsewhere, "elsewhere", "", "another `URL` that leads here: the other host that the site links to (default no such links)")
	cmd.Flags().DurationVar(&delay, "delay", 0, "how long the gateway takes to answer")
	return cmd
}

func (a *app) site(ctx context.Context, listen, elsewhere string, delay time.Duration) error {
	if delay < 0 {
		return flags.Usagef("--delay=%v: want zero or more", delay)
	}
	world, err := demo.World(elsewhere, delay)
	if err != nil {
		return flags.Usagef("--elsewhere=%v", err)
	}
	listener, err := httpserve.Listen(listen)
	if err != nil {
		return err
	}
	stop := httpserve.Serve(listener, world, slog.New(slog.NewTextHandler(a.stderr, nil)))
	defer stop()
	<-ctx.Done()
	return nil
}
