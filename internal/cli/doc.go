// Package cli is the orchestrator program: it starts, shows and steers runs.
//
// Results go to standard output, as tables for people or with -o json for
// programs; everything else goes to standard error. An error is one line:
// "error: what: what is wrong; how to mend it".
//
// Exit codes: 0 ok, 1 error, 2 wrong command line; of commands that wait for a
// run: 3 it failed, 4 it was cancelled, 5 the wait timed out (the run goes on).
package cli
