package model

// act is what a node does with an item when nothing goes wrong.
type act uint8

const (
	goNext  act = iota // on to the node to
	goLater            // the same, after a delay
	goEnd              // the token ends
	goHome             // it leaves what it has at the join of its frame
	goFan              // one branch at to for each of size
	goHold             // held, but by the one that sees all the others held
	goWait             // waits for the signal, then on to the node to
	goClose            // leaves what it has at the join, which fires at once
)

// Node is one node of a graph. The branch of a fan-out that an item came from
// stands for its input: routes go by it.
type Node struct {
	Name  string
	Queue int8
	act   act
	to    int8
	out   bool // an end with an output

	size   int8 // of a fan-out
	join   int8 // that the fan-out's frame has, 0 if it opens none
	quorum int8

	strays   bool // branch 1 ends here instead
	fallback int8 // 0 if it has none
	retries  bool // it may fail and be tried again
	fails    bool // it may fail for good
	undo     int8 // node that undoes it, 0 if there is none
	timeout  bool // a wait that the time may end
	branches int8 // how many its join must be given, 0 if it is no join or that varies
}

// Graph is a workflow. Its first node is the root's; node 0 is nobody's successor,
// so 0 says "none" elsewhere.
type Graph struct {
	Name  string
	Nodes []Node
	need  bool // completed only with an output
	outs  int8 // outputs of a completed run, -1 if that varies
	same  bool // a completed run has always done the same items
}

func (g *Graph) undoes() bool {
	for _, n := range g.Nodes {
		if n.undo != 0 {
			return true
		}
	}
	return false
}

// Graphs that are explored, small as they are: each has what one rule is about.
var (
	chain = &Graph{Name: "chain", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "a", act: goNext, to: 1, retries: true, fails: true},
		{Name: "b", act: goEnd, out: true, retries: true, fails: true},
	}}
	crossing = &Graph{Name: "chain over two queues", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "a", act: goNext, to: 1},
		{Name: "b", Queue: 1, act: goNext, to: 2},
		{Name: "c", act: goEnd, out: true},
	}}
	fallback = &Graph{Name: "fallback", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "a", act: goNext, to: 1, fallback: 2, retries: true, fails: true},
		{Name: "b", act: goEnd, out: true, fails: true},
		{Name: "instead", act: goEnd, out: true},
	}}
	fanJoin = &Graph{Name: "fan-out and join", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2},
		{Name: "work", act: goHome, fails: true, retries: true},
		{Name: "join", act: goEnd, out: true, branches: 2, retries: true},
	}}
	fanJoinFar = &Graph{Name: "fan-out and join in another queue", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2},
		{Name: "work", Queue: 1, act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 2},
	}}
	chunks = &Graph{Name: "large fan-out", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 4, join: 2},
		{Name: "work", act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 4},
	}}
	// The inner fan-out has no join: its branches go to that of the outer one, and
	// the inner branch 1 ends before.
	nested = &Graph{Name: "nested fan-out", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 4},
		{Name: "inner", act: goFan, to: 2, size: 2, join: 3},
		{Name: "work", act: goHome, strays: true},
		{Name: "inner join", act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 2},
	}}
	spreading = &Graph{Name: "fan-out within a branch", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 3},
		{Name: "spread", act: goFan, to: 2, size: 2},
		{Name: "work", act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 4},
	}}
	routed = &Graph{Name: "a branch that ends", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2},
		{Name: "route", act: goHome, strays: true},
		{Name: "join", act: goEnd, out: true, branches: 1},
	}}
	emptyJoined = &Graph{Name: "NextAll of nothing, with a join", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, join: 1},
		{Name: "join", act: goEnd, out: true},
	}}
	emptyBare = &Graph{Name: "NextAll of nothing, without a join", outs: 0, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1},
	}}
	emptyInside = &Graph{Name: "NextAll of nothing in a branch", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2},
		{Name: "none", act: goFan, to: 1},
		{Name: "join", act: goEnd, out: true},
	}}
	spread = &Graph{Name: "branches without a join", outs: 2, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2},
		{Name: "end", act: goEnd, out: true, fails: true},
	}}
	collector = &Graph{Name: "collector", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2},
		{Name: "collect", act: goHold, out: true},
	}}
	answer = &Graph{Name: "await", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "ask", act: goWait, to: 1, timeout: true},
		{Name: "end", act: goEnd, out: true},
	}}
	answers = &Graph{Name: "await twice", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "ask", act: goWait, to: 1, timeout: true},
		{Name: "ask again", act: goWait, to: 2},
		{Name: "end", act: goEnd, out: true},
	}}
	timer = &Graph{Name: "delay", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "a", act: goLater, to: 1},
		{Name: "b", act: goEnd, out: true, retries: true},
	}}
	quorum = &Graph{Name: "quorum", need: true, outs: 1, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2, quorum: 1},
		{Name: "work", act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 1},
	}}
	quorumNested = &Graph{Name: "quorum around a fan-out", need: true, outs: 1, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 4, quorum: 1},
		{Name: "inner", act: goFan, to: 2, size: 2, join: 3},
		{Name: "work", act: goHome},
		{Name: "inner join", act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 1},
	}}
	quorumChunks = &Graph{Name: "quorum of a large fan-out", need: true, outs: 1, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 3, join: 2, quorum: 1},
		{Name: "work", act: goHome},
		{Name: "join", act: goEnd, out: true, branches: 1},
	}}
	closing = &Graph{Name: "a branch that closes its frame", need: true, outs: 1, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2},
		{Name: "work", act: goClose},
		{Name: "join", act: goEnd, out: true, branches: 1},
	}}
	undo = &Graph{Name: "undo", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "a", act: goNext, to: 1, undo: 3},
		{Name: "b", act: goNext, to: 2, undo: 3},
		{Name: "c", act: goEnd, out: true, fails: true},
		{Name: "undo", act: goEnd, fails: true},
	}}
	undoFan = &Graph{Name: "undo of branches", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "fan", act: goFan, to: 1, size: 2, join: 2},
		{Name: "work", act: goHome, undo: 3, fails: true},
		{Name: "join", act: goEnd, out: true, branches: 2},
		{Name: "undo", act: goEnd},
	}}
	again = &Graph{Name: "retry from a node", need: true, outs: 1, same: true, Nodes: []Node{
		{Name: "a", act: goNext, to: 1},
		{Name: "b", act: goFan, to: 2, size: 2, join: 3},
		{Name: "work", act: goHome, fails: true},
		{Name: "join", act: goEnd, out: true, branches: 2},
	}}
)
