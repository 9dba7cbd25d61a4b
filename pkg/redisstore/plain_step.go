package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// note is what flox.Lease.Note says of a plain token: how many items its run has
// committed, what more is known if it is alone, and the token's record.
type note struct {
	committed          int64
	alone              *alone
	record             string
	node, frame, index string // of the record
	head, tail         string // of the record: what is around step, node and queue
}

func writeNote(committed int64, a *alone, record string) string {
	return strconv.FormatInt(committed, 10) + " " + a.write() + " " + record
}

// readNote returns false for a lease that has no note, or one that does not fit it.
func readNote(l flox.Lease) (n note, ok bool) {
	committed, rest, _ := strings.Cut(l.Note, " ")
	known, record, _ := strings.Cut(rest, " ")
	head := "q|" + l.ID + "|" + l.Owner + "|"
	rest, ok = strings.CutPrefix(record, head)
	if !ok || l.Attempt != 0 {
		return n, false
	}
	n.committed, _ = strconv.ParseInt(committed, 10, 64)
	n.alone, n.record = readAlone(known), record
	step, rest, _ := strings.Cut(rest, "|")
	n.node, rest, _ = strings.Cut(rest, "|")
	queue, rest, _ := strings.Cut(rest, "|")
	if queue != l.Queue || step != strconv.Itoa(l.Step) {
		return n, false
	}
	n.head, n.tail = head, rest
	if rest == asAtFirst {
		return n, true
	}
	rest, ok = strings.CutPrefix(rest, "0|0||")
	n.frame, rest, _ = strings.Cut(rest, "|")
	n.index, rest, _ = strings.Cut(rest, "|")
	// It has no input of a join, releases nothing, waits for nothing and has no scope.
	plain := strings.HasPrefix(rest, "|0|0|0|") && strings.HasSuffix(rest, "|0") && strings.Count(rest, "|") == 7
	return n, ok && plain
}

// next is the record of the token at its next step.
func (n note) next(step int, node, queue string) string {
	return n.head + strconv.Itoa(step+1) + "|" + node + "|" + queue + "|" + n.tail
}

// waitedFor is since when an entry has been in its stream.
func waitedFor(entry string, now int64) time.Duration {
	ms, _, _ := strings.Cut(entry, "-")
	added, _ := strconv.ParseInt(ms, 10, 64)
	return max(0, time.Duration(now-added)*time.Millisecond)
}

// plainLoad loads a token with others. The reply is ok if it was granted.
func (s *Store) plainLoad(ctx context.Context, e flox.Entry, owner string) (flox.Loaded, bool) {
	n, p := s.keys.of(e.Run)
	consumer := e.Consumer
	if e.Fresh() {
		consumer = ""
	}
	r, ok := s.plainly(ctx, n, scriptStep, &plain{
		part: p, values: 8, letter: "l", head: e.Queue,
		keys: []string{p.run(e.Run), p.queue(e.Queue)},
		args: []string{e.Token, e.ID, owner, consumer},
	})
	if !ok {
		return flox.Loaded{}, false
	}
	rest := text(r.values, 4)
	step, tail, _ := strings.Cut(rest, "|")
	node, _, _ := strings.Cut(tail, "|")
	number, err := strconv.Atoi(step)
	if err != nil {
		return flox.Loaded{}, false
	}
	return flox.Loaded{
		Lease: flox.Lease{Entry: e, Owner: owner, Step: number, Note: writeNote(
			integer(r.values, 3), loadedAlone(number, r.values), "q|"+e.ID+"|"+owner+"|"+rest)},
		Item: flox.Item{
			Workflow: text(r.values, 0), Fingerprint: text(r.values, 1),
			Version: integer(r.values, 2), Committed: integer(r.values, 3),
			Node: node, Input: flox.Input{Payload: blob(r.values, 5)}, Trace: text(r.values, 6),
			Waited: waitedFor(e.ID, r.now),
		},
	}, true
}

// records is how many records the run may have.
func (n note) records() int64 {
	if n.alone != nil {
		return n.committed + n.alone.failed
	}
	return n.committed + historyMargin
}

// historyMargin is how many records a run may have that its note does not count: of
// items that have failed.
const historyMargin = 4

