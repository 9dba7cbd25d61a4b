package flox

import (
	"fmt"
	"reflect"
)

// undoInput is the stored input of an item that undoes another.
type undoInput struct {
	Item string `json:"item"` // that is undone
	Node string `json:"node"`
	Done []byte `json:"done"` // a Done without its cause, which is not known yet
}

// undoing encodes what would undo the item.
func (r *runner) undoing(in, out any, x *execution) ([]byte, error) {
	done, err := encodeWithin(r.undo, r.done(in, out), x.limit, "what would undo it")
	if err != nil {
		return nil, err
	}
	return EncodeRecord(undoInput{Item: x.lease.Item(), Node: r.n.name, Done: done}), nil
}

// decodeUndo returns a pointer to a Done.
func (r *runner) decodeUndo(in Input) (any, error) {
	var u undoInput
	if err := DecodeRecord(in.Payload, &u); err != nil {
		return nil, err
	}
	p, err := r.in.decodePointer(u.Done)
	if err != nil {
		return nil, err
	}
	var cause ErrorRecord
	if in.Cause != nil {
		if err := DecodeRecord(in.Cause, &cause); err != nil {
			return nil, fmt.Errorf("cause: %w", err)
		}
	}
	p.Elem().FieldByName("Cause").Set(reflect.ValueOf(NodeError{Class: cause.Class, Message: cause.Message}))
	return p.Interface(), nil
}

// undone is the node whose item the input says is undone.
func undone(in Input) string {
	var u undoInput
	if DecodeRecord(in.Payload, &u) != nil {
		return ""
	}
	return u.Node
}
