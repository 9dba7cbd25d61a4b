package floxtest

import (
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Backend is a store under test, in an empty namespace of its own.
type Backend struct {
	Store flox.Store
	// Dump returns everything the namespace holds of runs and queues, raw, as
	// text that is the same for the same contents; lease times are left out.
	// Nil if that is impossible: then nothing is checked to be unchanged.
	Dump func(t *testing.T) map[string]string
	// BreakKey replaces the run's key of a kind (run, state, errors or history)
	// by one of a wrong type, and reports whether it could. Nil if runs have no
	// such keys.
	BreakKey func(t *testing.T, run, kind string) bool
	// LoseQueues deletes all queues and timers, as a crash may, and reports
	// whether it could. Nil if a store cannot lose them.
	LoseQueues func(t *testing.T) bool
	// Advance makes time pass for leases and delays.
	Advance func(d time.Duration)
}

// check is one test of the suite. It gets an empty namespace.
type check struct {
	name string
	run  func(d *driver)
}

// TestStore is the definition of a store: an implementation is right if and
// only if it passes. open makes an empty namespace, also of a server that other
// tests use at the same time. The checks run in parallel: most of them wait.
func TestStore(t *testing.T, open func(t *testing.T) Backend) {
	groups := []struct {
		name   string
		checks []check
	}{
		{"WorkQueue", queueChecks},
		{"Lease", leaseChecks},
		{"Handback", handbackChecks},
		{"Delayed", delayedChecks},
		{"Start", startChecks},
		{"Commit", commitChecks},
		{"Join", joinChecks},
		{"Fan", fanChecks},
		{"Hold", holdChecks},
		{"Later", laterChecks},
		{"Await", awaitChecks},
		{"AwaitStays", awaitStaysChecks},
		{"Signal", signalChecks},
		{"SignalRace", signalRaceChecks},
		{"Deadline", deadlineChecks},
		{"Undo", undoChecks},
		{"UndoToken", undoTokenChecks},
		{"UndoSettle", undoSettleChecks},
		{"UndoRace", undoRaceChecks},
		{"Quorum", quorumChecks},
		{"Late", lateChecks},
		{"LateMany", lateManyChecks},
		{"Close", closingChecks},
		{"Scope", scopeChecks},
		{"Compact", compactChecks},
		{"Fence", fenceChecks},
		{"Invalid", invalidChecks},
		{"Control", controlChecks},
		{"Restart", restartChecks},
		{"RestartRefused", restartRefusedChecks},
		{"RestartBranches", restartBranchesChecks},
		{"Settle", settleChecks},
		{"Delete", deleteChecks},
		{"Expire", expireChecks},
		{"Info", infoChecks},
		{"Records", recordChecks},
		{"Metrics", metricsChecks},
		{"Alerts", alertChecks},
		{"Liveness", livenessChecks},
		{"Hammer", hammerChecks},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.checks {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(newDriver(t, open(t)))
				})
			}
		})
	}
}
