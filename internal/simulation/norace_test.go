//go:build !race

package simulation

// How much is simulated unless more is asked for.
const (
	virtualDefault = 100
	stepsDefault   = 1500
	linearDefault  = 200
	rapidDefault   = "100"
)
