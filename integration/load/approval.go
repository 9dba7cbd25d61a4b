package load

import (
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Approve is the signal that approval runs wait for.
var Approve = flox.NewSignal[string]("approve")

// Ask is the input of an approval run.
type Ask struct {
	Timeout int    `json:"timeout"` // how long it waits for the signal, ms
	Item    string `json:"item,omitempty"`
	// More is of kinds that can be as large as a payload says.
	More map[string][]string `json:"more,omitempty"`
}

// awaiting is the node that awaits.
const awaiting = "ask"

// approvalWorkflow asks, waits for a signal or its timeout, and acts.
func approvalWorkflow() (flox.Definition, error) {
	b := flox.New[Trace](ApprovalName).Retention(retention())
	ask := flox.AddFunc(b, awaiting, node(awaiting, func(ctx *flox.Context[Trace], in Ask) (flox.Awaiting[Ask, string], error) {
		in.Item = ctx.ItemID()
		return flox.Await(Approve, in, time.Duration(in.Timeout)*time.Millisecond), nil
	})).Awaits(Approve)
	act := flox.AddFunc(b, "act", node("act", func(ctx *flox.Context[Trace], _ flox.Answer[Ask, string]) (flox.Transition[Sum], error) {
		return flox.Next(Sum{Items: 1, Item: ctx.ItemID()}), nil
	}))
	ask.To(act)
	return flox.Build(b, ask, act)
}
