package checker

import (
	"slices"
	"strconv"
	"strings"
)

// apart gives each item of a group what is its own of what they did together, as if
// they had been done one after the other. ok is false if something is no item's.
func apart(group []*item) (ok bool) {
	lines := group[0].lines
	for _, it := range group {
		it.lines, it.wrote = lines[:1:1], false
	}
	if group[0].step {
		return depositsApart(group, lines[1:])
	}
	return loadsApart(group, lines[1:])
}

// loadsApart takes loads apart: each claims its entry and writes its token's record.
func loadsApart(group []*item, lines []command) (ok bool) {
	for _, c := range lines {
		switch c.name {
		case "XCLAIM":
			it := first(group, func(it *item) bool { return len(c.args) > 5 && c.args[5] == it.entry && !it.did("XCLAIM") })
			if it == nil {
				return false
			}
			it.do(c)
		case "HSET":
			more := c.with()
			for _, pair := range c.pairs() {
				token, is := strings.CutPrefix(pair[0], "t:")
				if !is {
					more.args = append(more.args, pair...)
					continue
				}
				it := first(group, func(it *item) bool { return it.is(token) && !it.did("HSET") && it.owns(pair[1]) })
				if it == nil {
					return false
				}
				it.do(c.with(pair...))
			}
			if it := first(group, func(it *item) bool { return it.wrote }); len(more.args) > 2 && it != nil {
				it.do(more)
			} else if len(more.args) > 2 {
				group[0].do(more)
			}
		default:
			group[0].do(c)
		}
	}
	return true
}

// depositsApart takes deposits apart. Those that were done are those whose tokens are
// gone; each counts one. So if the counts say anything else, the first one that was
// done is wrong.
func depositsApart(group []*item, lines []command) (ok bool) {
	var done []*item
	for _, c := range lines {
		if c.name != "HDEL" {
			continue
		}
		for _, field := range c.args[2:] {
			token, is := strings.CutPrefix(field, "t:")
			if !is {
				continue
			}
			it := first(group, func(it *item) bool { return it.is(token) && !slices.Contains(done, it) })
			if it == nil {
				return false
			}
			done = append(done, it)
		}
	}
	if len(done) == 0 {
		for _, c := range lines {
			group[0].do(c)
		}
		return true
	}
	for _, c := range lines {
		switch c.name {
		case "RPUSH":
			// The first records are fields of the run, so those of a list are the last.
			values := c.args[2:]
			for i, value := range values {
				n := min(i+max(0, len(done)-len(values)), len(done)-1)
				done[n].do(c.with(value))
			}
		case "HSET":
			if !setsApart(done, c) {
				return false
			}
		case "HDEL":
			if !goneApart(done, c) {
				return false
			}
		default:
			if it := group[0]; !c.writes() {
				it.do(c)
			} else {
				done[0].do(c)
			}
		}
	}
	return true
}

// setsApart gives each deposit its part of what was written to the run, with the
// counts as they would be after it.
func setsApart(done []*item, c command) (ok bool) {
	own := make([][]string, len(done))
	records := 0
	var left []int // deposits that have not come yet
	for i := range done {
		left = append(left, i)
	}
	for _, pair := range c.pairs() {
		field, value := pair[0], pair[1]
		kind, _, _ := strings.Cut(field, ":")
		switch kind {
		case "d":
			at := slices.IndexFunc(left, func(i int) bool { return strings.HasPrefix(value, done[i].deposit) })
			if at < 0 {
				return false
			}
			own[left[at]] = append(own[left[at]], pair...)
			left = slices.Delete(left, at, at+1)
		case "h":
			n := min(records, len(done)-1)
			own[n] = append(own[n], pair...)
			records++
		case "f", "live", "committed", "sv":
			for i := range done {
				own[i] = append(own[i], field, before(kind, value, len(done)-1-i))
			}
		default:
			own[0] = append(own[0], pair...)
		}
	}
	for i, it := range done {
		if len(own[i]) > 0 {
			it.do(c.with(own[i]...))
		}
	}
	return len(left) == 0
}

// before is what a count was, or what a frame's record was, so many deposits ago.
func before(kind, value string, n int) string {
	add := func(number string, n int) string {
		if was, err := strconv.Atoi(number); err == nil {
			return itoa(was + n)
		}
		return number
	}
	switch kind {
	case "live":
		return add(value, n)
	case "f":
		f := strings.Split(value, "|")
		if f[0] = add(f[0], n); len(f) > 6 {
			f[6] = add(f[6], -n)
		}
		return strings.Join(f, "|")
	}
	return add(value, -n)
}

// goneApart gives each deposit the fields that it has removed.
func goneApart(done []*item, c command) (ok bool) {
	own := make([][]string, len(done))
	for _, field := range c.args[2:] {
		_, token, _ := strings.Cut(field, ":")
		n := slices.IndexFunc(done, func(it *item) bool { return it.is(token) })
		for next := n + 1; next < len(done) && n >= 0 && slices.Contains(own[n], field); next++ {
			if done[next].is(token) {
				n = next
			}
		}
		if n < 0 {
			return false
		}
		own[n] = append(own[n], field)
	}
	for i, it := range done {
		if len(own[i]) > 0 {
			it.do(c.with(own[i]...))
		}
	}
	return true
}

// is says whether the item is one of the token.
func (it *item) is(token string) bool { return it.call.argv[0] == token }

// owns says whether a token's record says that it is leased to whom the item grants it.
func (it *item) owns(record string) bool {
	f := strings.SplitN(record, "|", 4)
	return len(f) == 4 && f[1] == it.entry && f[2] == it.owner
}

func first(group []*item, is func(*item) bool) *item {
	if i := slices.IndexFunc(group, is); i >= 0 {
		return group[i]
	}
	return nil
}

// with is the command on the same key with other arguments.
func (c command) with(args ...string) command {
	c.args = slices.Concat(c.args[:2], args)
	return c
}

// pairs are the fields that a command sets, each with its value.
func (c command) pairs() (pairs [][]string) {
	for pair := range slices.Chunk(c.args[2:], 2) {
		if len(pair) == 2 {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}
