// Package checker judges from outside whether a flox deployment kept its
// promises. It reads Redis' raw keys, a log that the test nodes write of their
// executions, and every command that a server has done (MONITOR). It shares no
// code with the engine, so that a mistake there is not made here again.
//
// [Read] takes a namespace's keys, each partition at one moment; [Snapshot.Judge]
// judges them with the log and with what is wanted of each run. [Follow] judges
// the order in which commands took effect. Both give a [Report], which says for
// each rule how many things were judged: a rule that judged nothing has shown
// nothing.
//
// The rules are named as in the project's list of invariants: S1-S16 must never
// be broken, L1-L8 say that there is progress.
package checker
