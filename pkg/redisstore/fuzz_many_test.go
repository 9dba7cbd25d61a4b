package redisstore

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// step calls step.lua with a few items, which are of the same run or of others, whose
// records may have changed since.
func (m *monkey) step() {
	m.t.Helper()
	keys, args := []string{m.p.active(), m.p.completed(), m.p.stats()}, []string{m.p.events()}
	for range 1 + m.r.IntN(4) {
		l := m.lease()
		if tokens := m.tokens(l.run); len(tokens) > 0 && m.r.IntN(4) > 0 {
			l = m.leaseOf(l.run, pick(m.r, tokens))
		}
		k, a := m.item(l)
		keys, args = append(keys, k...), append(args, a...)
	}
	if m.r.IntN(8) == 0 { // nobody can read this
		args = append(args, pick(m.r, []string{"x", "N", "n 1 -1 0 0 0", "d -1 0 0 0", "d 1 2 3 0 2 1 1", "l", "E 1 2 3 0 0 2"}))
	}
	if q := m.p.queue(pick(m.r, monkeyQueues)); m.r.IntN(6) == 0 { // is lost
		m.do("DEL", q)
		defer m.do("XGROUP", "CREATE", q, group, "0", "MKSTREAM")
	}
	m.many("step", keys, args)
}

// framed makes run c, which has opened a frame of three branches.
func (m *monkey) framed() {
	m.t.Helper()
	run := []any{"HSET", m.p.run("c"), "status", "running", "workflow", "wf", "need", "0", "started", "1", "live", "3", "created", "4",
		"committed", "1", "f:0.0", "3|3|n|q||0|0|0|0|"}
	for n := range 3 {
		token := "0.0." + strconv.Itoa(n+1)
		entry, _ := m.do("XADD", m.p.queue("q"), "*", "r", "c", "t", token).(string)
		run = append(run, "t:"+token, "q|"+entry+"|o|0|n|q|0|0||0.0|"+strconv.Itoa(n+1)+"||0|0|0|0|0|0|0", "i:"+token, "x")
	}
	m.do(run...)
	m.do("ZADD", m.p.active(), 1, "c|wf")
	m.do("HINCRBY", m.p.stats(), "wf:running", 1)
}

// tokens are those of a run.
func (m *monkey) tokens(run string) (tokens []string) {
	fields, _ := m.do("HKEYS", m.p.run(run)).([]any)
	for _, f := range fields {
		if token, ok := strings.CutPrefix(f.(string), "t:"); ok {
			tokens = append(tokens, token)
		}
	}
	slices.Sort(tokens)
	return tokens
}

// item is one that the call layer may send, or a group: then others of the run are done
// with it, some of which may be the same, or nothing that is there.
func (m *monkey) item(l monkeyLease) (keys, args []string) {
	run, stream := m.p.run(l.run), m.p.queue(l.queue)
	record := m.record(l)
	frame := "0.0"
	if f := strings.Split(record, "|"); len(f) > 9 {
		frame = f[9] // of a token in a frame
	}
	node := pick(m.r, []string{"n", "n.2", "m"})
	op := pick(m.r, []string{"l", "n", "e", "d"})
	if strings.Contains(record, "|"+frame+"|") && frame != "" && m.r.IntN(2) == 0 {
		op = pick(m.r, []string{"l", "d"})
	}
	group, size := []monkeyLease{l}, ""
	if op == "l" || op == "d" {
		group = m.group(l)
		size = " " + strconv.Itoa(len(group))
	}
	switch op {
	case "l":
		args = []string{op + size, l.queue}
		for _, g := range group {
			args = append(args, g.token, g.entry, g.owner, pick(m.r, []string{"", "w"}))
		}
		return []string{run, stream}, args
	case "n":
		step, _ := strconv.Atoi(l.step)
		next := "q|" + l.entry + "|" + l.owner + "|" + strconv.Itoa(step+1) + "|" + node + "|" + l.queue + "|."
		keys, args = []string{run}, []string{op, l.token, record, next, node, pick(m.r, []string{"", strconv.Itoa(step+1) + "|" + l.queue + "|"})}
	case "e":
		keys, args = []string{run, stream}, []string{op, l.token, record, l.entry, l.run}
	case "d":
		keys, args = []string{run, stream}, []string{op, frame}
	}
	delta, history := m.r.IntN(2), m.r.IntN(2)
	if delta == 1 {
		keys = append(keys, m.p.state(l.run))
	}
	if history == 1 {
		keys = append(keys, m.p.history(l.run))
	}
	told := pick(m.r, []string{"-1", "0", "1"}) + " " + pick(m.r, []string{"0", "0", "2"})
	if a, ok := m.alone(l, record); ok && (op == "n" || op == "e") && m.r.IntN(4) > 0 {
		told = fmt.Sprint(a.committed, " ", a.made, " ", a.failed, " ", a.version)
		if op == "n" {
			args[5] = fmt.Sprint(a.made, "|", l.queue, "|", a.version, "|0|0||")
			args = append(args, cmp.Or(a.kept, node))
		} else {
			args = append(args, "wf", a.kept)
		}
		op = strings.ToUpper(op)
	}
	args[0] = fmt.Sprintf("%s%s %s %d %d", op, size, told, delta, history)
	last := func() []string { return []string{"record", "delta", pick(m.r, []string{"", "\x00\x01", "a|b"})} }
	if op != "d" {
		return keys, append(args, last()...)
	}
	for i, g := range group {
		if i > 0 {
			record = m.record(g)
		}
		args = append(append(args, g.token, record, g.entry, "1|"+g.token+"."+g.step), last()...)
	}
	return keys, args
}

