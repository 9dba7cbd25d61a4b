// Package redisstore keeps flox's runs in Redis 7.0 or newer, or Valkey 7.2 or
// newer: a single server, one behind Sentinel, or a Cluster.
//
// Every change is one Lua script (directory lua), so it happens whole or not at
// all. Scripts are sent in pipelines of what is ready, and repeated with the
// same arguments when a connection breaks; they recognise a repeat.
package redisstore
