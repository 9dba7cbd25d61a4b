// Package redisstore keeps flox's runs in Redis 7.0 or newer, or Valkey 7.2 or
// newer: a single server, one behind Sentinel, or a Cluster.
//
// Every change is one Lua script (directory lua), so it happens whole or not at
// all. Scripts are sent in pipelines of what is ready, and repeated with the
// same arguments when a connection breaks; they recognise a repeat.
//
// A run is a hash that can be read with redis-cli. Its fields are
//
//	status workflow fingerprint started ended deadline cause failure
//	live parked created committed failed dropped held outs ends sv errs
//	need undoes labels born ctl granted undoing   how it began and was controlled
//	t:TOKEN i:TOKEN b:TOKEN:N       a token, its input, what it has yet to release
//	f:FRAME c:FRAME d:FRAME:N       an open fan-out, what its join gets, what arrived
//	closed                          fan-outs whose join fired while branches were out
//	w:NAME g:NAME sid:NAME s:TOKEN  who waits for a signal, one that is kept, the
//	                                last one's id, the one that a token was given
//	undos u:N                       what would undo what was done
//	holds                           at which nodes how many items were held
//	sb                              how many deltas the state's snapshot stands for
//	o:N                             an output
//	h:N                             one of the first 16 steps of its history
//
// Beside it are its state, a list of deltas behind their snapshot; its history, a list
// of the steps after the first 16, which most runs do not have; and its errors, a
// hash of the newest 100.
package redisstore
