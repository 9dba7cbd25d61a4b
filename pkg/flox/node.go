package flox

// Node is one step of a workflow. One value serves all items that reach the
// node, many at a time, so Process must be safe for concurrent use. What a node
// depends on (clients, configuration) are fields of the value.
//
// Process may run more than once for one item: after an error, and after a
// crash of its worker. Only one of these executions is committed. A panic is a
// failure like an error.
type Node[S, I, O any] interface {
	Process(ctx *Context[S], in I) (Transition[O], error)
}

// NodeFunc is a Node made of a function.
type NodeFunc[S, I, O any] func(*Context[S], I) (Transition[O], error)

// Process calls f.
func (f NodeFunc[S, I, O]) Process(ctx *Context[S], in I) (Transition[O], error) {
	return f(ctx, in)
}

// None is the output of a node that ends its token quietly: it need not be
// named as an end, gives the run no output, and a join does not wait for it.
type None struct{}

// Done is what an undo takes: what the item that is to be undone was given and
// yielded, and why the run failed.
type Done[I, O any] struct {
	Input  I         `json:"input"`
	Output O         `json:"output"`
	Cause  NodeError `json:"cause"`
}

// Failure is what a fallback takes: the failed node's input and why it failed.
type Failure[I any] struct {
	Input   I         `json:"input"`
	Node    string    `json:"node"`    // that failed
	Attempt int       `json:"attempt"` // the last one, counted from 1
	Err     NodeError `json:"err"`
}
