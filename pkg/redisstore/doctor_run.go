package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// runLook is what inspect.lua says of a run.
type runLook struct {
	id   string
	part int
	fields
	wrong []string
}

// fields are the values of inspectFields, by name.
type fields map[string]string

// inspectFields are the fields of a run that inspect.lua returns, in their order.
// Those from counterFields on are whole numbers.
var inspectFields = []string{"status", "workflow", "labels", "failure", "live", "parked", "started", "ended",
	"deadline", "created", "committed", "failed", "dropped", "outs", "sv", "sb", "errs", "closed", "undos", "ends",
	"held", "purging"}

const counterFields = 4

func (f fields) number(name string) int64 {
	n, _ := strconv.ParseInt(f[name], 10, 64)
	return n
}

func (f fields) open() bool {
	switch flox.Status(f["status"]) {
	case flox.StatusRunning, flox.StatusPaused, flox.StatusUndoing:
		return true
	}
	return false
}

// balanced reports whether every item that was made is accounted for.
func (f fields) balanced() bool {
	return f.number("created") == f.number("committed")+f.number("failed")+f.number("dropped")+f.number("live")
}

// oneRun looks at one run and nothing else.
func (e *examiner) oneRun(ctx context.Context) error {
	n, p := e.s.keys.of(e.cfg.Run)
	exists, err := e.s.command(ctx, n, "EXISTS", p.run(e.cfg.Run))
	if err != nil {
		return err
	}
	if integer([]any{exists}, 0) == 0 {
		return flox.ErrNotFound
	}
	if err := e.run(ctx, p.run(e.cfg.Run), place{kindRun, n, e.cfg.Run}); err != nil {
		return err
	}
	for kind, key := range map[keyKind]string{
		kindState: p.state(e.cfg.Run), kindHistory: p.history(e.cfg.Run), kindErrors: p.errors(e.cfg.Run),
	} {
		if err := e.leftover(ctx, key, place{kind, n, e.cfg.Run}); err != nil {
			return err
		}
	}
	return nil
}

// run looks at a run with all that is kept of it.
func (e *examiner) run(ctx context.Context, key string, pl place) error {
	if n, _ := e.s.keys.of(pl.name); n != pl.part {
		e.report(Finding{Kind: "misplaced-run", Severity: SeverityError, Subject: "run " + pl.name,
			Detail: fmt.Sprintf("it is in partition %d, but with %d partitions its place is %d, where everything looks for it",
				pl.part, len(e.s.keys.parts), n)})
		return nil
	}
	look, err := e.inspect(ctx, key, pl)
	if err != nil || look == nil {
		return err
	}
	if bad := look.unreadable(); bad != "" {
		e.unreadable(pl.name, bad)
		return nil
	}
	e.disagreements(look)
	if look.open() || look.number("live") != 0 || !look.balanced() {
		if err := e.tokens(ctx, look); err != nil {
			return err
		}
	}
	return e.records(ctx, look)
}

// inspect returns how a run stands, nil if it is gone or not to be looked at.
func (e *examiner) inspect(ctx context.Context, key string, pl place) (*runLook, error) {
	p := e.s.keys.parts[pl.part]
	keys := []string{key, p.active(), p.completed(), p.failed(), p.cancelled(), p.todo(), p.delayed(), p.state(pl.name)}
	reply, err := e.s.script(ctx, pl.part, scriptInspect, keys, pl.name, e.mend)
	if err != nil && errors.Is(err, errSpoilt) {
		return nil, nil // an index of a wrong type, which is reported with the indexes
	}
	if err != nil {
		return nil, err
	}
	r := list(reply)
	switch integer(r, 0) {
	case replyDone:
	case replyInvalid:
		e.wrongType(key, text(r, 1), "hash")
		return nil, nil
	default:
		return nil, nil
	}
	look := &runLook{id: pl.name, part: pl.part, fields: fields{}}
	for i, value := range list(r[1]) {
		if value != nil {
			look.fields[inspectFields[i]] = text([]any{value}, 0)
		}
	}
	for i := range list(r[2]) {
		look.wrong = append(look.wrong, text(list(r[2]), i))
	}
	return look, nil
}

// unreadable names what of the run's fields is not what flox writes, "" if nothing.
func (l *runLook) unreadable() string {
	status := flox.Status(l.fields["status"])
	if !l.open() && !status.Terminal() {
		return fmt.Sprintf("status %q", status)
	}
	if flox.CheckName("workflow", l.fields["workflow"]) != nil {
		return fmt.Sprintf("workflow %q", l.fields["workflow"])
	}
	for _, name := range inspectFields[counterFields : len(inspectFields)-1] {
		value, ok := l.fields[name]
		if _, err := strconv.ParseInt(value, 10, 64); ok && err != nil {
			return fmt.Sprintf("field %s %q", name, value)
		}
	}
	if l.fields["live"] == "" || l.fields["started"] == "" || !l.open() && l.fields["ended"] == "" {
		return "field live, started or ended, which is not there"
	}
	var labels map[string]string
	if raw := l.fields["labels"]; raw != "" && json.Unmarshal([]byte(raw), &labels) != nil {
		return "field labels"
	}
	if raw := l.fields["failure"]; raw != "" {
		if _, err := decodeStamped(raw, &flox.ErrorRecord{}); err != nil {
			return "field failure"
		}
	}
	return ""
}

func (e *examiner) unreadable(run, what string) {
	e.report(Finding{Kind: "unreadable-record", Severity: SeverityError, Subject: "run " + run,
		Detail: what + ": not what flox has written; restore it from a backup, or export and delete the run"})
}

// disagreements reports what inspect.lua has found, and mended.
func (e *examiner) disagreements(look *runLook) {
	subject := "run " + look.id
	status := look.fields["status"]
	if slices.Contains(look.wrong, "index") {
		e.fixable(Finding{Kind: "run-not-indexed", Severity: SeverityError, Subject: subject,
			Detail: fmt.Sprintf("it is %s, but not in the index of such runs alone: it is listed wrong or not at all", status),
			Fix:    "put it into its index"})
	}
	if slices.Contains(look.wrong, "mark") {
		e.fixable(Finding{Kind: "run-not-marked", Severity: SeverityError, Subject: subject,
			Detail: fmt.Sprintf("it is %s with %s tokens, %s of them parked, and nobody knows that work is left of it",
				status, look.fields["live"], zero(look.fields["parked"])),
			Fix: "mark it, so that a worker goes on with it"})
	}
	if slices.Contains(look.wrong, "deadline") {
		e.fixable(Finding{Kind: "deadline-lost", Severity: SeverityWarning, Subject: subject,
			Detail: "it has a deadline, but no timer for it", Fix: "set the timer again"})
	}
	if slices.Contains(look.wrong, "state") {
		e.report(Finding{Kind: "state-lost", Severity: SeverityError, Subject: subject,
			Detail: fmt.Sprintf("its state log is not as long as its version %s says: a part of it is lost, or was added",
				zero(look.fields["sv"]))})
	}
}

func zero(number string) string {
	if number == "" {
		return "0"
	}
	return number
}

// plural is a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
