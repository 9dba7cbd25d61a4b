package model

import (
	"strings"
	"testing"
)

// change is one mutation: what it changes, in which script, and which setup shows it
// by which violation.
type change struct {
	name   Mutation
	script string
	what   string
	setup  string
	wrong  string
}

// caught are the changes that break something. The number is that of the hole in
// protocol.md, if it is told there.
var caught = []change{
	{NoFence, "lib/fence", "any session may commit", "chain, workers", "S3"},
	{NoStepFence, "lib/fence", "a repeat of a commit that kept the lease is applied again", "chain, workers", "S1"},
	{FenceBlindToPlace, "lib/fence", "a token that is not queued can be committed by its last owner", "chain, workers", "S3"},
	{EpochFence, "lib/fence", "hole 2: the lease is an epoch that load reads from the record", "chain, workers", "S3"},
	{EpochInEntry, "lib/fence", "hole 2: the lease is an epoch that a fresh entry has as 0", "chain, new group", "S3"},
	{FenceByEntry, "lib/fence", "hole 1: the lease is that the entry is pending with the worker", "chain, server", "S3"},
	{CommitCancelled, "lib/fence", "what is in flight commits after the run was cancelled", "chain, controls", "S"},
	{RepeatUnasked, "lib/fence", "hole 3: the repeat of a commit goes on without a look at the status", "chain, controls", "S7"},
	{StaleUnasked, "lib/fence", "hole 4: a refused hold is done again without a look at the status", "collector, controls", "S7"},
	{KeepPaused, "lib/fence", "a commit keeps the lease without a look at the status", "chain, controls", "S7"},
	{LoadUnasked, "load", "a step is granted without a look at the status", "chain, controls", "S7"},
	{LoadTakes, "load", "a token that somebody holds is granted to who loads it", "chain, new group", "S3"},
	{ReadUnchecked, "lib/fence", "hole 8: what was read is not compared with the state the run has", "collector, server", "S5"},
	{HoldUnchecked, "lib/fence", "a hold is taken though another came meanwhile", "collector, workers", "S5"},
	{VersionIsLength, "state", "hole 9: the version of the state is the length of its log", "collector, controls", "S5"},
	{KeepEntry, "lib/token", "a release acknowledges, and does not delete", "chain, workers", "S"},
	{ParkedNotCounted, "lib/token", "what is queued again stays counted as parked", "chain, controls", "S9"},
	{DropKeepsLive, "lib/token", "what is dropped stays counted as live", "chain, controls", "S9"},
	{LateGoesOn, "lib/late", "a branch goes on though its join has fired", "quorum, workers", "S2"},
	{JoinEarly, "lib/frame", "a join fires at each arrival", "fan-out, workers", "S5"},
	{JoinRides, "lib/frame", "hole 5: the join's token stays with the entry of who came last", "fan-out, workers", "S10"},
	{QuorumBlind, "lib/frame", "a join waits for all whatever its quorum", "quorum, workers", "S5"},
	{DepositByIndex, "lib/frame", "hole 16: deposits are told apart by branch alone", "fan-out within a branch", "S5"},
	{FinishTheFailed, "lib/finish", "the last token of a failed run ends it once more", "chain, deadline", "S"},
	{FinishEarly, "lib/finish", "a run with an output is completed though tokens are left", "branches without a join, one fails", "S9"},
	{UndoneStays, "lib/finish", "what is undone stays in the list", "undo, workers", "S1"},
	{UndoUnmarked, "lib/status", "a run that begins to undo is not marked", "undo, workers", "L1"},
	{UndoDropsHeld, "settle", "a run that undoes drops what somebody is doing", "undo of branches", "undo"},
	{UndoForgetsLost, "settle", "a run that undoes drops what was started and lost", "undo of branches", "undo"},
	{DeltaLost, "lib/journal", "a delta is not appended", "chain, workers", "S1"},
	{BatonAcrossQueues, "next", "hole 15: the lease is kept into another queue", "two queues", "S10"},
	{KeptUnread, "await", "hole 10: a signal that came before the wait is not looked for", "await twice", "L1"},
	{SignalUnkept, "signal", "hole 10: a signal that nobody waits for is lost", "await twice", "L1"},
	{SignalRepeated, "signal", "hole 10: a signal that is sent again ends the next wait", "await twice", "S4"},
	{SignalLeavesTimer, "signal", "hole 10: a wait that a signal ends leaves its timer", "await", "S11"},
	{PromoteLeavesTimer, "promote", "a timer stays when it was obeyed", "delay", "S11"},
	{EndKeepsFrame, "end", "hole 22: a branch that ends elsewhere is not counted off", "a branch that ends", "S"},
	{ClosedUnmarked, "lib/frame", "a run whose join fired early is not marked", "quorum, workers", "L1"},
	{NothingFiresNothing, "fan", "hole 22: a fan-out to nothing fires no join", "nothing, joined", "S5"},
	{SpreadUncounted, "fan", "hole 22: a fan-out within a branch does not raise the count of the frame", "fan-out within a branch", "S5"},
	{ChunkKeepsStep, "release", "a chunk is no step: the repeat of one makes the next", "large fan-out", "S1"},
	{ReleaserIsOne, "settle", "who releases a large fan-out too late counts as one branch", "quorum, large fan-out", "L1"},
	{RetryForgetsCrashes, "retry", "hole 7: a failed attempt takes the lost starts back", "chain, workers", "S14"},
	{HandbackForgetsCrashes, "handback", "hole 7: a hand-back takes the lost starts back", "chain, workers", "S14"},
	{RetryKeepsCrashes, "settle", "a retried run's item keeps its lost starts", "chain, poison and retry", "S14"},
	{FailLeavesFrame, "fail", "hole 11: an item that fails the run gives up its place in the frame", "fan-out, a branch fails", "S5"},
	{LostHandback, "handback", "known bug: what is handed back is not queued again", "chain, workers", "S10"},
	{ClaimsCount, "reclaim", "hole 7: what was claimed and not started counts as a lost start", "chain, workers", "S14"},
	{CrashUncounted, "reclaim", "known bug: lost starts are not counted", "chain, workers", "S14"},
	{ReclaimKeepsOwner, "reclaim", "who lost its lease stays the owner", "chain, workers", "S3"},
	{NoReclaim, "reclaim", "known bug: nobody takes over lost leases", "chain, workers", "L1"},
	{SweepPending, "consumer", "known bug: a consumer is deleted with entries pending", "chain, dead consumers", "S10"},
	{UnclaimBlind, "unclaim", "an entry is given back though its token was loaded", "chain, workers", "S3"},
	{RenewBlind, "renew", "who lost its lease renews it", "chain, workers", "S3"},
	{GroupAtEnd, "claim", "hole 19: a new group begins at the end of the stream", "chain, new group", "S10"},
	{ControlRepeated, "control", "hole 18: a request that comes again is applied again", "chain, late requests", "S4"},
	{ControlUnmarked, "control", "hole 6: who resumes and dies leaves no mark", "chain, controls", "L1"},
	{ControlLate, "control", "hole 18: a request that was held up is done whatever came between", "chain, held up", "S4"},
	{SentUnasked, "control", "a request is sent though the run as it stands would refuse it", "chain, held up and failed twice", "S4"},
	{SignalLate, "signal", "a signal that was held up is taken whatever came between", "await, held up", "S4"},
	{DeleteLate, "delete", "a delete that was held up is done whatever came between", "chain, held up and failed twice", "S4"},
	{UnmarkFromMemory, "settle", "hole 6: a janitor takes the mark from memory", "chain, resume and a shorter log", "L1"},
	{PurgeFromMemory, "settle", "hole 12: a janitor drops tokens of the run that it saw before", "chain, deleted and started again", "S"},
	{CancelledStaysMarked, "settle", "a cancelled run stays marked for branches that were dropped", "quorum, controls", "L1"},
	{StartUnasked, "start", "hole 18: a start that comes again makes the run again", "chain, workers", "S"},
	{DeleteTokens, "delete", "a run is deleted with its tokens", "chain, deleted and started again", "S9"},
	{DeleteLive, "delete", "a run that has not ended is deleted", "chain, deleted and started again", "S"},
	{RetryWhilePurged, "control", "a run that is being deleted is retried", "fan-out, deleted and started again", "S"},
	{RestartKeepsState, "restart", "hole 21: the state of the steps done again stays", "retry from a node", "S1"},
	{RestartSameName, "restart", "hole 21: the items done again have the names of the old ones", "retry from a node", "S"},
	{FoldWhilePurged, "compact", "a log that is about to be cut back is folded", "retry from a node", "S1"},
	{DeadlineUnasked, "deadline", "a deadline fails a run that has failed", "undo, controls", "S8"},
}

