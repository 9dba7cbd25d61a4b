//go:build race

package simulation

// How much is simulated unless more is asked for. The race detector makes virtual
// time five times as slow.
const (
	virtualDefault = 8
	stepsDefault   = 120
	linearDefault  = 40
	rapidDefault   = "30"
)
