package redisstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// Start implements flox.RunInfoStore.
func (s *Store) Start(ctx context.Context, req flox.StartRequest) error {
	if !s.configured.Load() {
		if err := s.configure(ctx, scriptStart); err != nil {
			return err
		}
	}
	if s.plainStart(ctx, &req) {
		return nil
	}
	var labels []byte
	if len(req.Labels) > 0 {
		labels, _ = json.Marshal(req.Labels) // strings always have a JSON form
	}
	var at int64
	if !req.At.IsZero() {
		at = req.At.UnixMilli()
	}
	n, p := s.keys.of(req.Run)
	reply, err := s.script(ctx, n, scriptStart,
		[]string{p.run(req.Run), p.active(), p.stats(), p.delayed(), p.queue(req.Queue)},
		req.Run, req.Nonce, req.Workflow, req.Fingerprint, req.Node, req.Queue, bit(req.NeedsOutput),
		wait(req.Delay), p.events(), req.Input, wait(req.Deadline), bit(req.Undoes),
		max(0, at), labels, req.Trace)
	if err != nil {
		return err
	}
	switch r := list(reply); integer(r, 0) {
	case replyDone:
		return nil
	case replyRefused:
		return &flox.RunExistsError{Run: req.Run, Status: shown(text(r, 1), text(r, 2))}
	default:
		return errSpoilt
	}
}

// Control implements flox.RunInfoStore. The first call tells what the request builds
// upon; that another came between means that it is done, so this ends.
func (s *Store) Control(ctx context.Context, req flox.ControlRequest) (flox.Status, error) {
	n, p := s.keys.of(req.Run)
	keys := []string{p.run(req.Run), p.active(), p.cancelled(), p.failed(), p.stats(), p.todo(), p.delayed(), p.state(req.Run)}
	for token, upon := "", ""; ; {
		reply, err := s.script(ctx, n, scriptControl, keys,
			req.Run, string(req.Op), req.Nonce, p.events(), req.From, token, upon)
		if err != nil {
			return "", err
		}
		switch r := list(reply); integer(r, 0) {
		case replyWhichToken:
			if token, err = s.anyToken(ctx, req.Run); err != nil {
				return "", err
			}
			token = cmp.Or(token, "-") // its count is wrong: no token is left
		case replyUpon:
			upon = text(r, 1)
		default:
			return controlled(req, r)
		}
	}
}

// controlled reads the reply to a control.
func controlled(req flox.ControlRequest, r []any) (flox.Status, error) {
	status := shown(text(r, 1), text(r, 2))
	switch integer(r, 0) {
	case replyDone:
		return status, nil
	case replyRefused:
		return status, &flox.RefusedError{Run: req.Run, Op: req.Op, Status: status}
	case replyNoRun:
		return "", flox.ErrNotFound
	case replyNotRetried:
		why, err := meaning(retryRefusals, integer(r, 3)-1)
		if err != nil {
			return "", err
		}
		return status, why.Refuse(req)
	default:
		return "", errSpoilt
	}
}

// outputsPart is how many outputs one command reads.
const outputsPart = 4000

// Outputs implements flox.ErrorStore.
func (s *Store) Outputs(ctx context.Context, run string) ([][]byte, error) {
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, "HMGET", p.run(run), "status", "outs", "o:1")
	if err != nil {
		return nil, err
	}
	if text(list(reply), 0) == "" {
		return nil, flox.ErrNotFound
	}
	switch integer(list(reply), 1) { // most runs have one
	case 0:
		return nil, nil
	case 1:
		return [][]byte{blob(list(reply), 2)}, nil
	}
	var outputs [][]byte
	// No more than the run has fields, whatever its count has become.
	fields, err := s.command(ctx, n, "HLEN", p.run(run))
	if err != nil {
		return nil, err
	}
	count := int(min(integer(list(reply), 1), integer([]any{fields}, 0)))
	for from := 1; from <= count; from += outputsPart {
		args := []any{"HMGET", p.run(run)}
		for i := from; i <= min(count, from+outputsPart-1); i++ {
			args = append(args, fmt.Sprintf("o:%d", i))
		}
		reply, err := s.command(ctx, n, args...)
		if err != nil {
			return nil, err
		}
		part := list(reply)
		for i := range part {
			outputs = append(outputs, blob(part, i))
		}
	}
	return outputs, nil
}

// bit is how a script gets a yes or no.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
