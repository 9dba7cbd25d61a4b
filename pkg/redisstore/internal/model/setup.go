package model

// fault is one kind of what may go wrong, or of what a client may ask for.
type fault uint8

// Each may happen as often as a Setup says.
const (
	crash    fault = iota // a worker dies with what it holds
	expiry                // a lease runs out though its holder is alive
	loss                  // a reply is lost: the script is called again
	save                  // the server writes its data down
	cut                   // it comes back with what it had written down
	regroup               // the group is made anew: all is delivered again
	drain                 // the streams and timers are lost
	stray                 // an entry is there twice, or points to nothing
	handback              // a worker gives back what it has not done
	attempt               // an attempt fails
	ruin                  // an item fails for good
	pause                 // and resume, as often as it is paused
	cancel                //
	revival               // retry of a failed run
	rewind                // retry from a node
	removal               // delete
	rerun                 // start of the same id after it
	signal                //
	folding               // the state log is compacted
	deadline              // the run has one, and it passes
	sweep                 // a consumer of whom nothing was heard is deleted
	late                  // a request is held up, and sent again meanwhile
	faults
)

var faultNames = [faults]string{"crashes", "expired leases", "lost replies", "saves", "restarts from a shorter log",
	"new groups", "lost streams", "stray entries", "hand-backs", "failed attempts", "failed items", "pauses", "cancels",
	"retries", "retries from a node", "deletes", "starts again", "signals", "compactions", "deadlines", "sweeps", "late requests"}

func (f fault) String() string { return faultNames[f] }

type budget [faults]int8

// Setup is one exploration: a graph, how many slots the workers have, and what may
// happen how often.
type Setup struct {
	Name  string
	Graph *Graph
	Slots int8
	Limit uint8 // lost starts that make an item poison
	Chunk int8  // branches that one script makes
	apart bool  // each queue has workers of its own
	from  int8  // node that a retry goes on from

	ordered bool // the log is cut back, so its order counts
	Left    map[fault]int8
}

func (s *Setup) has(f fault) bool { return s.Left[f] > 0 }
