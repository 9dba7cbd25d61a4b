// Command worker executes the demo's workflows. See package pkg/worker for its
// flags, or worker --help.
package main

import (
	"fmt"
	"os"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/pkg/worker"
)

func main() {
	cfg, err := demo.ConfigFromEnv(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	defs, err := demo.Workflows(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	worker.Main(defs...)
}
