package checker

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Part is one partition at one moment.
type Part struct {
	Number int
	At     time.Time // by the server's clock
	Runs   map[string]*Run
	// Indexes are the members of active, completed, failed and cancelled, with their
	// times in ms; a member is "<run>|<workflow>".
	Indexes map[string]map[string]int64
	// Todo are the runs that are marked as having work left.
	Todo map[string]int64
	// Timers are what is due and when, in ms: "<run>/<token>", or "<run>/", a
	// deadline.
	Timers map[string]int64
	// Stats counts runs by "<workflow>:<status>".
	Stats  map[string]int
	Queues map[string]*Queue
	// Odd are keys that a partition should not have, or that are of a wrong type,
	// with their types.
	Odd map[string]string
}

// Queue is a queue's stream.
type Queue struct {
	Entries map[string]Pointer // by id
	// Last is the id up to which entries were delivered, empty if there is no group.
	Last string
	// Pending says which consumer has which entry.
	Pending map[string]string
	// Consumers says how many entries each has.
	Consumers map[string]int
}

// Pointer is what a queue's entry says: whose turn it is.
type Pointer struct{ Run, Token string }

// indexes are the names of a partition's indexes of runs.
var indexes = []string{"active", "completed", "failed", "cancelled"}

// types say of which type a key must be, by the first word of its name.
var types = map[string]string{
	"run": "hash", "state": "list", "history": "list", "errors": "hash", "queue": "stream",
	"runs": "zset", "delayed": "zset", "stats": "hash",
}

func newPart(number int) *Part {
	p := &Part{
		Number: number, Runs: map[string]*Run{}, Indexes: map[string]map[string]int64{}, Todo: map[string]int64{},
		Timers: map[string]int64{}, Stats: map[string]int{}, Queues: map[string]*Queue{}, Odd: map[string]string{},
	}
	for _, name := range indexes {
		p.Indexes[name] = map[string]int64{}
	}
	return p
}

func parsePart(number int, prefix string, reply []any) (*Part, error) {
	if len(reply) == 0 {
		return nil, errors.New("the reply is empty")
	}
	p := newPart(number)
	ms, err := strconv.ParseInt(flat(reply)[0], 10, 64)
	if err != nil {
		return nil, err
	}
	p.At = time.UnixMilli(ms)
	for _, item := range reply[1:] {
		key, ok := item.([]any)
		if !ok || len(key) != 3 {
			return nil, errors.New("the reply is not what the script gives")
		}
		name, kind := flat(key)[0], flat(key)[1]
		p.take(strings.TrimPrefix(name, prefix), kind, key[2])
	}
	for _, r := range p.Runs {
		r.decode()
	}
	return p, nil
}

// take puts what a key holds in its place.
func (p *Part) take(name, kind string, value any) {
	first, rest, _ := strings.Cut(name, ":")
	if types[first] != kind {
		p.Odd[name] = kind
		if first == "run" || first == "state" || first == "history" || first == "errors" {
			p.run(rest).Spoilt = true
		}
		return
	}
	switch first {
	case "run":
		p.run(rest).Fields = pairs(value)
	case "state":
		p.run(rest).state = flat(value)
	case "history":
		p.run(rest).listed = flat(value)
	case "errors":
		p.run(rest).errors = pairs(value)
	case "queue":
		p.Queues[rest] = parseQueue(value)
	case "delayed":
		p.Timers = scores(value)
	case "stats":
		for field, n := range pairs(value) {
			p.Stats[field], _ = strconv.Atoi(n)
		}
	case "runs":
		if rest == "todo" {
			p.Todo = scores(value)
		} else if p.Indexes[rest] != nil {
			p.Indexes[rest] = scores(value)
		} else {
			p.Odd[name] = kind
		}
	}
}

func (p *Part) run(id string) *Run {
	if p.Runs[id] == nil {
		p.Runs[id] = &Run{ID: id}
	}
	return p.Runs[id]
}

func parseQueue(value any) *Queue {
	q := &Queue{Entries: map[string]Pointer{}, Pending: map[string]string{}, Consumers: map[string]int{}}
	parts, _ := value.([]any)
	for len(parts) < 4 {
		parts = append(parts, nil)
	}
	for _, e := range lists(parts[0]) {
		fields := pairs(e[1])
		q.Entries[flat(e)[0]] = Pointer{fields["r"], fields["t"]}
	}
	for _, g := range lists(parts[1]) {
		if group := pairs(g); group["name"] == "flox" {
			q.Last = group["last-delivered-id"]
		}
	}
	for _, e := range lists(parts[2]) {
		q.Pending[flat(e)[0]] = flat(e)[1]
	}
	for _, c := range lists(parts[3]) {
		consumer := pairs(c)
		q.Consumers[consumer["name"]], _ = strconv.Atoi(consumer["pending"])
	}
	return q
}

// lists reads a list of lists; those too short to be anything are left out.
func lists(reply any) [][]any {
	var all [][]any
	outer, _ := reply.([]any)
	for _, v := range outer {
		if inner, ok := v.([]any); ok && len(inner) >= 2 {
			all = append(all, inner)
		}
	}
	return all
}
