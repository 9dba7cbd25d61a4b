// Package simulation tests the engine and its stores where time and trouble are
// the test's own:
//
//   - virtual_test.go runs real workers on the real Redis store in virtual time,
//     over a network that loses and delays what it carries, while processes are
//     killed and frozen. Redis is played by miniredis.
//   - step_test.go drives the store in memory one call at a time: a seed is one
//     order of calls, clock and faults included, and the same again every time.
//   - linear_test.go records what clients do to one item at the same time, and asks
//     Porcupine for an order of the calls that explains every answer.
//   - machine_test.go compares Redis with a small model of the protocol, and the
//     store in memory with Redis, call by call.
//
// Miniredis is not Redis, and virtual_test.go cannot judge all: XCLAIM there ignores
// how long an entry was idle, so that a reclaim that comes too late is not refused
// by it; XDEL takes a pending entry away too, so that a missing XACK is not seen;
// WAIT says nothing; scripts are not refused when memory is short, and nothing is
// said about undeclared keys. The other three, and the tests of real processes, do.
package simulation