// harmless are changes that break nothing, with the setups that they are tried in:
// what such a rule does is tidiness.
var harmless = []struct {
	name   Mutation
	what   string
	setups []string
}{
	{PlacePausedInQueue, "tokens of a paused run are queued: load parks them", []string{"chain, controls", "fan-out, controls", "delay"}},
	{SettlePausedToo, "settle queues tokens of a paused run: load parks them", []string{"chain, late requests", "large fan-out, controls"}},
	{StraysStay, "load leaves strays: reclaim removes them", []string{"chain, new group"}},
	{LoadBlindToEntry, "load takes an entry that the record does not point back to: the nonce decides", []string{"chain, new group", "two queues, a worker for each"}},
	{PromoteBlind, "promote does not look where the token stands: every wake-up removes its timer", []string{"await", "delay"}},
	{AttemptUnfenced, "a failure does not say which attempt: one lease cannot fail twice", []string{"chain, workers", "fallback"}},
}

func setupOf(t *testing.T, name string) Setup {
	t.Helper()
	for _, s := range setups {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setup %q", name)
	return Setup{}
}

// TestMutations changes one rule at a time, and wants each change to be seen.
func TestMutations(t *testing.T) {
	tried := map[Mutation]bool{None: true}
	for _, c := range caught {
		tried[c.name] = true
		t.Run(c.script+": "+c.what, func(t *testing.T) {
			if racy {
				t.Skip("the race detector has nothing to see here")
			}
			r := New(setupOf(t, c.setup), c.name).Explore(shortStates)
			if !strings.HasPrefix(r.Wrong, c.wrong) || r.Wrong == "" {
				t.Errorf("Explore = %q after %d states, want a violation of %s", r.Wrong, r.States, c.wrong)
			}
			t.Logf("%s: %d states\n%s\n%s", c.setup, r.States, r.Wrong, strings.Join(r.Trace, "\n"))
		})
	}
	for _, c := range harmless {
		tried[c.name] = true
		t.Run(c.what, func(t *testing.T) {
			if racy {
				t.Skip("the race detector has nothing to see here")
			}
			for _, name := range c.setups {
				show(t, New(setupOf(t, name), c.name).Explore(shortStates))
			}
		})
	}
	for m := range mutations {
		if !tried[m] {
			t.Errorf("mutation %d is in no table", m)
		}
	}
}