// plainCommit commits an item with others, if it is one that goes on in the same
// hands, ends its run or leaves a deposit. ok is false if its own script has to do it.
func (s *Store) plainCommit(ctx context.Context, c *flox.Commit) (result flox.CommitResult, ok bool) {
	if c.Record == nil || c.Err != nil || c.Undo != nil || c.Fallback || c.Close || c.Delay > 0 ||
		len(c.Input)+len(c.Output)+len(c.Delta) > mostPlain {
		return result, false
	}
	note, ok := readNote(c.Lease)
	if !ok {
		return result, false
	}
	part, p := s.keys.of(c.Run)
	a := note.alone
	if note.frame != "" || a != nil && (c.MaxSteps > 0 && note.committed >= c.MaxSteps || c.Read > a.version) {
		a = nil // a frame of one branch makes no token, so one in it may be alone
	}
	x := &plain{part: p, keys: make([]string, 0, 4), args: make([]string, 0, 9)}
	x.keys = append(x.keys, p.run(c.Run))
	var last []byte
	next := ""
	switch {
	case c.Op == flox.OpNext && c.Keep && c.Queue == c.Lease.Queue:
		next, last = note.next(c.Step, c.Node, c.Queue), c.Input
		visit := strconv.Itoa(c.Step+1) + "|" + c.Queue + "|"
		x.args = append(x.args, c.Token, note.record, next, note.node)
		switch {
		case a != nil:
			kept := a.keep(note.node)
			x.letter, x.args = "N", append(x.args, visit+strconv.FormatInt(a.version, 10)+"|0|0||", kept)
		case note.frame == "":
			x.letter, x.values, x.args = "n", 2, append(x.args, visit)
		default:
			x.letter, x.values, x.args = "n", 2, append(x.args, "")
		}
	case c.Op == flox.OpEnd && note.frame == "":
		last = c.Output
		x.keys = append(x.keys, p.queue(c.Lease.Queue))
		x.args = append(x.args, c.Token, note.record, c.ID, c.Run)
		if a != nil {
			x.letter, x.args = "E", append(x.args, a.workflow, a.kept)
		} else {
			x.letter, x.values = "e", 1
		}
	case c.Op == flox.OpDeposit && note.frame != "":
		x.letter, x.head, last = "d", note.frame, c.Output
		x.keys = append(x.keys, p.queue(c.Lease.Queue))
		x.args = append(x.args, c.Token, note.record, c.ID, note.index+"|"+c.Lease.Item())
	default:
		return result, false
	}
	delta, history := " 0", " 0"
	if c.Delta != nil {
		delta = " 1"
		x.keys = append(x.keys, p.state(c.Run))
	}
	if note.frame != "" || note.records() >= firstRecords {
		history = " 1"
		x.keys = append(x.keys, p.history(c.Run))
	}
	if a != nil {
		x.kind = a.kind(c.Step, note.committed, c.Delta != nil)
	} else {
		x.kind = " " + strconv.FormatInt(c.Read, 10) + " " + strconv.FormatInt(c.MaxSteps, 10)
	}
	x.kind += delta + history
	x.args = append(x.args, string(c.Record), string(c.Delta), string(last))
	r, ok := s.plainly(ctx, part, scriptStep, x)
	if !ok {
		return result, false
	}
	switch {
	case c.Op == flox.OpDeposit:
		return flox.CommitResult{Verdict: flox.VerdictReleased}, true
	case c.Op == flox.OpEnd:
		result = flox.CommitResult{Verdict: flox.VerdictReleased, Ended: flox.StatusCompleted}
		lasted := integer(r.values, 0)
		if a != nil {
			lasted = max(0, r.now-a.started)
		}
		result.Lasted = time.Duration(lasted) * time.Millisecond
		return result, true
	}
	result = flox.CommitResult{Verdict: flox.VerdictKept, Version: integer(r.values, 0), Committed: integer(r.values, 1)}
	if a != nil {
		if c.Delta != nil {
			a.version++
		}
		result.Version, result.Committed = a.version, note.committed+1
	}
	result.Note = writeNote(result.Committed, a, next)
	return result, true
}

// plainStart starts a run with others. ok is false if its own script has to do it.
func (s *Store) plainStart(ctx context.Context, req *flox.StartRequest) (ok bool) {
	if req.Delay > 0 || !req.At.IsZero() || req.Deadline > 0 || len(req.Labels) > 0 || len(req.Input) > mostPlain {
		return false
	}
	n, p := s.keys.of(req.Run)
	_, ok = s.plainly(ctx, n, scriptStarts, &plain{
		part: p,
		keys: []string{p.run(req.Run), p.queue(req.Queue)},
		args: []string{
			req.Run, req.Nonce, req.Workflow, req.Fingerprint, req.Node, req.Queue, strconv.Itoa(bit(req.NeedsOutput)),
			strconv.Itoa(bit(req.Undoes)), string(req.Input), req.Trace,
		},
	})
	return ok
}
