package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/worker"
)

func (a *app) devCmd() *cobra.Command {
	var port int
	var listen string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a Redis and a worker of the demo workflows in one process, to try things out",
		Long: `Run an embedded Redis, a worker of the demo workflows and a small web site to check
in one process, until interrupted. What is in that Redis ends with the process.`,
		Example: "  orchestrator dev --redis-port 6379",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if port < 0 || port > 65535 {
				return flags.Usagef("--redis-port=%d: want 0 to 65535", port)
			}
			return a.dev(cmd.Context(), port, listen)
		},
	}
	cmd.Flags().IntVar(&port, "redis-port", 0, "loopback `port` of the embedded Redis (default a free one)")
	cmd.Flags().StringVar(&listen, "listen", "off", "`address` of the worker's /healthz, /readyz and /metrics")
	return cmd
}

func (a *app) dev(ctx context.Context, port int, listen string) error {
	redis := miniredis.NewMiniRedis()
	if err := redis.StartAddr(fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		return fmt.Errorf("--redis-port=%d: %w; choose another port", port, err)
	}
	defer redis.Close()
	site, err := demo.ServeSite()
	if err != nil {
		return err
	}
	defer site.Close()
	cfg, err := demo.ConfigFromEnv(os.Getenv)
	if err != nil {
		return flags.Usagef("%v", err)
	}
	defs, err := demo.Workflows(cfg)
	if err != nil {
		return err
	}
	a.redis, a.embedded = "redis://"+redis.Addr(), true
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- worker.Run(ctx, []string{"--redis", a.redis, "--embedded", "--namespace", a.namespace, "--listen", listen},
			a.stdout, a.stderr, defs...)
	}()
	if ended, err := a.awaitReady(ctx, len(defs), done); ended {
		return err
	}
	a.printDev(site)
	return <-done
}

// awaitReady waits until the worker has registered its n workflows, or has
// ended: with the error then returned.
func (a *app) awaitReady(ctx context.Context, n int, done <-chan error) (ended bool, err error) {
	err = a.connected(ctx, func(s *session) error {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if all, err := s.st.Workflows(ctx); err == nil && len(all) == n {
				return nil
			}
			select {
			case err := <-done:
				ended = true
				return err
			case <-tick.C:
			}
		}
	})
	return ended || err != nil, err
}

func (a *app) printDev(site *demo.SiteServer) {
	input, _ := json.Marshal(site.Input()) // a struct of numbers and strings
	order, _ := json.Marshal(demo.Orders(1)[0].Order)
	a.printf(`flox dev: an embedded Redis at %s; it ends, with all its runs, at Ctrl-C.
In another terminal:
  export FLOX_REDIS=%s FLOX_EMBEDDED=true FLOX_NAMESPACE=%s
  %s start linkcheck --wait --input '%s'
  %s start order --wait --input '%s'
`, a.redis, a.redis, a.namespace, called(os.Args[0]), input, called(os.Args[0]), order)
}

// called is the program as the person at the terminal can call it again.
func called(arg0 string) string {
	if filepath.Base(arg0) == program {
		return arg0
	}
	return program
}
