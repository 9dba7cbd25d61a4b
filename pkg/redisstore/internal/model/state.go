package model

import "slices"

// Places of a token, as in its record.
const (
	inQueue = 'q'
	delayed = 'd'
	waiting = 'w'
	parked  = 'p'
)

// Flags of a token: the run failed of it, a signal or the time ended its wait.
const (
	flagFailed uint8 = 1 << iota
	flagSignal
	flagTime
)

type status uint8

const (
	running status = iota
	paused
	undoing
	completed
	failed
	cancelled
)

var statusNames = [...]string{"running", "paused", "undoing", "completed", "failed", "cancelled"}

func (s status) String() string { return statusNames[s] }

func (s status) ended() bool { return s >= completed }

// Who has an entry, if it is no session's number.
const (
	nobody = 0  // it was not delivered
	dead   = -1 // a session that is gone
	erased = -2 // its consumer was deleted: no longer pending, and never delivered again
)

// token is t:<token>. Entry ids and owners are numbers that mean nothing but equal
// or not; an owner of whom no session is left is dead.
type token struct {
	id                  string
	loc                 uint8
	eid, own            int8
	step, node, queue   int8
	att, crash, flags   uint8
	frame               string
	idx                 int8
	from                string
	count               int8
	rel, chunks, origin int8
	framed, due         bool
	signal              int8  // id of the signal that ended its wait
	epoch               int8  // of a mutation
	holder              int8  // observer's: the session that was granted it last
	lost                uint8 // observer's: starts of this step that were lost
}

// item is the name of what the token is to do next.
func (t *token) item() string { return itemOf(t.id, t.step) }

func itemOf(tok string, step int8) string { return tok + "." + digits(step) }

func digits(n int8) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return string([]byte{'0' + byte(n/10), '0' + byte(n%10)})
}

// undoes says whether the token undoes what another one did.
func undoes(tok string) bool { return tok[0] == 'u' }

// frame is f:<frame>. need 0 waits for all, fired is that of a closed one.
type frame struct {
	id                string
	live, join, queue int8
	parent            string
	pidx              int8
	arrived, need     int8
}

const fired = -1

// deposit is d:<frame>:<n>.
type deposit struct {
	frame  string
	n, idx int8
	item   string
}

// entry is one of a queue's stream, with what the group knows of it.
type entry struct {
	eid, queue int8
	tok        string
	con        int8 // session, or nobody, dead, erased
}

// visit is r:<node>.
type visit struct {
	node, queue           int8
	order, sv, outs, ends int8
}

// db is all that Redis has of the run and its partition. What is marked as the
// observer's is in no key: it is there to judge by.
type db struct {
	exists                                            bool
	born                                              int8
	status                                            status
	live, parked, created, committed, failed, dropped int8
	outs, ends, sv, sb, closed, gen                   int8
	length                                            int8 // of the state log: a snapshot, if there is one, and deltas
	undoing                                           bool // something may be or was undone: the field of that name
	deadline                                          bool
	purging                                           uint8 // 0, 'd' delete, 'r' restart
	restart                                           visit
	kept, last                                        int8 // signal that is kept, id of the last one

	active, atCompleted, atFailed, atCancelled bool // members of the indexes
	todo                                       bool
	deadlineTimer                              bool

	toks    []token
	frames  []frame
	deps    []deposit
	entries []entry
	timers  []string
	waiters []string
	undos   []int8 // nodes that undo, oldest first
	visits  []visit
	ctl     []int8   // nonces of the requests that were applied
	log     []string // items whose delta was appended, the state
	fell    []string // observer's: items that took their fallback
	eaten   []int8   // observer's: signals that ended a wait
	cause   cause    // observer's: why it failed
}

type cause uint8

const (
	noCause cause = iota
	byNode
	byPoison
	byDeadline
	byNothing // ended with no output
)

func (d *db) clone() *db {
	c := *d
	// With room for what a script makes, so that a pointer to a token stays good.
	c.toks = append(make([]token, 0, len(d.toks)+6), d.toks...)
	c.frames = slices.Clone(d.frames)
	c.deps = slices.Clone(d.deps)
	c.entries = slices.Clone(d.entries)
	c.timers = slices.Clone(d.timers)
	c.waiters = slices.Clone(d.waiters)
	c.undos = slices.Clone(d.undos)
	c.visits = slices.Clone(d.visits)
	c.ctl = slices.Clone(d.ctl)
	c.log = slices.Clone(d.log)
	c.fell = slices.Clone(d.fell)
	c.eaten = slices.Clone(d.eaten)
	return &c
}

func (d *db) token(id string) *token {
	for i := range d.toks {
		if d.toks[i].id == id {
			return &d.toks[i]
		}
	}
	return nil
}

func (d *db) frame(id string) *frame {
	for i := range d.frames {
		if d.frames[i].id == id {
			return &d.frames[i]
		}
	}
	return nil
}

func (d *db) entry(eid int8) *entry {
	for i := range d.entries {
		if d.entries[i].eid == eid {
			return &d.entries[i]
		}
	}
	return nil
}
