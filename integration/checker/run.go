package checker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Run is one run.
type Run struct {
	ID string
	// Fields are those of the run's hash, nil if it is not there but other keys of the
	// run are.
	Fields map[string]string
	Tokens map[string]Token
	// History is what was committed, in this order. Only the newest 10,000 are kept.
	History []Step
	// Items are the ids that were merged into the state's list "items".
	Items []string
	// Spoilt says that a key of the run is of a wrong type.
	Spoilt bool
	// Bad says what of the run cannot be decoded.
	Bad []string

	scoped  bool     // nested workflows have a state of their own in it
	state   []string // the log: the snapshot, if there is one, and deltas
	history []string // fields of the run, and behind them what is listed
	listed  []string
	errors  map[string]string
}

// Token is the record of a token.
type Token struct {
	Place                     string // q queued, d delayed, p parked, w waiting
	Entry, Owner, Node, Queue string
	Step, Attempt, Crashes    int
	Flags, Frame, From        string
	Index, Count, Release     int
	Origin                    int
	Due                       int64
}

// Step is one record of the history.
type Step struct {
	Item, Node, Outcome string
	Attempt             int
	Worker              string
}

// firstSteps is how many steps of a run's history are fields of the run, "h:1" and so
// on, and historyLimit how many of those after them are kept.
const (
	firstSteps   = 16
	historyLimit = 10_000
)

// whole says whether the history holds all that was ever committed.
func (r *Run) whole() bool { return len(r.listed) < historyLimit }

// gather puts the history together.
func (r *Run) gather() {
	for n := range firstSteps {
		if record, ok := r.Fields["h:"+strconv.Itoa(n+1)]; ok {
			r.history = append(r.history, record)
		}
	}
	r.history = append(r.history, r.listed...)
}

// n is a counter of the run.
func (r *Run) n(field string) int {
	n, _ := strconv.Atoi(r.Fields[field])
	return n
}

// Status is the raw one, empty if the run's hash is not there.
func (r *Run) Status() string { return r.Fields["status"] }

// Retried says whether the run was started again from one of its nodes: what it
// did after that node is in its history, and not in its state.
func (r *Run) Retried() bool { return r.n("gen") > 0 }

func (r *Run) badf(format string, args ...any) { r.Bad = append(r.Bad, fmt.Sprintf(format, args...)) }

func (r *Run) decode() {
	r.Tokens = map[string]Token{}
	for field, value := range r.Fields {
		if name, ok := strings.CutPrefix(field, "t:"); ok {
			t, err := parseToken(value)
			if err != nil {
				r.badf("token %s: %v", name, err)
				continue
			}
			r.Tokens[name] = t
		}
	}
	r.gather()
	for i, record := range r.history {
		var s Step
		if err := s.decode(record); err != nil {
			r.badf("history record %d: %v", i, err)
			continue
		}
		r.History = append(r.History, s)
	}
	for i, delta := range r.state {
		items, err := mergedItems(delta)
		if err != nil {
			r.badf("delta %d: %v", i, err)
		}
		r.Items = append(r.Items, items...)
		r.scoped = r.scoped || delta != "" && delta[0] == codecScoped
	}
}

// tokenFields is how many fields each token's record has at least.
const tokenFields = 19

func parseToken(record string) (Token, error) {
	// A point stands for what is behind the queue if that is as it was at first.
	if head, ok := strings.CutSuffix(record, "|."); ok {
		record = head + "|0|0|||0||0|0|0|0|0|0|0"
	}
	f := strings.SplitN(record, "|", tokenFields+1)
	if len(f) < tokenFields {
		return Token{}, fmt.Errorf("it has %d fields", len(f))
	}
	t := Token{Place: f[0], Entry: f[1], Owner: f[2], Node: f[4], Queue: f[5], Flags: f[8], Frame: f[9], From: f[11]}
	var err error
	number := func(i int) int {
		n, e := strconv.Atoi(f[i])
		if e != nil {
			err = fmt.Errorf("field %d: %w", i, e)
		}
		return n
	}
	t.Step, t.Attempt, t.Crashes, t.Index = number(3), number(6), number(7), number(10)
	t.Count, t.Release, t.Origin, t.Due = number(12), number(13), number(15), int64(number(17))
	return t, err
}

// decode reads a record: time in ms|item|node|outcome|attempt|worker|duration.
func (s *Step) decode(record string) (err error) {
	f := strings.Split(record, "|")
	if len(f) < 7 {
		return fmt.Errorf("%q has %d fields, want 7", record[:min(len(record), 40)], len(f))
	}
	s.Item, s.Node, s.Outcome, s.Worker = f[1], f[2], f[3], f[5]
	s.Attempt, err = strconv.Atoi(f[4])
	return err
}

// committed returns how often each item was committed, fallbacks included.
func (r *Run) committed() map[string]int {
	seen := map[string]int{}
	for _, s := range r.History {
		seen[s.Item]++
	}
	return seen
}

// ended says whether a run with this status does nothing any more.
func ended(status string) bool {
	return slices.Contains([]string{"completed", "failed", "cancelled"}, status)
}
