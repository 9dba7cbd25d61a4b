package checker

import (
	"regexp"
	"strconv"
	"strings"
)

// shape is what the items of a step look like that are done together: one, or a group
// of loads or deposits.
type shape struct {
	head           int // how many arguments there are before those of each
	each           int // how many each has
	size           int // how many items there are
	keys           int
	stream, delta  bool
	grouped, loads bool
}

// shapes are those that there are, by their letter.
var shapes = map[byte]shape{
	'l': {head: 2, each: 4, stream: true, grouped: true, loads: true},
	'n': {head: 1, each: 8},
	'e': {head: 1, each: 7, stream: true},
	'N': {head: 1, each: 9},
	'E': {head: 1, each: 9, stream: true},
	'd': {head: 2, each: 7, stream: true, grouped: true},
}

// shapeText is the first argument of items: their letter, of a group how many there
// are, and of commits what was read and how many there may be, or what the run counts,
// whether there is a delta and whether there is a place for the history.
var shapeText = regexp.MustCompile(`^(?:l ([1-9]\d{0,3})|(?:(?:[ne]|d ([1-9]\d{0,3})) (?:-1|\d+) \d+|[NE](?: \d+){4}) ([01]) ([01]))$`)

func shapeOf(text string) (s shape, ok bool) {
	words := shapeText.FindStringSubmatch(text)
	if words == nil {
		return s, false
	}
	s = shapes[text[0]]
	s.size, s.keys = 1, 1
	if s.grouped {
		s.size, _ = strconv.Atoi(words[1] + words[2])
	}
	s.delta = words[3] == "1"
	for _, has := range []bool{s.stream, s.delta, words[4] == "1"} {
		if has {
			s.keys++
		}
	}
	return s, true
}

func (s shape) args() int { return s.head + s.size*s.each }

// items reads the items of that shape. A commit has the token's record, which says
// under which lease it is: it begins with "q|<entry>|<owner>|<step>|".
func (s shape) items(keys, argv []string) (all []*item) {
	for i := range s.size {
		own := argv[s.head+i*s.each:][:s.each]
		it := &item{run: keys[0], call: &call{keys: keys}}
		if s.stream {
			it.stream = keys[1]
		}
		if s.loads {
			it.entry, it.owner = own[1], own[2]
			it.call.header, it.call.argv = grants, []string{own[0], own[1], argv[1], own[2]}
		} else {
			record := strings.SplitN(own[1], "|", 5)
			for len(record) < 4 {
				record = append(record, "")
			}
			it.call.header, it.call.argv = commits, []string{own[0], record[2], record[3]}
			it.step, it.delta = true, s.delta
			if s.stream {
				it.entry = own[2]
			}
			if s.grouped {
				it.deposit = own[3] + "|"
			}
		}
		all = append(all, it)
	}
	all[0].begins = "HMGET"
	if s.grouped {
		all[0].group = all
	}
	return all
}
