package checker

import (
	"strconv"
	"strings"
)

// apply lets the mirror follow one command on one key.
func (m *mirror) apply(g *group, c command, name string) {
	kind, id, _ := strings.Cut(name, ":")
	if c.writes() {
		g.writes++
		if kind == "run" || kind == "state" || kind == "history" || kind == "errors" {
			g.runs[id] = true
		}
	}
	args := c.args[min(2, len(c.args)):]
	switch kind {
	case "run":
		g.applyRun(c, id, args)
	case "state":
		if c.name == "RPUSH" {
			g.touch(id).pushed += len(args)
		}
	case "history":
		if c.name == "RPUSH" {
			g.touch(id).listed += len(args)
		}
	case "queue":
		m.applyQueue(g, c, id, args)
	case "delayed":
		g.applyTimers(c, args)
	case "stats":
		g.applyStats(c, args)
	case "runs":
		for _, one := range c.members() {
			run, _, _ := strings.Cut(one.name, "|")
			g.runs[run] = true
		}
	}
}

func (g *group) applyRun(c command, id string, args []string) {
	switch c.name {
	case "HSET":
		t := g.touch(id)
		for i := 0; i+1 < len(args); i += 2 {
			t.keep(args[i])
			t.run.set(args[i], args[i+1])
		}
	case "HDEL":
		t := g.touch(id)
		for _, field := range args {
			t.keep(field)
			t.run.unset(field)
		}
	case "UNLINK", "DEL":
		g.touch(id).removed = true
	}
}

func (g *group) applyTimers(c command, args []string) {
	if c.name == "DEL" || c.name == "UNLINK" {
		clear(g.part.timers)
	}
	for _, timer := range c.members() {
		_, there := g.part.timers[timer.name]
		switch {
		case c.name == "ZREM":
			delete(g.part.timers, timer.name)
		case args[0] != "NX" || !there:
			due, _ := strconv.ParseFloat(timer.score, 64)
			g.part.timers[timer.name] = int64(due)
		}
		g.touchMember(timer.name)
	}
}

func (g *group) touchMember(member string) {
	if run, token, _ := strings.Cut(member, "/"); token != "" {
		g.touch(run).keepToken(token)
		g.runs[run] = true
	}
}

func (g *group) applyStats(c command, args []string) {
	switch c.name {
	case "HINCRBY":
		if by, err := strconv.Atoi(args[1]); err == nil {
			g.part.stats[args[0]] += by
		}
	case "HSET":
		for i := 0; i+1 < len(args); i += 2 {
			g.part.stats[args[i]], _ = strconv.Atoi(args[i+1])
		}
	case "HDEL":
		for _, field := range args {
			delete(g.part.stats, field)
		}
	case "DEL", "UNLINK":
		clear(g.part.stats)
	}
}

func (m *mirror) applyQueue(g *group, c command, queue string, args []string) {
	switch c.name {
	case "XADD":
		// The server gives the id; the record that names it follows in the script, or
		// stands in the log as it was replicated.
		if len(args) < 5 {
			return
		}
		run, token := args[len(args)-3], args[len(args)-1]
		g.touch(run).keepToken(token)
		g.runs[run] = true
		g.added = append(g.added, added{queue, args[len(args)-5], Pointer{run, token}})
	case "XDEL":
		for _, id := range args {
			if e := g.part.queues[queue][id]; e != nil {
				g.touch(e.Run).keepToken(e.Token)
				g.runs[e.Run] = true
			}
			g.part.removeEntry(queue, id)
		}
	case "XCLAIM":
		// group, consumer, min-idle, ids, JUSTID
		for _, id := range args[min(3, len(args)):] {
			m.claimed(g, queue, args[1], id)
		}
	case "XGROUP":
		m.judgeConsumer(g, queue, c)
	case "DEL", "UNLINK":
		for id, e := range g.part.queues[queue] {
			g.part.run(e.Run).lost[e.Token] = true
			g.part.removeEntry(queue, id)
		}
	}
}
