// Command orchestrator starts, shows and steers runs. See package internal/cli,
// or orchestrator --help.
package main

import "github.com/floxrun/flox/internal/cli"

func main() { cli.Main() }
