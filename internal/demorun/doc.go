// Package demorun shows and checks, with real processes, that a killed worker
// loses and repeats nothing: a store, the demo's site and gateway in this
// process, three worker processes, a link check and a few hundred orders, and a
// SIGKILL in the middle.
package demorun
