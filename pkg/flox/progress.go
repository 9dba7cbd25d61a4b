package flox

import (
	"fmt"
	"slices"
	"strings"
)

// Progress is how a run stands on its graph.
type Progress struct {
	Run RunInfo `json:"run"`
	// Nodes has the nodes that items of the run came to, by the name that the
	// item's worker knew the node by (which may be an alias by now).
	Nodes map[string]NodeProgress `json:"nodes"`
}

// NodeProgress counts a run's items at one node.
type NodeProgress struct {
	Done     int `json:"done,omitempty"`     // committed; a wait when it was answered
	Held     int `json:"held,omitempty"`     // absorbed
	Failed   int `json:"failed,omitempty"`   // for good: they took the fallback, or the run failed of them
	Running  int `json:"running,omitempty"`  // with a worker
	Queued   int `json:"queued,omitempty"`   // ready, but no worker has them
	Delayed  int `json:"delayed,omitempty"`  // until a retry or a start is due
	Waiting  int `json:"waiting,omitempty"`  // for a signal
	Parked   int `json:"parked,omitempty"`   // by a run that does not go on for now
	Undone   int `json:"undone,omitempty"`   // of the done: what they did was undone
	Attempts int `json:"attempts,omitempty"` // that failed
}

// NodeStatus is the one word for how a node stands.
type NodeStatus string

const (
	NodeIdle    NodeStatus = ""        // no item has come to it
	NodeDone    NodeStatus = "done"    // all its items are done
	NodeRunning NodeStatus = "running" // a worker has one
	NodeWaiting NodeStatus = "waiting" // one is queued, delayed, parked or waits for a signal
	NodeFailed  NodeStatus = "failed"  // one failed for good
	NodeHeld    NodeStatus = "held"    // its items were absorbed
)

// Status returns the word that matters most: failed before running, waiting,
// done and held.
func (p NodeProgress) Status() NodeStatus {
	switch {
	case p.Failed > 0:
		return NodeFailed
	case p.Running > 0:
		return NodeRunning
	case p.Queued+p.Delayed+p.Waiting+p.Parked > 0:
		return NodeWaiting
	case p.Done > 0:
		return NodeDone
	case p.Held > 0:
		return NodeHeld
	}
	return NodeIdle
}

// Colours are those by which drawings tell how nodes stand, as #rrggbb.
func (s NodeStatus) Colours() (fill, line, text string) {
	switch s {
	case NodeDone:
		return "#d3f0d6", "#2e7d32", "#14361a"
	case NodeRunning:
		return "#d5e6fb", "#1565c0", "#0c2d57"
	case NodeWaiting:
		return "#fdf0c4", "#b58900", "#4a3800"
	case NodeFailed:
		return "#fbd5d5", "#c62828", "#5a1010"
	case NodeHeld:
		return "#e3e5e8", "#6b7280", "#2b3038"
	}
	return "#ffffff", "#4b5563", "#1f2937"
}

// String lists the counts that are not zero, as "3 done · 1 running".
func (p NodeProgress) String() string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(p.Done, "done")
	add(p.Undone, "undone")
	add(p.Held, "held")
	add(p.Running, "running")
	add(p.Queued, "queued")
	add(p.Delayed, "delayed")
	add(p.Waiting, "waiting")
	add(p.Parked, "parked")
	add(p.Failed, "failed")
	if p.Attempts == 1 {
		add(1, "attempt failed")
	} else {
		add(p.Attempts, "attempts failed")
	}
	return strings.Join(parts, " · ")
}

// plus adds the counts of q, those of the same node under another name.
func (p NodeProgress) plus(q NodeProgress) NodeProgress {
	return NodeProgress{
		Done: p.Done + q.Done, Held: p.Held + q.Held, Failed: p.Failed + q.Failed, Running: p.Running + q.Running,
		Queued: p.Queued + q.Queued, Delayed: p.Delayed + q.Delayed, Waiting: p.Waiting + q.Waiting,
		Parked: p.Parked + q.Parked, Undone: p.Undone + q.Undone, Attempts: p.Attempts + q.Attempts,
	}
}

// At returns the counts of node n, under its name and its aliases. A nil
// Progress has none.
func (p *Progress) At(n *GraphNode) NodeProgress {
	if p == nil {
		return NodeProgress{}
	}
	sum := p.Nodes[n.Name]
	for _, alias := range n.Aliases {
		sum = sum.plus(p.Nodes[alias])
	}
	return sum
}

// Elsewhere returns the nodes of p that g does not have, sorted: the run was at
// nodes of another version of the workflow.
func (p *Progress) Elsewhere(g *Graph) []string {
	var names []string
	for name := range p.Nodes {
		if !slices.ContainsFunc(g.Nodes, func(n GraphNode) bool { return n.Name == name || slices.Contains(n.Aliases, name) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
