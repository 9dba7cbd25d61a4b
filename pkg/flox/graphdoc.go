package flox

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// Graph is a workflow's graph as data: what Workflow.JSON writes and workers
// register, so that a workflow can be drawn where its nodes are not linked in.
// Durations are written as time.Duration prints them, "" is none.
type Graph struct {
	Name        string      `json:"name"`
	Fingerprint string      `json:"fingerprint"`
	Start       string      `json:"start"`
	NeedsOutput bool        `json:"needsOutput"` // a run that ends with no output fails
	ListOutput  bool        `json:"listOutput"`  // any number of outputs: made by BuildAll
	MaxSteps    int64       `json:"maxSteps,omitempty"`
	Deadline    string      `json:"deadline,omitempty"`
	State       string      `json:"state"` // type of the runs' state
	Nodes       []GraphNode `json:"nodes"` // in the order they were added
	Edges       []GraphEdge `json:"edges"` // in the order of the nodes they leave
}

// GraphNode is one node of a Graph.
type GraphNode struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases,omitempty"` // names it had before
	Queue    string   `json:"queue"`
	In       string   `json:"in"`   // type of its input
	Out      string   `json:"out"`  // type of its output; of a fan-out, of one element
	Kind     string   `json:"kind"` // how successors are chosen: none, to, route, join
	Start    bool     `json:"start,omitempty"`
	End      bool     `json:"end,omitempty"`     // its output is the run's
	Quiet    bool     `json:"quiet,omitempty"`   // it ends its token with no output
	Fanout   bool     `json:"fanout,omitempty"`  // each element of its output goes on by itself
	Joins    string   `json:"joins,omitempty"`   // the join that closes its fan-out
	Quorum   int      `json:"quorum,omitempty"`  // of a join: arrivals that fire it; 0: all
	Attempts int      `json:"attempts"`          // most executions of an item; negative: no limit
	Timeout  string   `json:"timeout,omitempty"` // of one attempt
	Signals  []string `json:"signals,omitempty"` // it awaits
	Undo     string   `json:"undo,omitempty"`    // the node that undoes its items
	Undoes   bool     `json:"undoes,omitempty"`  // it undoes items of others
	Nest     string   `json:"nest,omitempty"`    // the nested workflow it is a step of, as "ship" or "ship/pack"
	State    string   `json:"state,omitempty"`   // type of the state it sees, if not the run's
}

// GraphEdge is one edge of a Graph.
type GraphEdge struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	Kind  EdgeKind `json:"kind"`
	Label string   `json:"label,omitempty"` // the variant that a case takes
}

// EdgeKind says when a token takes an edge.
type EdgeKind string

const (
	EdgeNext      EdgeKind = "next"      // always, with several by a copy each
	EdgeCase      EdgeKind = "case"      // the output is a variant, see Case
	EdgeWhen      EdgeKind = "when"      // a function says so, see When
	EdgeOtherwise EdgeKind = "otherwise" // no arm before it fits
	EdgeJoin      EdgeKind = "join"      // it arrives at the join
	EdgeFailure   EdgeKind = "failure"   // its item failed for good
	EdgeUndo      EdgeKind = "undo"      // no token does; the run's failure undoes the node's items there
)

// graphName is what a node or workflow may be called, those in nested workflows
// included.
var graphName = regexp.MustCompile(`^[A-Za-z0-9._$/-]+$`)

// ParseGraph reads what Workflow.JSON wrote. It refuses what cannot be drawn:
// bad names, a name that is taken twice, a start that is no node, edges of
// nodes that are not there. Fields it does not know are ignored, so that newer
// workers can be read.
func ParseGraph(b []byte) (*Graph, error) {
	if len(b) == 0 {
		return nil, errors.New("graph: empty; want the JSON of a workflow")
	}
	var g Graph
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, fmt.Errorf("graph: want the JSON of a workflow: %w", err)
	}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	for i := range g.Nodes {
		g.Nodes[i].Start = g.Nodes[i].Name == g.Start
	}
	return &g, nil
}

func (g *Graph) check() error {
	if !graphName.MatchString(g.Name) {
		return fmt.Errorf("its name is %q; want the characters A-Z a-z 0-9 . _ - / $", g.Name)
	}
	names := map[string]bool{}
	for i, n := range g.Nodes {
		switch {
		case !graphName.MatchString(n.Name):
			return fmt.Errorf("node %d is named %q; want the characters A-Z a-z 0-9 . _ - / $", i+1, n.Name)
		case names[n.Name]:
			return fmt.Errorf("two nodes are named %q", n.Name)
		}
		names[n.Name] = true
	}
	if !names[g.Start] {
		return fmt.Errorf("it starts at %q, which is no node of it", g.Start)
	}
	for _, e := range g.Edges {
		if !names[e.From] || !names[e.To] {
			return fmt.Errorf("it has an edge from %q to %q, which are not both nodes of it", e.From, e.To)
		}
	}
	return nil
}
