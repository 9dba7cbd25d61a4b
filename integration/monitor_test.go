package integration

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// judge follows every command of a Redis server, in the order in which they took
// effect, and reports what must never happen to a run:
//
//	S6, S7  a step is granted while the run is paused or has ended
//	S7, S11 a token is queued while it is queued already, or a parked token of a
//	        run that does not go on
//	S8      a status, end or cause changes that must not
//	        something is written to a run that was deleted
type judge struct {
	mu       sync.Mutex
	runs     map[string]*watched // by key
	entries  map[string]*entry   // by stream and id
	faults   []string
	commands int
	grants   int
	restarts int // from a node
	deleted  int
	moves    map[string]int // changes of status, "from to"
}

// watched is what the commands so far say of one run.
type watched struct {
	status  string
	tokens  map[string]tokenFields
	entries map[string]int // in its queue, by token
}

// tokenFields are the first fields of a token's record.
type tokenFields struct{ loc, own, step string }

// entry is the queue entry of a token.
type entry struct {
	run   *watched
	token string
}

// watchCommands starts following the server at addr; done waits until all
// commands up to now were seen and returns the judge.
func watchCommands(t *testing.T, addr, prefix string) (*judge, func() *judge) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprintf(conn, "MONITOR\r\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReaderSize(conn, 1<<20)
	if ok, err := lines.ReadString('\n'); err != nil || ok != "+OK\r\n" {
		t.Fatalf("MONITOR = %q, %v", ok, err)
	}
	j := &judge{runs: map[string]*watched{}, entries: map[string]*entry{}, moves: map[string]int{}}
	ended := make(chan struct{})
	const last = "storm:last-command"
	go func() {
		defer close(ended)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			args := commandOf(line)
			if len(args) == 2 && args[1] == last {
				return
			}
			j.see(args, prefix)
		}
	}()
	return j, func() *judge {
		mark, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer mark.Close()
		fmt.Fprintf(mark, "GET %s\r\n", last)
		<-ended
		return j
	}
}

// commandOf returns the words of a line of MONITOR: `+1.2 [0 lua] "HSET" "key"`.
func commandOf(line string) []string {
	_, rest, ok := strings.Cut(strings.TrimSpace(line), "] ")
	if !ok {
		return nil
	}
	var args []string
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil
		}
		arg, err := strconv.Unquote(quoted)
		if err != nil {
			return nil
		}
		args = append(args, arg)
		rest = strings.TrimPrefix(rest[len(quoted):], " ")
	}
	return args
}

func (j *judge) see(args []string, prefix string) {
	if len(args) < 3 || !strings.HasPrefix(args[1], prefix) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.commands++
	_, kind, _ := strings.Cut(args[1], "}:")
	kind, _, _ = strings.Cut(kind, ":")
	switch command := strings.ToUpper(args[0]); {
	case command == "HSET" && kind == "run":
		j.hset(args[1], args[2:])
	case command == "HDEL" && kind == "run":
		j.hdel(args[1], args[2:])
	case command == "XADD" && kind == "queue":
		j.xadd(prefix, args)
	case command == "XDEL" && kind == "queue":
		j.xdel(args[1], args[2:])
	case (command == "UNLINK" || command == "DEL") && kind == "run":
		delete(j.runs, args[1]) // what is started under its id is another run
		j.deleted++
	}
}

func (j *judge) faultf(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

func (j *judge) run(key string) *watched {
	r := j.runs[key]
	if r == nil {
		r = &watched{tokens: map[string]tokenFields{}, entries: map[string]int{}}
		j.runs[key] = r
	}
	return r
}

// stays are the statuses that a run may go to from each.
var stays = map[string][]string{
	"":        {"running"},
	"running": {"paused", "completed", "failed", "undoing", "cancelled"},
	"paused":  {"running", "completed", "failed", "undoing", "cancelled"},
	"undoing": {"failed", "cancelled"},
	"failed":  {"running", "undoing"},
}

func (j *judge) hset(key string, pairs []string) {
	r := j.run(key)
	fields := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	old := r.status
	if old == "" && fields["status"] == "" {
		j.faultf("S8: %s, which is not there, was given %v", key, fields)
	}
	if status, ok := fields["status"]; ok && status != old {
		if !slices.Contains(stays[old], status) {
			j.faultf("S8: %s went from %q to %q", key, old, status)
		}
		r.status = status
		j.moves[old+" "+status]++
	}
	for _, field := range []string{"ended", "cause"} {
		if _, ok := fields[field]; ok && r.status == old {
			j.faultf("S8: %s: %s was set while it is %s", key, field, old)
		}
	}
	for field, value := range fields {
		if token, ok := strings.CutPrefix(field, "t:"); ok {
			j.token(key, r, token, value)
		}
	}
}

// token looks at a token's new record. A grant is a new owner, or a further step
// under the same.
func (j *judge) token(key string, r *watched, token, record string) {
	f := strings.SplitN(record, "|", 7)
	was, known := r.tokens[token]
	now := tokenFields{f[0], f[2], f[3]}
	r.tokens[token] = now
	if !known && strings.HasPrefix(token, "r") && !strings.Contains(token, ".") {
		j.restarts++
	}
	if now.loc == "q" {
		part, _, _ := strings.Cut(key, ":run:")
		j.entries[part+":queue:"+f[5]+" "+f[1]] = &entry{r, token}
	}
	goesOn := r.status == "running" || r.status == "undoing" && strings.HasPrefix(token, "u")
	if now.loc == "q" && now.own != "" && (now.own != was.own || now.step != was.step) {
		j.grants++
		if !goesOn {
			j.faultf("S6, S7: step %s of token %s of %s was granted while it is %s", now.step, token, key, r.status)
		}
	}
	// What a run that undoes has begun may be finished first.
	if was.loc == "p" && now.loc == "q" && !goesOn && r.status != "undoing" {
		j.faultf("S7: token %s of %s was queued again while it is %s", token, key, r.status)
	}
}

func (j *judge) hdel(key string, fields []string) {
	r := j.run(key)
	for _, field := range fields {
		if token, ok := strings.CutPrefix(field, "t:"); ok {
			delete(r.tokens, token)
		}
		if field == "ended" && r.status != "running" && r.status != "undoing" {
			j.faultf("S8: the end of %s went while it is %s", key, r.status)
		}
	}
}

// xadd counts a token's entries; the record that names the entry comes later in
// the same script.
func (j *judge) xadd(prefix string, args []string) {
	part, _, _ := strings.Cut(strings.TrimPrefix(args[1], prefix), "}")
	run, token := args[len(args)-3], args[len(args)-1]
	r := j.run(prefix + part + "}:run:" + run)
	r.entries[token]++
	if r.entries[token] > 1 {
		j.faultf("S11: token %s of %s has %d entries", token, run, r.entries[token])
	}
}

func (j *judge) xdel(stream string, ids []string) {
	for _, id := range ids {
		if e := j.entries[stream+" "+id]; e != nil {
			e.run.entries[e.token]--
			delete(j.entries, stream+" "+id)
		}
	}
}