// lone is what a run counts whose only token has made all of its items.
type lone struct {
	committed, made, failed, version int
	kept                             string
}

// alone is what the holder of a token knows of such a run; ok is false of others.
func (m *monkey) alone(l monkeyLease, record string) (a lone, ok bool) {
	h, _ := m.do("HMGET", m.p.run(l.run), "t:"+l.token, "live", "deadline", "kept", "committed", "created", "failed", "sv").([]any)
	if len(h) == 0 || h[0] != record || !strings.HasSuffix(record, "|.") || h[1] != "1" || h[2] != nil {
		return a, false
	}
	a.kept, _ = h[3].(string)
	for i, into := range []*int{&a.committed, &a.made, &a.failed, &a.version} {
		text, there := h[4+i].(string)
		n, err := strconv.Atoi(text)
		if there && (err != nil || n < 0) {
			return a, false
		}
		*into = n
	}
	return a, l.step == strconv.Itoa(a.made-1)
}

// record is what the token's record says, or what somebody may think that it says.
func (m *monkey) record(l monkeyLease) string {
	if m.r.IntN(8) == 0 {
		return "q|" + l.entry + "|" + l.owner + "|" + l.step + "|n|" + l.queue + "|."
	}
	record, _ := m.do("HGET", m.p.run(l.run), "t:"+l.token).(string)
	return record
}

// group are leases of one run, of which l is one.
func (m *monkey) group(l monkeyLease) []monkeyLease {
	group := []monkeyLease{l}
	for range m.r.IntN(5) {
		token := pick(m.r, append(m.tokens(l.run), l.token, "0.0.9"))
		group = append(group, m.leaseOf(l.run, token))
	}
	return group
}

// starts calls starts.lua with a few runs, some of which may be there, or twice.
func (m *monkey) starts() {
	m.t.Helper()
	keys, args := []string{m.p.active(), m.p.stats()}, []string{m.p.events()}
	for range 1 + m.r.IntN(3) {
		run, queue := pick(m.r, monkeyRuns), pick(m.r, monkeyQueues)
		keys = append(keys, m.p.run(run), m.p.queue(queue))
		args = append(args, run, "nonce", "wf", "f", "n", queue, pick(m.r, []string{"0", "1"}), pick(m.r, []string{"0", "1"}),
			"\x00\x01", pick(m.r, []string{"", "trace"}))
	}
	m.many("starts", keys, args)
}

// many calls a script that takes many items, and wants an answer for all of them, so
// that what the first have done is done whole.
func (m *monkey) many(name string, keys, args []string) {
	m.t.Helper()
	reply := m.eval(m.scripts[name], keys, args)
	if list(reply) == nil {
		m.t.Fatalf("%s.lua with keys %q and arguments %q answered %v", name, keys, args, reply)
	}
}
