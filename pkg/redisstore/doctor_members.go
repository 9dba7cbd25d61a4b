package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// membersPart is about how many members of a sorted set are read at once.
const membersPart = 500

// eachMember goes through a sorted set in parts and looks at each member, some at
// a time. A set of a wrong type is reported.
func (e *examiner) eachMember(ctx context.Context, n int, key, stage string, look func(member string) error) error {
	seen := 0
	for cursor := "0"; ; {
		reply, err := e.s.command(ctx, n, "ZSCAN", key, cursor, "COUNT", membersPart)
		if errors.Is(err, errSpoilt) {
			return e.wrongTypeOf(ctx, n, key, "zset")
		}
		if err != nil {
			return err
		}
		r := list(reply)
		if len(r) != 2 {
			return fmt.Errorf("ZSCAN: %w", errDecode)
		}
		pairs := list(r[1])
		if err := each(len(pairs)/2, func(i int) error { return look(text(pairs, 2*i)) }); err != nil {
			return err
		}
		seen += len(pairs) / 2
		if err := e.progress(stage, seen); err != nil {
			return err
		}
		if cursor = text(r, 0); cursor == "0" {
			return nil
		}
	}
}

func (e *examiner) wrongTypeOf(ctx context.Context, n int, key, want string) error {
	kind, err := e.s.command(ctx, n, "TYPE", key)
	if err == nil {
		e.wrongType(key, text([]any{kind}, 0), want)
	}
	return err
}

// belonging are the statuses of the runs in each index.
var belonging = map[string]string{
	"active": " running paused undoing ", "completed": " completed ", "failed": " failed ", "cancelled": " cancelled ",
}

// indexes looks for members of the indexes that are there without their run.
func (e *examiner) indexes(ctx context.Context) error {
	for n, p := range e.s.keys.parts {
		for _, name := range indexes {
			err := e.eachMember(ctx, n, p.index(name), "indexes", func(member string) error {
				run, workflow, _ := strings.Cut(member, "|")
				found, err := e.asked(ctx, n, scriptMember, []string{p.run(run), p.index(name)},
					member, workflow, belonging[name], e.mend)
				if found == 1 {
					e.fixable(Finding{Kind: "index-without-run", Severity: SeverityWarning, Subject: "run " + run,
						Detail: fmt.Sprintf("it stands in the index of %s runs, but there is no such run", name),
						Fix:    "take it out of that index"})
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// marks looks for marks of runs that are not there.
func (e *examiner) marks(ctx context.Context) error {
	for n, p := range e.s.keys.parts {
		err := e.eachMember(ctx, n, p.todo(), "marks", func(run string) error {
			found, err := e.asked(ctx, n, scriptMember, []string{p.run(run), p.todo()}, run, "", "", e.mend)
			if found == 1 {
				e.fixable(Finding{Kind: "mark-without-run", Severity: SeverityWarning, Subject: "run " + run,
					Detail: "it is marked for work that is left of it, but there is no such run", Fix: "remove the mark"})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// timers looks for timers that belong to nothing.
func (e *examiner) timers(ctx context.Context) error {
	for n, p := range e.s.keys.parts {
		err := e.eachMember(ctx, n, p.delayed(), "timers", func(member string) error {
			run, token, _ := strings.Cut(member, "/")
			found, err := e.asked(ctx, n, scriptTimer, []string{p.run(run), p.delayed()}, member, token, e.mend)
			if found == 1 {
				what := "token " + token
				if token == "" {
					what = "deadline"
				}
				e.fixable(Finding{Kind: "timer-without-token", Severity: SeverityWarning, Subject: "run " + run,
					Detail: fmt.Sprintf("there is a timer for its %s, which does not wait for it", what), Fix: "remove the timer"})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tallyRuns is the most runs of a partition that one script counts: when it only
// looks, and when it mends.
const (
	tallyRuns = 20_000
	tallyMend = 300_000
)

// stats compares the counts by workflow and status with the indexes, which are
// right by now.
func (e *examiner) stats(ctx context.Context) error {
	for n, p := range e.s.keys.parts {
		keys := []string{p.stats(), p.active(), p.completed(), p.failed(), p.cancelled()}
		r, err := e.tally(ctx, n, keys, tallyRuns, e.mend)
		if err == nil && integer(r, 0) == 2 && e.cfg.Fix {
			r, err = e.tally(ctx, n, keys, tallyMend, e.mend)
		}
		if errors.Is(err, errSpoilt) {
			err = e.wrongStats(ctx, n, p)
		}
		if err != nil {
			return err
		}
		f := Finding{Kind: "counts-differ", Severity: SeverityWarning, Subject: "key " + p.stats(), Fix: "count anew"}
		switch integer(r, 0) {
		case 1:
			d := list(r[1])
			f.Detail = fmt.Sprintf("%s differ from the runs that are there, such as %s: %d instead of %d",
				plural(len(d)/3, "count"), text(d, 0), integer(d, 1), integer(d, 2))
			e.fixable(f)
		case 2:
			f.Detail = fmt.Sprintf("the counts differ from the runs that are there, %d", integer(r, 1))
			if e.cfg.Fix {
				f.Detail, f.Fix = f.Detail+", too many to be counted in one script", ""
			}
			e.report(f)
		}
		if err := e.progress("counts", n+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *examiner) tally(ctx context.Context, n int, keys []string, most, mend int) ([]any, error) {
	reply, err := e.s.script(ctx, n, scriptTally, keys, e.s.keys.parts[n].run(""), most, mend)
	return list(reply), err
}

// wrongStats names the key because of which nothing could be counted; the indexes
// were named before.
func (e *examiner) wrongStats(ctx context.Context, n int, p partition) error {
	kind, err := e.s.command(ctx, n, "TYPE", p.stats())
	if got := text([]any{kind}, 0); err == nil && got != "hash" && got != "none" {
		e.wrongType(p.stats(), got, "hash")
	}
	return err
}
