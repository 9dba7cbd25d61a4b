package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// plain is an item as step.lua or starts.lua takes it, many of one partition in one
// call. What the script finds not to be plain, and what was not answered, is done by
// a script of its own, which recognises what was done already.
type plain struct {
	part partition
	keys []string
	// What step.lua is told first: the letter of the item and what is known of its
	// kind. Those that have head go together with others that have the same keys,
	// kind and head. All is empty for starts.lua.
	letter, kind, head string
	args               []string
	values             int // how many values follow a verdict of 0
}

// joins says whether step.lua takes both as one.
func (p *plain) joins(o *plain) bool {
	return p.head != "" && p.letter == o.letter && p.head == o.head && p.kind == o.kind && slices.Equal(p.keys, o.keys)
}

// joined brings together what step.lua takes as one, and says how many of the calls
// from each on that is; 0 for those that are not the first.
func joined(calls []*call) (ordered []*call, sizes []int) {
	ordered, sizes = make([]*call, 0, len(calls)), make([]int, len(calls))
	left := slices.Clone(calls)
	for i, c := range left {
		if c == nil {
			continue
		}
		first := len(ordered)
		ordered = append(ordered, c)
		if c.plain.head != "" {
			for j := i + 1; j < len(left); j++ {
				if o := left[j]; o != nil && c.plain.joins(o.plain) {
					ordered, left[j] = append(ordered, o), nil
				}
			}
		}
		sizes[first] = len(ordered) - first
	}
	return ordered, sizes
}

// mostPlain is the largest payload in bytes that goes together with others.
const mostPlain = 16 << 10

// plainReply is the answer to a plain item: the server's time in ms and what follows
// the verdict. values is nil if the item is not plain after all.
type plainReply struct {
	now    int64
	values []any
}

// plainly offers an item to the script. ok is false if its own script has to do it.
func (s *Store) plainly(ctx context.Context, lane int, x *script, p *plain) (r plainReply, ok bool) {
	if s.permit(ctx, x) != nil {
		return r, false
	}
	val, err := s.once(ctx, lane, &call{script: x, plain: p})
	r, _ = val.(plainReply)
	return r, err == nil && r.values != nil
}

// messages makes one message of each call, and one of all plain ones of a script and
// a partition.
func (s *Store) messages(batch []*call) []*message {
	messages := make([]*message, 0, len(batch))
	for _, c := range batch {
		if c.plain != nil {
			if i := slices.IndexFunc(messages, c.goesWith); i >= 0 {
				messages[i].calls = append(messages[i].calls, c)
				continue
			}
		}
		messages = append(messages, &message{args: c.args, script: c.script, calls: []*call{c}})
	}
	for _, m := range messages {
		if m.calls[0].plain != nil {
			s.together(m)
		}
	}
	return messages
}

func (c *call) goesWith(m *message) bool {
	first := m.calls[0]
	return first.plain != nil && first.script == c.script && first.plain.part == c.plain.part
}

// together makes the command of plain calls.
func (s *Store) together(m *message) {
	p := m.calls[0].plain.part
	shared := []any{p.active(), p.completed(), p.stats()}
	if m.script == scriptStarts {
		shared = []any{p.active(), p.stats()}
	}
	var sizes []int
	m.calls, sizes = joined(m.calls)
	keys, args := len(shared), 0
	for _, c := range m.calls {
		keys += len(c.plain.keys)
		args += 2 + len(c.plain.args)
	}
	list := make([]any, 0, 4+keys+args)
	list = append(append(list, "EVALSHA", s.sha(m.script), 0), shared...)
	// A pointer in an any takes no memory, a string does.
	for n, c := range m.calls {
		if sizes[n] > 0 {
			for i := range c.plain.keys {
				list = append(list, &c.plain.keys[i])
			}
		}
	}
	list[2] = len(list) - 3
	list = append(list, p.events())
	for n, c := range m.calls {
		if sizes[n] > 0 && c.plain.letter != "" {
			list = append(list, c.plain.told(sizes[n]))
			if c.plain.head != "" {
				list = append(list, &c.plain.head)
			}
		}
		for i := range c.plain.args {
			list = append(list, &c.plain.args[i])
		}
	}
	m.args = list
}

// told is what step.lua is told of so many items.
func (p *plain) told(size int) string {
	if p.head == "" {
		return p.letter + p.kind
	}
	return p.letter + " " + strconv.Itoa(size) + p.kind
}

// answer gives each call of a message its answer.
func (m *message) answer() {
	val, err := m.cmd.Val(), m.cmd.Err()
	if m.calls[0].plain == nil {
		m.calls[0].val, m.calls[0].err = val, err
		return
	}
	reply := list(val)
	now, next := integer(reply, 0), 1
	for _, c := range m.calls {
		r := plainReply{now: now}
		switch {
		case err != nil:
		case next >= len(reply):
			err = fmt.Errorf("%s.lua answered %d values for %d items", m.script.name, len(reply), len(m.calls))
		case integer(reply, next) == 0 && next+c.plain.values < len(reply):
			r.values = reply[next+1 : next+1+c.plain.values]
			next += c.plain.values
		}
		next++
		c.val, c.err = r, err
	}
}
