package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// recordPart is how many values one command reads.
const recordPart = 200

// records reads what a run keeps, and names what is not readable. What a run that
// ended well keeps is read only if the examination is deep, or of this run alone.
func (e *examiner) records(ctx context.Context, look *runLook) error {
	status := flox.Status(look.fields["status"])
	if (status == flox.StatusCompleted || status == flox.StatusCancelled) && !e.cfg.Deep && e.cfg.Run == "" {
		return nil
	}
	p := e.s.keys.parts[look.part]
	for _, read := range []func() (string, error){
		func() (string, error) { return e.fields(ctx, look) },
		func() (string, error) { return e.elements(ctx, look.part, p.state(look.id), "state", stateElement) },
		func() (string, error) { return e.elements(ctx, look.part, p.history(look.id), "history", stepElement) },
		func() (string, error) { return e.errors(ctx, look.id) },
	} {
		bad, err := read()
		switch {
		case err != nil && errors.Is(err, errSpoilt): // is reported as a wrong type
		case err != nil:
			return err
		case bad != "":
			e.unreadable(look.id, bad)
		}
	}
	return nil
}

// recordFields are fields of a run that hold a record each.
var recordFields = []struct {
	pattern, what string
	read          func(name, raw string) error
}{
	{"i:*", "input of token ", payloadElement}, {"o:*", "output ", payloadElement}, {"h:*", "step ", stepField},
}

// fields reads the inputs of a run's tokens, its outputs and the first of its steps.
func (e *examiner) fields(ctx context.Context, look *runLook) (bad string, err error) {
	p := e.s.keys.parts[look.part]
	for _, kind := range recordFields {
		for cursor := "0"; ; {
			reply, err := e.s.command(ctx, look.part, "HSCAN", p.run(look.id), cursor, "MATCH", kind.pattern, "COUNT", recordPart)
			if err != nil {
				return "", err
			}
			r := list(reply)
			if len(r) != 2 {
				return "", nil
			}
			pairs := list(r[1])
			for i := 0; i+1 < len(pairs); i += 2 {
				name := text(pairs, i)[2:]
				if kind.read(name, text(pairs, i+1)) != nil {
					return kind.what + name, nil
				}
			}
			if cursor = text(r, 0); cursor == "0" {
				break
			}
		}
	}
	return "", nil
}

// payloadElement reads an input or output. That of a token which undoes is a
// record of its own.
func payloadElement(name, raw string) error {
	if strings.HasPrefix(name, "u") {
		return flox.DecodeRecord([]byte(raw), &flox.ErrorRecord{})
	}
	_, err := flox.PayloadJSON([]byte(raw))
	return err
}

// stateElement reads a delta or snapshot. A restart leaves an empty snapshot.
func stateElement(i int, raw string) error {
	if i == 0 && raw == "" {
		return nil
	}
	_, err := flox.StateJSON([]byte(raw))
	return err
}

func stepElement(_ int, raw string) error {
	_, err := decodeStep(raw)
	return err
}

// stepField reads one of the steps that are fields of the run. There are so many.
func stepField(name, raw string) error {
	if n, err := strconv.Atoi(name); err != nil || n < 1 || n > firstRecords || "h:"+name != historyField(n) {
		return errDecode
	}
	return stepElement(0, raw)
}

// elements reads a list.
func (e *examiner) elements(ctx context.Context, n int, key, what string, read func(i int, raw string) error) (bad string, err error) {
	for from := 0; ; from += recordPart {
		reply, err := e.s.command(ctx, n, "LRANGE", key, from, from+recordPart-1)
		if err != nil {
			return "", err
		}
		part := list(reply)
		for i := range part {
			if read(from+i, text(part, i)) != nil {
				return fmt.Sprintf("%s, element %d", what, from+i), nil
			}
		}
		if len(part) < recordPart {
			return "", nil
		}
	}
}

// errors reads a run's errors.
func (e *examiner) errors(ctx context.Context, run string) (bad string, err error) {
	_, err = e.s.Errors(ctx, run)
	switch {
	case errors.Is(err, flox.ErrNotFound):
		return "", nil // it was deleted meanwhile
	case errors.Is(err, flox.ErrInvalid), err == nil:
		return "", err
	case transient(err), ctx.Err() != nil:
		return "", err
	}
	return "errors", nil
}
