package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// recountFields is the most fields of a run that one script counts.
const recountFields = 500_000

// lostCause is why a run fails of which nothing is left to do.
const lostCause = "its tokens were lost: nothing of it was left to do (found by doctor)"

// tokens compares a run's tokens with its counters, and looks for what they
// should stand in.
func (e *examiner) tokens(ctx context.Context, look *runLook) error {
	count, parked, waits := map[string]bool{}, 0, waitLists{}
	var lost []string
	err := e.eachToken(ctx, look, waits, func(page []scanned) error {
		for _, t := range page {
			if count[t.token] {
				continue
			}
			count[t.token] = true
			if t.record.loc == "p" {
				parked++
			}
		}
		some, err := e.lost(ctx, look, page)
		lost = append(lost, some...)
		return err
	})
	if err != nil {
		return err
	}
	// The scan and the counters are of different moments: the script looks again.
	differ := int64(len(count)) != look.number("live") || int64(parked) != look.number("parked") || !look.balanced()
	if differ || look.open() && len(count) == 0 {
		if err := e.recount(ctx, look); err != nil {
			return err
		}
	}
	if err := e.waiting(ctx, look, waits); err != nil {
		return err
	}
	if len(lost) > 0 {
		return e.rebuild(ctx, look.id, lost)
	}
	return nil
}

// eachToken goes through a run's tokens, in parts, and notes which wait. One that
// cannot be read is reported; it is handed on with its place alone.
func (e *examiner) eachToken(ctx context.Context, look *runLook, waits waitLists, f func(page []scanned) error) error {
	p := e.s.keys.parts[look.part]
	for cursor := "0"; ; {
		reply, err := e.s.command(ctx, look.part, "HSCAN", p.run(look.id), cursor, "MATCH", "[tw]:*", "COUNT", scanFields)
		if err != nil {
			if errors.Is(err, errSpoilt) {
				return nil // it was replaced meanwhile
			}
			return err
		}
		r := list(reply)
		if len(r) != 2 {
			return nil
		}
		var page []scanned
		pairs := list(r[1])
		for i := 0; i+1 < len(pairs); i += 2 {
			raw := text(pairs, i+1)
			token, ok := strings.CutPrefix(text(pairs, i), "t:")
			if !ok {
				waits.listed(strings.TrimPrefix(text(pairs, i), "w:"), raw)
				continue
			}
			record, err := parseToken(raw)
			if err != nil || !plausible(raw) {
				e.unreadable(look.id, "token "+token)
				record = tokenRecord{loc: raw[:min(1, len(raw))]}
			}
			waits.token(token, record)
			page = append(page, scanned{token, record})
		}
		if err := f(page); err != nil {
			return err
		}
		if cursor = text(r, 0); cursor == "0" {
			return nil
		}
	}
}

// plausible reports whether a token's record may have been written by a script.
func plausible(raw string) bool {
	f := tokenParts(raw)
	if !strings.Contains("qdpw", f[0]) || len(f[0]) != 1 || flox.CheckName("queue", f[5]) != nil ||
		flox.CheckName("node", f[4]) != nil {
		return false
	}
	for _, i := range []int{3, 6, 7, 12, 13, 14, 17, 18} { // the numbers among them
		if _, err := strconv.ParseInt(f[i], 10, 64); err != nil {
			return false
		}
	}
	return true
}

// lost returns those tokens that have no entry or timer any more, and reports those
// that have no input.
func (e *examiner) lost(ctx context.Context, look *runLook, page []scanned) ([]string, error) {
	p := e.s.keys.parts[look.part]
	page = slices.DeleteFunc(slices.Clone(page), func(t scanned) bool { return t.record.queue == "" })
	var lost []string
	for chunk := range slices.Chunk(page, settleChunk) {
		call := queued{script: scriptLost, part: look.part, keys: []string{p.run(look.id), p.delayed()}, args: []any{look.id}}
		call.tokens(chunk)
		r, err := e.s.scriptQueues(ctx, call)
		if err != nil && errors.Is(err, errSpoilt) {
			return lost, nil // a stream of a wrong type, which is reported with the queues
		}
		if err != nil {
			return nil, err
		}
		if len(r) < 3 {
			continue
		}
		tokens, bare := list(r[1]), list(r[2])
		for i := range tokens {
			lost = append(lost, text(tokens, i))
		}
		for i := range bare {
			e.unreadable(look.id, "input of token "+text(bare, i)+", which is not there")
		}
		for _, t := range chunk {
			e.addQueue(queueKey{look.part, t.record.queue})
		}
	}
	return lost, nil
}

// rebuild reports tokens that are lost, and queues them again.
func (e *examiner) rebuild(ctx context.Context, run string, lost []string) error {
	f := Finding{Kind: "token-lost", Severity: SeverityError, Subject: "run " + run,
		Detail: fmt.Sprintf("%s (%s) without an entry in the queue or a timer: nobody will take what they stand for",
			plural(len(lost), "token"), strings.Join(lost[:min(3, len(lost))], ", ")),
		Fix: "queue them again"}
	if e.cfg.Fix {
		_, err := e.s.rebuildRun(ctx, run)
		if err != nil && !errors.Is(err, errDecode) && !spoilt(err) {
			return err
		}
		f.Mended = err == nil
	}
	e.report(f)
	return nil
}

// recount compares the counters with the tokens in one script.
func (e *examiner) recount(ctx context.Context, look *runLook) error {
	p := e.s.keys.parts[look.part]
	keys := []string{p.run(look.id), p.active(), p.failed(), p.stats(), p.delayed(), p.todo()}
	reply, err := e.s.script(ctx, look.part, scriptRecount, keys, look.id, p.events(), lostCause, recountFields, e.mend)
	if err != nil {
		return err
	}
	r := list(reply)
	subject, status := "run "+look.id, look.fields["status"]
	switch integer(r, 0) {
	case 1:
		e.fixable(Finding{Kind: "counters-differ", Severity: SeverityError, Subject: subject,
			Detail: fmt.Sprintf("it has %d tokens, %d of them parked, but counts %s and %s, of %s items made: it cannot end in the right moment",
				integer(r, 1), integer(r, 2), look.fields["live"], zero(look.fields["parked"]), zero(look.fields["created"])),
			Fix: "count anew"})
	case 2:
		fix := "fail it, so that it can be retried from a node or deleted"
		if flox.Status(status) == flox.StatusUndoing {
			fix = "let it go on with what is to be undone"
		}
		e.fixable(Finding{Kind: "run-without-token", Severity: SeverityError, Subject: subject,
			Detail: fmt.Sprintf("it is %s, but has no token anywhere: nothing of it is left to do, and it does not end", status), Fix: fix})
	case 3:
		e.report(Finding{Kind: "counters-differ", Severity: SeverityWarning, Subject: subject,
			Detail: fmt.Sprintf("its counters seemed to differ from its tokens, but it has %d fields, too many to be counted in one script", integer(r, 1))})
	}
	return nil
}
