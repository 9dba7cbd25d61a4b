// Package proxy is a TCP proxy between a client and a Redis server that does harm
// on demand: it loses replies of commands that ran, loses requests, answers late,
// resets connections, goes silent, refuses, sends commands twice, and holds one
// command still so that its sender can be killed at that moment. It reads the
// protocol far enough to know which reply belongs to which command, also in
// pipelines, and counts what it did.
package proxy
