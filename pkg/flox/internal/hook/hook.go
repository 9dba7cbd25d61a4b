// Package hook lets floxtest reach what package flox does not export. Package
// flox fills its variables when it is initialised; nothing else may use them.
package hook

import (
	"context"
	"reflect"
	"time"
)

// Node is what a test kit must know of a node of a workflow.
type Node struct {
	Name           string
	In, Out, State reflect.Type
	Fanout         bool         // Out is the type of one element
	Signals        []string     // it awaits
	Payload        reflect.Type // of these signals, nil if there are none
}

// Decision is what the code of a node came to.
type Decision struct {
	Kind   string // next, fan, hold, await, or a class of flox.NodeError
	Outs   []any  // one for next, any number for fan
	After  time.Duration
	Signal string
	Carry  any
	Err    error
	Delta  any // nil if it merged nothing
}

var (
	// Nodes lists the nodes of a flox.Definition that users wrote, in the order
	// they were added.
	Nodes func(def any) []Node
	// NameOf returns the name that a flox.Ref was added by and that of the
	// workflow it was added to, and whether that is def itself.
	NameOf func(def, ref any) (node, workflow string, own bool)
	// Instrument returns a flox.Definition like def, but that the named nodes
	// run the code of the flox.Refs given, every attempt at a node fails with
	// what before returns, if that is an error, and retries wait as long as
	// their back-off says at most.
	Instrument func(def any, code map[string]any, before func(node string) error) any
	// Process runs the code of a flox.Ref by itself; in is a pointer to its
	// input. The error says why it cannot be run.
	Process func(ctx context.Context, ref, state, in any) (Decision, error)
)
