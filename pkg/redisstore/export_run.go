package redisstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

// Runs that are read at the same time, and records of each that are read ahead.
const (
	exportAhead   = 32
	exportRecords = 8
)

// exportRuns exports some runs, one after the other, reading them side by side.
func (x *exporter) exportRuns(ctx context.Context, some []indexed) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	lanes, errs := make([]chan exported, len(some)), make([]error, len(some))
	for i := range some {
		run, _, _ := strings.Cut(some[i].member, "|")
		lane := make(chan exported, exportRecords)
		lanes[i] = lane
		one := &exporter{s: x.s, cfg: x.cfg, out: func(e exported) error {
			select {
			case lane <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		readers.Go(func() {
			defer close(lane)
			errs[i] = one.exportRun(ctx, run)
		})
	}
	for i, lane := range lanes {
		for e := range lane {
			if err := x.out(e); err != nil {
				return err
			}
		}
		if errs[i] != nil {
			return errs[i]
		}
	}
	return nil
}

// exportRun exports one run, if the filter selects it.
func (x *exporter) exportRun(ctx context.Context, run string) error {
	info, err := x.info(ctx, run)
	if err != nil {
		return x.broken(ctx, run, "the run", err)
	}
	if !x.cfg.Passes(info.Status, info.Labels) {
		return nil
	}
	if err := x.put(Record{Kind: RecordRun, Run: run, Value: info}); err != nil {
		return err
	}
	parts := []struct {
		what   string
		export func() error
	}{
		{"tokens", func() error { return x.fields(ctx, run, "t:*", x.token) }},
		{"inputs", func() error { return x.fields(ctx, run, "i:*", x.input) }},
		{"state", func() error { return x.state(ctx, run) }},
		{"outputs", func() error { return x.fields(ctx, run, "o:*", x.output) }},
		{"history", func() error { return x.history(ctx, run) }},
		{"errors", func() error { return x.failures(ctx, run) }},
	}
	for _, part := range parts {
		if err := part.export(); err != nil {
			if err := x.broken(ctx, run, part.what, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// info reads a run as Info does, or as much of it as can be read.
func (x *exporter) info(ctx context.Context, run string) (flox.RunInfo, error) {
	info, err := x.s.Info(ctx, run)
	if err == nil || spoilt(err) || transient(err) || ctx.Err() != nil {
		return info, err
	}
	if err := x.broken(ctx, run, "the run", err); err != nil {
		return info, err
	}
	n, p := x.s.keys.of(run)
	reply, err := x.s.command(ctx, n, append([]any{"HMGET", p.run(run)}, infoFields[:7]...)...)
	r := list(reply)
	return flox.RunInfo{
		ID: run, Status: shown(text(r, 0), text(r, 1)), Workflow: text(r, 2), Fingerprint: text(r, 3),
		Created: millis(integer(r, 4)), Ended: millis(integer(r, 5)), Cause: text(r, 6),
	}, err
}

// fields exports those fields of a run that match. One that cannot be read does not
// keep the others back.
func (x *exporter) fields(ctx context.Context, run, pattern string, export func(run, name, raw string) error) error {
	n, p := x.s.keys.of(run)
	for cursor := "0"; ; {
		reply, err := x.s.command(ctx, n, "HSCAN", p.run(run), cursor, "MATCH", pattern, "COUNT", recordPart)
		if err != nil {
			return err
		}
		r := list(reply)
		if len(r) != 2 {
			return errDecode
		}
		pairs := list(r[1])
		for i := 0; i+1 < len(pairs); i += 2 {
			if err := export(run, text(pairs, i)[2:], text(pairs, i+1)); err != nil {
				if err := x.broken(ctx, run, text(pairs, i), err); err != nil {
					return err
				}
			}
		}
		if cursor = text(r, 0); cursor == "0" {
			return nil
		}
	}
}

func (x *exporter) token(run, token, raw string) error {
	t, err := parseToken(raw)
	if err != nil {
		return err
	}
	return x.put(Record{Kind: RecordToken, Run: run, Token: token, Value: t.info(token)})
}

// input exports what a token was given. That of one which undoes is not a payload.
func (x *exporter) input(run, token, raw string) error {
	if strings.HasPrefix(token, "u") {
		return nil
	}
	value, err := flox.PayloadJSON([]byte(raw))
	if err != nil {
		return err
	}
	return x.put(Record{Kind: RecordInput, Run: run, Token: token, Value: json.RawMessage(value)})
}

func (x *exporter) output(run, number, raw string) error {
	value, err := flox.PayloadJSON([]byte(raw))
	if err != nil {
		return err
	}
	return x.put(Record{Kind: RecordOutput, Run: run, Number: integer([]any{number}, 0), Value: json.RawMessage(value)})
}

// state exports the snapshot and the deltas after it.
func (x *exporter) state(ctx context.Context, run string) error {
	log, err := x.s.State(ctx, run, 0)
	if err != nil {
		return err
	}
	if len(log.Snapshot) > 0 {
		if err := x.delta(ctx, run, log.Folded, true, log.Snapshot); err != nil {
			return err
		}
	}
	for i, delta := range log.Deltas {
		if err := x.delta(ctx, run, log.Folded+int64(i)+1, false, delta); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) delta(ctx context.Context, run string, version int64, snapshot bool, raw []byte) error {
	value, err := flox.StateJSON(raw)
	if err != nil {
		return x.broken(ctx, run, fmt.Sprintf("state %d", version), err)
	}
	return x.put(Record{Kind: RecordState, Run: run, Number: version, Snapshot: snapshot, Value: json.RawMessage(value)})
}

// history exports the steps that are kept.
func (x *exporter) history(ctx context.Context, run string) error {
	for from := 0; ; from += recordPart {
		part, err := x.s.steps(ctx, run, from, recordPart)
		if err != nil {
			return err
		}
		for i := range part {
			number := from + i + 1
			step, err := decodeStep(text(part, i))
			if err == nil {
				err = x.put(Record{Kind: RecordHistory, Run: run, Number: int64(number), Value: exportedStep(step)})
			}
			if err != nil {
				if err := x.broken(ctx, run, fmt.Sprintf("history %d", number), err); err != nil {
					return err
				}
			}
		}
		if len(part) < recordPart {
			return nil
		}
	}
}

// failures exports the errors that are kept, in no order.
func (x *exporter) failures(ctx context.Context, run string) error {
	n, p := x.s.keys.of(run)
	reply, err := x.s.command(ctx, n, "HGETALL", p.errors(run))
	if err != nil {
		return err
	}
	pairs := list(reply)
	for i := 0; i+1 < len(pairs); i += 2 {
		var e flox.ErrorRecord
		at, err := decodeStamped(text(pairs, i+1), &e)
		if err != nil {
			if err := x.broken(ctx, run, "error "+text(pairs, i), err); err != nil {
				return err
			}
			continue
		}
		e.Time = at
		if err := x.put(Record{Kind: RecordError, Run: run, Value: e}); err != nil {
			return err
		}
	}
	return nil
}
