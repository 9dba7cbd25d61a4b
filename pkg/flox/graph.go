package flox

import (
	"context"
	"log/slog"
	"reflect"
	"time"
)

// Definition is a built workflow with its types erased: what workers take. Only
// *Workflow implements it.
type Definition interface {
	Name() string
	Fingerprint() string
	JSON() []byte
	// InputType is the type of the run's input.
	InputType() reflect.Type
	graph() *graph
}

// graph is the erased form of a workflow, immutable after Build.
type graph struct {
	name        string
	nodes       []*node          // in the order they were added
	byName      map[string]*node // by name and alias
	start       *node
	needsOutput bool // Build with an output other than None
	list        bool // BuildAll
	maxSteps    int64
	deadline    time.Duration
	retention   map[Status]time.Duration
	state       *stateType
	scopes      map[string]*scope // of NestWith, by the name of the nest and its aliases
	plan        *plan             // what it was made of, for workflows that nest it
	fingerprint string
	codecs      *codecs
}

// edgeKind is the one way in which a node's successors are chosen.
type edgeKind int

const (
	edgeNone  edgeKind = iota // an end, or a node that ends its token quietly
	edgeTo                    // every target gets the output
	edgeRoute                 // the first arm that fits
	edgeJoin                  // the innermost frame's join
)

// node is one node of a graph.
type node struct {
	name    string
	aliases []string
	queue   string
	retry   RetryPolicy
	timeout time.Duration
	in, out reflect.Type
	fanout  bool // added by AddFanout or Split: its output is Many
	end     bool // named as an end at Build
	quiet   bool // its output is None: no output, no successor
	pos     string

	kind     edgeKind
	targets  []*node // edgeTo; edgeJoin: the one join
	arms     []*arm  // edgeRoute
	fallback *node
	undo     *node // what undoes an item of it
	undoes   bool  // it is what others' UndoWith names
	signals  []string
	quorum   int       // of a join: arrivals that fire it; 0: all
	scope    *scope    // whose state the node sees; nil: the run's
	visit    *visitDef // of the node that ends the visits of a nested workflow
	leaves   *scope    // that ends with those visits, if the nested workflow has a state of its own
	// catch is how many frames up the nested workflow ends whose fallback takes
	// the node's failures, counted from 1; 0: none does.
	catch int
	// mayBeLate: it stands in a frame whose join may fire before all have come.
	mayBeLate bool

	// frame is the join that closes this node's fan-out, nil if none does.
	frame *frame
	// inside is the frame that the node stands in, nil for none.
	inside *frame

	// execute decodes the input, runs the node's code, routes and encodes what
	// it yields. It never panics.
	execute func(ctx context.Context, x *execution) outcome
	// failure encodes what the fallback takes.
	failure func(x *execution, err NodeError) ([]byte, error)
}

// scope is a nested workflow with a state of its own. Each visit has its own
// state, named after the nest and the frame that the visit's tokens stand in.
type scope struct {
	name    string // of the nest
	aliases []string
	outer   *scope // nil: the run's
	state   *stateType
	lift    func(final any) any // to the outer state; nil drops it
}

// frame is what is between a fan-out and its join.
type frame struct {
	opener, join *node
	scope        *scope // that its tokens stand in, if it opens one
	carry        bool   // the join takes Joined: the fan-out's input travels along
	catches      bool   // of a nested workflow with a fallback
	outer        *frame // the frame that the opener stands in
}

// arm is one arm of a Route.
type arm struct {
	target  *node
	variant reflect.Type // Case: the variant it takes; nil for When and Otherwise
	guarded bool
	other   bool // Otherwise
	fits    func(out any) bool
}

// execution is one item on its way through a node.
type execution struct {
	item   *Item
	lease  *Lease
	name   string // the item's, see id
	ns     string // the store's namespace, for the idempotency key
	state  stateLog
	logger *slog.Logger // of the worker, nil for none
	noted  noted        // what a line of the item's log says
	limit  int          // most bytes of a payload
	report reporter     // takes Context.Progress; may be nil
	within *Info        // of the item that the run is a part of; nil for none

	single [1]routed // room for the one output that most items have
}

// id names the item.
func (x *execution) id() string {
	if x.name == "" {
		return x.lease.Item()
	}
	return x.name
}

// outcomeKind is how the code of a node ended.
type outcomeKind int

const (
	outcomeNext  outcomeKind = iota // one output
	outcomeFan                      // any number of outputs
	outcomeHold                     // absorbed
	outcomeAwait                    // waits for a signal
	outcomeAbort                    // decided to fail
	outcomeError                    // failed
)

// routed is one encoded output and where it goes: nil to none (an end or a
// deposit), several targets each to a copy.
type routed struct {
	targets []*node
	payload []byte
}

// outcome is what executing an item came to; decide makes a Commit of it.
type outcome struct {
	kind  outcomeKind
	outs  []routed
	carry []byte // the item's input, if the join of its fan-out asks for it; what an await carries
	delay time.Duration
	wait  string // the signal awaited
	undo  []byte // what would undo the item
	delta []byte // nil: none
	read  int64  // state version read, -1: none
	err   error
	class string // of the error, see NodeError
	stack string // of a panic
	took  time.Duration
}
