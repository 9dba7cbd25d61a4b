// Package model is the protocol of the Redis scripts as an explicit-state model:
// what the scripts in ../../lua do to a run, without Redis, small enough that every
// state within some bounds can be looked at. It has no use but its tests.
//
// # What is looked at
//
// A [Setup] is a [Graph] of a few nodes, how many slots the workers have, and a
// budget: how many crashes, expired leases, lost replies, pauses and so on may
// happen, at any moment and in any order. [Model.Explore] looks at all states that
// can be reached so, breadth first. In each it judges the invariants: the effects
// of each item once (S1), no token made twice (S2), nothing changed but by who holds
// the lease (S3), nothing twice by what is sent again (S4), joins (S5), no grant but
// while the run runs (S6, S7), ended runs stay ended (S8), the ledger (S9), entries
// and timers (S10, S11), indexes (S12), poison (S14). Then it looks for states from
// which what happens by itself (workers at work, leases taken over, timers, janitors,
// a client that resumes what it paused) leads to no end: a run that is stuck (L1).
// [Model.Walk] goes at random where there are too many states to look at them all.
//
// Time is not modelled: a timer may be due at once or never, a lease may run out at
// any moment. So what holds here needs no clock. There is one run; payloads are left
// out, and so is all that only measures. A worker's step limit (LIMIT) and delays of a fan-out are not there
// either.
//
// # How to read it
//
// Each script has a function of its name in commit.go, commit_fan.go, lease.go, run.go
// or settle.go; what it shares with others is in the file of that part: fence.go,
// frames.go, finish.go, token.go. steps.go, keep.go and harm.go say when each can
// happen; check.go what must hold. A violation is told with the shortest way to it, one line a step:
//
//	start
//	 1 FAULT the server saves its data
//	 2 claim 0
//	 3 load by who claimed 0
//	 4 next by the holder of 0.0; the reply is lost
//
// # How to change a rule
//
// First here: change the function, run the tests of this package, and read what they
// say. Keep the old rule as a [Mutation] if it is wrong: the table in
// mutations_test.go says of each what it breaks and which setup shows that, and of
// some that they break nothing. Then change the script. A test fails as long as a
// script is not as it was when it was last compared with the model; run it with
// -update when the two agree.
//
//	go test -v ./pkg/redisstore/internal/model    # prints how many states each setup has
//	make model                                    # larger bounds, many more walks
package model
