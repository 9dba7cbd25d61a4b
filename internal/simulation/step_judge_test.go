package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// judge knows what the store was asked and answered, which no actor knows in full,
// and what must hold for it.
type judge struct {
	holder  map[string]string   // owner of a token's lease, by run/token
	holds   map[string]string   // the item it holds, see crashKey
	crashes map[string]int      // by crashKey
	applied map[string]int      // commits that were, by run/item
	undo    map[string]bool     // items whose commits can be undone, by run/item
	ops     map[string][]string // nonces of the controls that were done, by run
}

func newJudge() judge {
	return judge{
		holder: map[string]string{}, holds: map[string]string{}, crashes: map[string]int{},
		applied: map[string]int{}, undo: map[string]bool{}, ops: map[string][]string{},
	}
}

func tokenKey(e flox.Entry) string { return e.Run + "/" + e.Token }

func itemKey(l flox.Lease) string { return l.Run + "/" + l.Item() }

// crashKey names what crashes are counted of: a retry of the run counts anew.
func crashKey(l flox.Loaded) string { return fmt.Sprint(itemKey(l.Lease), "#", l.Item.Retried) }

func (j *judge) reclaimed(e flox.Entry) {
	token := tokenKey(e)
	if j.holder[token] != "" {
		j.crashes[j.holds[token]]++
	}
	delete(j.holder, token)
}

func (j *judge) loaded(s *stepper, e flox.Entry, owner string, l flox.Loaded) {
	token := tokenKey(e)
	switch l.Grant {
	case flox.GrantOK, flox.GrantPoison:
	case flox.GrantParked, flox.GrantDropped:
		if j.holder[token] == owner { // a load that came twice, the second time while the run was paused
			delete(j.holder, token)
		}
		return
	default:
		return
	}
	if other := j.holder[token]; other != "" && other != owner {
		s.wrong("%s was granted to %s, though %s holds it", token, owner, other)
	}
	j.holder[token], j.holds[token] = owner, crashKey(l)
	crashes := j.crashes[crashKey(l)]
	if l.Item.Crashes != crashes || (l.Grant == flox.GrantPoison) != (crashes >= crashLimit) {
		s.wrong("%s was granted (%d) with %d crashes, but it was lost %d times", token, l.Grant, l.Item.Crashes, crashes)
	}
	s.grants(e.Run, e.Token, crashes)
}

// grants checks that a run's status lets a step begin.
func (s *stepper) grants(run, token string, crashes int) {
	info, err := s.st.Info(s.ctx, run)
	s.must(err)
	undoing := info.Status == flox.StatusUndoing && (strings.HasPrefix(token, "u") || crashes > 0)
	if info.Status != flox.StatusRunning && !undoing {
		s.wrong("a step of %s/%s was granted while the run is %s", run, token, info.Status)
	}
}

func (j *judge) renewed(s *stepper, l flox.Lease, h flox.Health) {
	mine := j.holder[tokenKey(l.Entry)] == l.Owner
	yours := h == flox.HealthOK || h == flox.HealthPaused || h == flox.HealthFailed
	if yours && !mine {
		s.wrong("%s renewed its lease of %s, which %q holds", l.Owner, itemKey(l), j.holder[tokenKey(l.Entry)])
	}
	if h == flox.HealthOK {
		s.grants(l.Run, l.Token, 0)
	}
}

func (j *judge) handedBack(s *stepper, l flox.Lease, v flox.Verdict) {
	token := tokenKey(l.Entry)
	mine := j.holder[token] == l.Owner
	if (v == flox.VerdictReleased || v == flox.VerdictParked) && !mine {
		s.wrong("%s handed back %s, which %q holds", l.Owner, itemKey(l), j.holder[token])
	}
	if mine && v != flox.VerdictCancelled && v != flox.VerdictKept {
		delete(j.holder, token)
	}
}

func (j *judge) committed(s *stepper, c flox.Commit, res flox.CommitResult) {
	token := tokenKey(c.Entry)
	mine := j.holder[token] == c.Owner
	took := res.Verdict == flox.VerdictKept || res.Verdict == flox.VerdictReleased || res.Verdict == flox.VerdictParked
	if took && !mine {
		s.wrong("%s committed %s, which %q holds", c.Owner, itemKey(c.Lease), j.holder[token])
	}
	counted := c.Op != flox.OpRetry && c.Op != flox.OpFail
	if counted && !res.Again && (res.Verdict == flox.VerdictKept || res.Verdict == flox.VerdictReleased) {
		if j.applied[itemKey(c.Lease)]++; j.applied[itemKey(c.Lease)] > 1 {
			s.wrong("%s was committed twice", itemKey(c.Lease))
		}
	}
	if c.Undo != nil {
		j.undo[itemKey(c.Lease)] = true
	}
	switch res.Verdict {
	case flox.VerdictKept:
		j.holds[token] = fmt.Sprint(c.Run, "/", flox.ItemID(c.Token, c.Step+1), "#0")
		s.grants(c.Run, c.Token, 0)
	case flox.VerdictStale, flox.VerdictLost, flox.VerdictLimit, flox.VerdictCancelled, flox.VerdictRepeat:
	default:
		if mine {
			delete(j.holder, token)
		}
	}
}

// controlled checks that the repeat of a control is answered as the first was, if
// that was done and is one of the last 8 of its run.
func (j *judge) controlled(req flox.ControlRequest, err error) {
	done := j.ops[req.Run]
	repeat := slices.Contains(done[max(0, len(done)-8):], req.Nonce)
	switch {
	case err == nil && !repeat:
		j.ops[req.Run] = append(done, req.Nonce)
	case err != nil && repeat:
		panic(fmt.Errorf("%w: the repeat of %s %s = %w, but it was done", errViolation, req.Op, req.Run, err))
	}
}

func (s *stepper) judgeAll() {
	for _, p := range s.plans {
		s.judgeRun(p.run)
	}
}

// judgeRun checks what must hold of a run at any time.
func (s *stepper) judgeRun(run string) {
	p := s.plan(run)
	info, err := s.st.Info(s.ctx, run)
	if errors.Is(err, flox.ErrNotFound) {
		return
	}
	s.must(err)
	tokens, next, err := s.st.Checkpoint(s.ctx, run, "", 10_000)
	s.must(err)
	n := info.Counts
	if n.Created != n.Committed+n.Failed+n.Dropped+n.Live || int(n.Live) != len(tokens) || next != "" {
		s.wrong("%s has %d tokens and %+v, which does not add up", run, len(tokens), n)
	}
	parked := 0
	for _, t := range tokens {
		if t.Place == flox.PlaceParked {
			parked++
		}
		if held := s.judge.holder[run+"/"+t.Token]; t.Owner != held {
			s.wrong("%s/%s is %s with owner %q, want %q", run, t.Token, t.Place, t.Owner, held)
		}
	}
	if parked != int(n.Parked) {
		s.wrong("%s has %d parked tokens and %+v", run, parked, n)
	}
	if p.final != "" && p.final != info.Status {
		s.wrong("%s was %s for good and is %s", run, p.final, info.Status)
	}
	if info.Status == flox.StatusCompleted || info.Status == flox.StatusCancelled {
		p.final = info.Status
	}
}
