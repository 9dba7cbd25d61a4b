package flox

import (
	"maps"
	"slices"
)

// info is what of the graph is registered in the store, but for Graph and Schema.
func (g *graph) info() WorkflowInfo {
	queues := map[string]bool{}
	for _, n := range g.nodes {
		queues[n.queue] = true
	}
	return WorkflowInfo{
		Name: g.name, Fingerprint: g.fingerprint, StartNode: g.start.name, StartQueue: g.start.queue,
		NeedsOutput: g.needsOutput, ListOutput: g.list, Queues: slices.Sorted(maps.Keys(queues)),
		Deadline: g.deadline, Retention: g.retention, Undoes: slices.ContainsFunc(g.nodes, func(n *node) bool { return n.undoes }),
	}
}
