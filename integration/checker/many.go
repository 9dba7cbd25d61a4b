package checker

import (
	"slices"
	"strings"
)

// item is one item of a script that takes many, with the commands that are its own:
// it is judged as if a script had done it alone.
type item struct {
	call   *call
	begins string // the command with which it begins, on its run's key
	// group are the items that are done together, the first of which begins them. It
	// is nil of the others, and of an item that is done by itself.
	group   []*item
	run     string // the key
	stream  string // of its entry; may be empty
	entry   string // may be empty
	owner   string // to whom it grants the entry's token, if it does so
	deposit string // what the deposit begins with that it leaves, if it does so
	step    bool   // it commits a step
	delta   bool   // which has a delta
	lines   []command
	wrote   bool
}

// The headers of what is judged as an item's own script.
var (
	grants  = header{"token": 1, "entry": 2, "queue of the entry": 3, "owner": 4}
	commits = header{"token": 1, "owner": 2, "step": 3}
	starts  = header{"run id": 1}
)

// What the headers of scripts that take many items say of these.
const (
	manyItems = "KEYS of each item"
	manyRuns  = "KEYS of each run"
)

// Commit is an item of a run that a script commits.
type Commit struct{ Run, Item string }

// Commits returns what a script commits that takes many items, by its keys and
// arguments: those of a script that takes one begin with the run, and it returns nil.
func Commits(keys, argv []string) []Commit {
	for i, name := range []string{"}:runs:active", "}:runs:completed", "}:stats"} {
		if len(keys) < 4 || !strings.HasSuffix(keys[i], name) {
			return nil
		}
	}
	all, ok := (&call{header: header{manyItems: 4}, keys: keys, argv: argv}).items()
	if !ok {
		return nil
	}
	var commits []Commit
	for _, it := range all {
		if l, ok := it.call.fenced(); ok && l.step != "" {
			_, run, _ := strings.Cut(it.run, "}:run:")
			commits = append(commits, Commit{run, l.token + "." + l.step})
		}
	}
	return commits
}

// many says whether the script takes many items.
func (x *call) many() bool { return x.header[manyItems]+x.header[manyRuns] > 0 }

// items takes the call of a script apart that takes many. ok is false if its keys
// and arguments are not those of whole items.
func (x *call) items() (all []*item, ok bool) {
	first, steps := x.header[manyItems]
	if !steps {
		first = x.header[manyRuns]
	}
	if first < 1 || first > len(x.keys)+1 || len(x.argv) == 0 {
		return nil, false
	}
	keys, argv := x.keys[first-1:], x.argv[1:]
	for len(argv) > 0 {
		s := shape{keys: 2, each: 10, size: 1}
		if steps {
			if s, ok = shapeOf(argv[0]); !ok {
				return nil, false
			}
		}
		if s.keys > len(keys) || s.args() > len(argv) {
			return nil, false
		}
		if steps {
			all = append(all, s.items(keys[:s.keys], argv[:s.args()])...)
		} else {
			all = append(all, &item{begins: "EXISTS", run: keys[0], call: &call{header: starts, keys: keys[:2], argv: argv[:1]}})
		}
		keys, argv = keys[s.keys:], argv[s.args():]
	}
	return all, len(keys) == 0
}

// share gives each item its commands. Each begins in the same way, and a group as one.
// What all together do at the end is the items' whose entries and runs it names, one
// by one; rest is what is left of it.
func share(all []*item, lines []command) (rest []command, ok bool) {
	var heads []*item
	for _, it := range all {
		if it.begins != "" {
			heads = append(heads, it)
		}
	}
	n := -1
	for _, c := range lines {
		switch next := n + 1; {
		case next < len(heads) && c.name == heads[next].begins && slices.Equal(c.keys(), []string{heads[next].run}):
			n = next
		case n == len(heads)-1 && together(c.name):
			rest = append(rest, c)
			continue
		}
		if n < 0 {
			rest = append(rest, c)
			continue
		}
		heads[n].do(c)
	}
	// A script that finds a shared key damaged begins none.
	if n < 0 {
		return rest, !slices.ContainsFunc(lines, command.writes)
	}
	for _, it := range heads {
		if it.group != nil && len(it.lines) > 0 && !apart(it.group) {
			return rest, false
		}
	}
	ends := rest
	rest = nil
	for _, c := range ends {
		for _, one := range c.parts() {
			if it := belongs(all, one); it != nil {
				it.lines = append(it.lines, one)
			} else {
				rest = append(rest, one)
			}
		}
	}
	return rest, n == len(heads)-1
}

// do takes a command as the item's own.
func (it *item) do(c command) {
	it.lines = append(it.lines, c)
	it.wrote = it.wrote || c.writes()
}

// did says whether a command of that name is the item's own.
func (it *item) did(name string) bool {
	return slices.ContainsFunc(it.lines, func(c command) bool { return c.name == name })
}

// together says whether a command is one of those that are done for all items at once.
func together(name string) bool {
	return slices.Contains([]string{"XACK", "XDEL", "ZREM", "ZADD", "HINCRBY", "PUBLISH"}, name)
}

// belongs returns the item that a command with one entry or one member is of: of
// several with the same, one that has written. It is nil if there is none.
func belongs(all []*item, c command) (found *item) {
	for _, it := range all {
		mine := false
		switch c.name {
		case "XACK", "XDEL":
			mine = it.stream != "" && it.stream == c.args[1] && it.entry == c.args[len(c.args)-1]
		case "ZREM", "ZADD":
			run, _, _ := strings.Cut(c.args[len(c.args)-1], "|")
			mine = strings.HasSuffix(it.run, "}:run:"+run)
		}
		if mine && (found == nil || it.wrote && !found.wrote) {
			found = it
		}
	}
	return found
}

// parts makes of a command with many entries or members as many with one.
func (c command) parts() (parts []command) {
	head, size := 0, 1
	switch c.name {
	case "XACK":
		head = 3
	case "XDEL", "ZREM":
		head = 2
	case "ZADD":
		head, size = 2, 2
	}
	if head == 0 || len(c.args) < head+size || (len(c.args)-head)%size != 0 {
		return []command{c}
	}
	for i := head; i < len(c.args); i += size {
		one := c
		one.args = slices.Concat(c.args[:head], c.args[i:i+size])
		parts = append(parts, one)
	}
	return parts
}

// judgeMany judges a script that takes many items: each as if it were alone, one after
// the other, and the counts of all at the end.
func (m *mirror) judgeMany(whole *group, lines []command) {
	all, ok := whole.call.items()
	rest := lines
	if ok {
		rest, ok = share(all, lines)
	}
	m.rep.check("S15", ok, "a script with the keys %v: what it did for each of %d items is not told apart", whole.call.keys, len(all))
	if !ok {
		return
	}
	m.rep.Count("items of scripts", len(all))
	for _, it := range all {
		g := newGroup(whole.at, it.call)
		m.follow(g, it.lines)
		if g.part == nil {
			continue
		}
		if it.owner != "" && g.writes > 0 {
			m.granted(g, it)
		}
		m.judgeRuns(g)
		m.judgeStep(g, it)
		whole.part, whole.prefix = g.part, g.prefix
		whole.recounted = append(whole.recounted, g.recounted...)
	}
	own := *whole.call
	own.header, own.keys = header{}, nil
	whole.call = &own
	if m.follow(whole, rest); whole.part != nil {
		m.judge(whole)
	}
}
