package checker

import (
	"strconv"
	"strings"
	"time"
)

// command is one line of MONITOR: what a server has done, and when by its clock.
type command struct {
	at   time.Time
	lua  bool // done by a script
	name string
	args []string // the name is args[0], as it was sent
}

// parseCommand reads a line such as
//
//	+1339518083.107412 [0 127.0.0.1:60866] "hset" "key" "field" "\x00"
func parseCommand(line string) (command, bool) {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	stamp, rest, ok := strings.Cut(strings.TrimPrefix(line, "+"), " [")
	if !ok {
		return command{}, false
	}
	client, rest, ok := strings.Cut(rest, "] ")
	if !ok {
		return command{}, false
	}
	at, ok := parseStamp(stamp)
	if !ok {
		return command{}, false
	}
	c := command{at: at, lua: strings.HasSuffix(client, " lua")}
	for rest != "" {
		var arg string
		if arg, rest, ok = parseWord(rest); !ok {
			return command{}, false
		}
		c.args = append(c.args, arg)
	}
	if len(c.args) == 0 {
		return command{}, false
	}
	c.name = strings.ToUpper(c.args[0])
	return c, true
}

func parseStamp(stamp string) (time.Time, bool) {
	s, us, ok := strings.Cut(stamp, ".")
	sec, err := strconv.ParseInt(s, 10, 64)
	if err != nil || !ok {
		return time.Time{}, false
	}
	micro, err := strconv.ParseInt(us, 10, 64)
	return time.Unix(sec, micro*1000), err == nil
}

// parseWord takes one word in quotes off a line. Most words hold nothing that is
// escaped.
func parseWord(s string) (word, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch {
		case closes(s, i):
			return s[1:i], strings.TrimPrefix(s[i+1:], " "), true
		case s[i] == '\\':
			return parseEscaped(s)
		}
	}
	return "", "", false
}

// closes says whether a word ends at a quote. Valkey 8 does not escape the quotes
// within words, so it does only before another word or the end.
func closes(s string, i int) bool {
	return s[i] == '"' && (i+1 == len(s) || strings.HasPrefix(s[i+1:], " \""))
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'a': '\a', 'b': '\b'}

func parseEscaped(s string) (word, rest string, ok bool) {
	b := make([]byte, 0, 256)
	for i := 1; i < len(s); i++ {
		switch {
		case closes(s, i):
			return string(b), strings.TrimPrefix(s[i+1:], " "), true
		case s[i] != '\\':
			b = append(b, s[i])
		case i+3 < len(s) && s[i+1] == 'x':
			v, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return "", "", false
			}
			b = append(b, byte(v))
			i += 3
		case i+1 < len(s):
			i++
			if c, special := escapes[s[i]]; special {
				b = append(b, c)
			} else {
				b = append(b, s[i])
			}
		}
	}
	return "", "", false
}

// keys are the keys that a command names, as far as flox' scripts use it.
func (c command) keys() []string {
	switch c.name {
	case "TIME", "PUBLISH", "PING", "KEYS":
		return nil
	case "DEL", "UNLINK", "EXISTS":
		return c.args[1:]
	case "XGROUP", "XINFO":
		return c.args[min(2, len(c.args)):min(3, len(c.args))]
	}
	return c.args[min(1, len(c.args)):min(2, len(c.args))]
}

// member is one of a sorted set; the score is empty if it is removed.
type member struct{ name, score string }

// members are those that a command on a sorted set adds or removes.
func (c command) members() (members []member) {
	args := c.args[min(2, len(c.args)):]
	switch c.name {
	case "ZREM":
		for _, name := range args {
			members = append(members, member{name: name})
		}
	case "ZADD":
		for len(args) > 0 && !isScore(args[0]) { // options
			args = args[1:]
		}
		for i := 0; i+1 < len(args); i += 2 {
			members = append(members, member{args[i+1], args[i]})
		}
	}
	return members
}

func isScore(arg string) bool {
	_, err := strconv.ParseFloat(arg, 64)
	return err == nil
}

// writes says whether a command of a script changes a key.
func (c command) writes() bool {
	switch c.name {
	case "HSET", "HDEL", "HINCRBY", "RPUSH", "LPUSH", "LTRIM", "RPOP", "XADD", "XACK", "XDEL", "XCLAIM",
		"XGROUP", "ZADD", "ZREM", "UNLINK", "DEL", "SET":
		return true
	}
	return false
}
