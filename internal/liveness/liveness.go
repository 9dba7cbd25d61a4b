// Package liveness judges workers by their last beat, the same way wherever they
// are shown.
package liveness

import "time"

// A worker beats every few seconds. One that has missed some is stale; its leases
// have run out by the time it counts as dead.
const (
	StaleAfter = 15 * time.Second
	DeadAfter  = 60 * time.Second
)

// What Of returns.
const (
	Alive = "alive"
	Stale = "stale"
	Dead  = "dead"
)

// Of says how a worker is whose last beat is that old.
func Of(age time.Duration) string {
	switch {
	case age < StaleAfter:
		return Alive
	case age < DeadAfter:
		return Stale
	}
	return Dead
}
