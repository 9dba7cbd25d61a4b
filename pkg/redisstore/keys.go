package redisstore

import (
	"fmt"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Every key of flox is named in this file. Keys of one partition share a hash
// tag and so a slot of a Redis Cluster; all keys of a script are of one partition.

// group is the consumer group of every queue's stream.
const group = "flox"

// keyspace names the keys of one namespace.
type keyspace struct {
	ns    string
	parts []partition
}

// partition names the keys of one partition.
type partition struct{ prefix string }

func newKeyspace(ns string, partitions int) keyspace {
	k := keyspace{ns: ns, parts: make([]partition, partitions)}
	for i := range k.parts {
		k.parts[i].prefix = fmt.Sprintf("flox:{%s:%d}:", ns, i)
	}
	return k
}

func (k keyspace) config() string          { return "flox:{" + k.ns + "}:config" }
func (k keyspace) workflows() string       { return "flox:{" + k.ns + "}:workflows" }
func (k keyspace) workers() string         { return "flox:{" + k.ns + "}:workers" }
func (k keyspace) worker(id string) string { return "flox:{" + k.ns + "}:worker:" + id }
func (k keyspace) mark() string            { return "flox:{" + k.ns + "}:mark" }

// home is the lane of the keys above, which belong to no partition.
func (k keyspace) home() int { return len(k.parts) }

// of returns the number of the run's partition and its names.
func (k keyspace) of(run string) (int, partition) {
	n := flox.Partition(run, len(k.parts))
	return n, k.parts[n]
}

func (p partition) queue(name string) string    { return p.prefix + "queue:" + name }
func (p partition) run(id string) string        { return p.prefix + "run:" + id }
func (p partition) state(id string) string      { return p.prefix + "state:" + id }
func (p partition) history(id string) string    { return p.prefix + "history:" + id }
func (p partition) errors(id string) string     { return p.prefix + "errors:" + id }
func (p partition) index(name string) string    { return p.prefix + "runs:" + name }
func (p partition) active() string              { return p.index("active") }
func (p partition) completed() string           { return p.index("completed") }
func (p partition) failed() string              { return p.index("failed") }
func (p partition) cancelled() string           { return p.index("cancelled") }
func (p partition) todo() string                { return p.index("todo") }
func (p partition) delayed() string             { return p.prefix + "delayed" }
func (p partition) stats() string               { return p.prefix + "stats" }
func (p partition) events() string              { return p.prefix + "events" }
func (p partition) alerts() string              { return p.prefix + "alerts" }
func (p partition) mark() string                { return p.prefix + "mark" }
func (p partition) queueName(key string) string { return strings.TrimPrefix(key, p.queue("")) }

// types says of which type each key of the partition itself must be.
func (p partition) types() map[string]string {
	types := map[string]string{p.delayed(): "zset", p.todo(): "zset", p.stats(): "hash"}
	for _, key := range []string{p.active(), p.completed(), p.failed(), p.cancelled()} {
		types[key] = "zset"
	}
	return types
}
