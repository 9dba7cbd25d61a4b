package simulation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// model is the protocol in few words, for one caller at a time: no queues' order,
// no times but "soon" and "never", no undo, quorum or deadline. A delay of less than
// an hour is over at the next promote.
type model struct {
	runs    map[string]modelRun
	entries int
}

type modelRun struct {
	status   flox.Status // never pending
	granted  bool
	born     string
	controls []string
	n        flox.Counts
	held     []string // nodes, in the order of the first
	holds    map[string]int
	cause    string
	tokens   map[string]modelToken
	frames   map[string]modelFrame
	outs     []string
	deltas   []string
	kept     map[string]string // signals
	last     map[string]string
	waits    int
}

type modelToken struct {
	id                     string
	place                  flox.TokenPlace // queued, delayed, waiting or parked
	entry                  string
	claimed                bool
	owner                  string // kept when the token leaves its queue: tells a repeat
	node, queue            string
	step, attempt, crashes int
	failed                 bool
	retried                int
	frame                  string
	index                  int
	soon                   bool // delayed, or waiting with a timeout: until the next promote
	signal                 string
	since                  int // order of the waits
	in                     flox.Input
}

type modelFrame struct {
	join, queue, parent string
	index, live         int
	deposits            []modelDeposit
}

type modelDeposit struct {
	index       int
	token, item string
	payload     []byte
}

func newModel() *model { return &model{runs: map[string]modelRun{}} }

// clone copies what calls change.
func (m *model) clone() *model {
	c := &model{runs: map[string]modelRun{}, entries: m.entries}
	for id, r := range m.runs {
		r.tokens, r.frames = maps.Clone(r.tokens), maps.Clone(r.frames)
		r.kept, r.last, r.holds = maps.Clone(r.kept), maps.Clone(r.last), maps.Clone(r.holds)
		r.controls, r.held = slices.Clone(r.controls), slices.Clone(r.held)
		r.outs, r.deltas = slices.Clone(r.outs), slices.Clone(r.deltas)
		c.runs[id] = r
	}
	return c
}

func soon(d time.Duration) bool { return d < time.Hour }

// The verbs. A token is changed as a value and put back.

func (r *modelRun) put(t modelToken) { r.tokens[t.id] = t }

func (m *model) enqueue(r *modelRun, t modelToken) {
	if t.place == flox.PlaceParked {
		r.n.Parked--
	}
	m.entries++
	t.place, t.entry, t.claimed, t.owner = flox.PlaceQueued, fmt.Sprint(m.entries), false, ""
	r.put(t)
}

func (r *modelRun) park(t modelToken) {
	t.place = flox.PlaceParked
	r.n.Parked++
	r.put(t)
}

func (m *model) place(r *modelRun, t modelToken, delay time.Duration) flox.Verdict {
	switch {
	case delay > 0:
		t.place, t.soon = flox.PlaceDelayed, soon(delay)
		r.put(t)
	case r.status == flox.StatusRunning:
		m.enqueue(r, t)
	default:
		r.park(t)
		return flox.VerdictParked
	}
	return flox.VerdictReleased
}

func (m *model) make(r *modelRun, t modelToken, delay time.Duration) {
	r.n.Live++
	r.n.Created++
	m.place(r, t, delay)
}

func (r *modelRun) drop(t modelToken) {
	if t.place == flox.PlaceParked {
		r.n.Parked--
	}
	delete(r.tokens, t.id)
	r.n.Live--
	r.n.Dropped++
}

func (t *modelToken) advance(r *modelRun, node, queue string, in flox.Input) {
	t.step++
	t.node, t.queue, t.in = node, queue, in
	t.attempt, t.crashes, t.failed, t.retried = 0, 0, false, 0
	r.n.Created++
}

// ended takes a token away that is committed, and a branch from its frame.
func (m *model) ended(r *modelRun, t modelToken) {
	delete(r.tokens, t.id)
	r.n.Live--
	if f, ok := r.frames[t.frame]; ok {
		if f.live--; f.live > 0 {
			r.frames[t.frame] = f
		} else {
			delete(r.frames, t.frame)
			m.fire(r, t.frame, f)
		}
	}
	switch {
	case r.n.Live > 0 || r.status.Terminal():
	case r.n.Outputs > 0:
		r.status = flox.StatusCompleted
	default:
		r.status, r.cause = flox.StatusFailed, "ended with no output"
		if held := r.heldAt(", "); held != "" {
			r.cause += ": held " + held
		}
	}
}

func (m *model) fire(r *modelRun, id string, f modelFrame) {
	slices.SortFunc(f.deposits, func(a, b modelDeposit) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.token, b.token))
	})
	in := flox.Input{Joined: true}
	for _, d := range f.deposits {
		in.Deposits, in.Sources = append(in.Deposits, d.payload), append(in.Sources, d.item)
	}
	m.make(r, modelToken{id: flox.JoinToken(id), node: f.join, queue: f.queue, frame: f.parent, index: f.index, in: in}, 0)
}

func (r *modelRun) heldAt(separator string) string {
	var parts []string
	for _, node := range r.held {
		parts = append(parts, fmt.Sprintf("%s=%d", node, r.holds[node]))
	}
	return strings.Join(parts, separator)
}

// wake ends a wait with an answer.
func (m *model) wake(r *modelRun, t modelToken, answer *flox.Answered) {
	t.in.Answer, t.signal = answer, ""
	m.place(r, t, 0)
}
