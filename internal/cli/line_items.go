package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// lineError is what is wrong with a line itself.
type lineError struct{ error }

func (e *lineError) Unwrap() error { return e.error }

// lineItems makes the runs of a file's lines.
type lineItems struct {
	file     *lineReader
	flags    linesFlags
	workflow string
	schema   *schema
	opts     []flox.StartOption
	seen     map[uint64]int // how often a line came, by the beginning of its hash
	// start makes the span of a run's start, see Tracing.Start.
	start func(run string) (flox.StartOption, func(created bool, err error))
}

// all yields an item for each line, and ends with the first that is wrong.
func (l *lineItems) all(ctx context.Context) iter.Seq2[flox.StartItem, error] {
	return func(yield func(flox.StartItem, error) bool) {
		for next, err := range l.file.lines(ctx) {
			var item flox.StartItem
			if err == nil {
				item, err = l.item(next)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// item makes a line's run.
func (l *lineItems) item(next line) (flox.StartItem, error) {
	where := l.file.where(next.number)
	if err := checkLine(where, next.text); err != nil {
		return flox.StartItem{}, &lineError{err}
	}
	if err := l.schema.check(next.text); err != nil {
		return flox.StartItem{}, &lineError{fmt.Errorf("%s: input %w", where, err)}
	}
	id, err := l.id(next.text)
	if err != nil {
		return flox.StartItem{}, &lineError{fmt.Errorf("%s: %w", where, err)}
	}
	in, done := l.start(id)
	return flox.StartItem{ID: id, Input: next.text, Options: append(l.opts[:len(l.opts):len(l.opts)], in), Source: where, Done: done}, nil
}

// id is the run id of an input.
func (l *lineItems) id(input []byte) (string, error) {
	if l.flags.idField != "" {
		return fieldID(input, l.flags.idField)
	}
	var same bytes.Buffer // white space between the tokens makes no difference
	if err := json.Compact(&same, input); err != nil {
		return "", err
	}
	sum := sha256.Sum256(same.Bytes())
	key := binary.BigEndian.Uint64(sum[:])
	before := l.seen[key]
	l.seen[key]++
	all := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%x", l.workflow, l.flags.batch, before, sum))
	return strings.ToLower(lineIDs.EncodeToString(all[:16])), nil
}

var lineIDs = base32.HexEncoding.WithPadding(base32.NoPadding)

// fieldID is the id that a field of the input has.
func fieldID(input []byte, field string) (string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(input, &fields); err != nil {
		return "", errors.New("input $: want an object, for --id-field")
	}
	value, ok := fields[field]
	if !ok {
		return "", fmt.Errorf("input $.%s: missing, want the run's id", field)
	}
	id := string(value)
	if value[0] == '"' {
		if err := json.Unmarshal(value, &id); err != nil {
			return "", fmt.Errorf("input $.%s: %w", field, err)
		}
	}
	return id, flox.CheckName("input $."+field+", the run's id:", id)
}
