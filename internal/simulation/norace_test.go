//go:build !race

package simulation

// How much is simulated unless more is asked for.
const (
	virtualDefault = 150
	stepsDefault   = 2000
	linearDefault  = 200
	rapidDefault   = "100"
)
