package flox

import (
	"errors"
	"fmt"
	"reflect"
)

// joinCodecs are those of a join's input.
type joinCodecs struct {
	element, carry *codec // carry is nil if the fan-out's input does not travel along
	open           func(r *runner, in Input) (any, error)
}

// answerCodecs are those of the two parts of an Answer.
type answerCodecs struct{ carry, payload *codec }

// decode returns a pointer to the node's input; a *arrival for the node that
// ends the visits of a nested workflow.
func (r *runner) decode(in Input) (any, error) {
	switch {
	case in.Spoilt != "":
		return nil, errors.New(in.Spoilt)
	case r.n.undoes:
		return r.decodeUndo(in)
	case !in.Joined:
		p, err := r.in.decodePointer(in.Payload)
		if err != nil {
			return nil, err
		}
		return p.Interface(), nil
	case r.joined == nil:
		return nil, fmt.Errorf("is that of a join, which node %s is not in this version", r.n.name)
	}
	return r.joined.open(r, in)
}

// deposits decodes what the branches left, into a slice.
func (c *joinCodecs) deposits(list [][]byte) (reflect.Value, error) {
	all := reflect.MakeSlice(reflect.SliceOf(c.element.typ), len(list), len(list))
	for i, b := range list {
		if err := c.element.decodeInto(b, all.Index(i)); err != nil {
			return all, fmt.Errorf("output %d of the fan-out: %w", i, err)
		}
	}
	return all, nil
}

// given decodes what the fan-out was given, into v.
func (c *joinCodecs) given(payload []byte, v reflect.Value) error {
	if err := c.carry.decodeInto(payload, v); err != nil {
		return fmt.Errorf("what the fan-out was given: %w", err)
	}
	return nil
}

// listInput is the input of a plain join.
func listInput(r *runner, in Input) (any, error) {
	all, err := r.joined.deposits(in.Deposits)
	p := reflect.New(r.in.typ)
	if err == nil {
		p.Elem().Set(all.Convert(r.in.typ))
	}
	return p.Interface(), err
}

// joinedInput is a Joined.
func joinedInput(r *runner, in Input) (any, error) {
	p := reflect.New(r.in.typ)
	if err := r.joined.given(in.Payload, p.Elem().Field(0)); err != nil {
		return nil, err
	}
	all, err := r.joined.deposits(in.Deposits)
	if err == nil {
		p.Elem().Field(1).Set(all)
	}
	return p.Interface(), err
}

// pairInput is a Pair.
func pairInput(r *runner, in Input) (any, error) {
	halves, err := r.joined.deposits(in.Deposits)
	if err != nil {
		return nil, err
	}
	p := reflect.New(r.in.typ)
	both, err := p.Elem().Interface().(pair).assemble(halves.Interface())
	if err == nil {
		p.Elem().Set(reflect.ValueOf(both))
	}
	return p.Interface(), err
}

// codecFailure begins a deposit that is not an output but the record of the
// error that a visit of a nested workflow failed of.
const codecFailure = 2

// visitInput is the *arrival at the end of a visit of a nested workflow.
func visitInput(r *runner, in Input) (any, error) {
	p := reflect.New(r.in.typ)
	if err := r.joined.given(in.Payload, p.Elem()); err != nil {
		return nil, err
	}
	a := &arrival{input: p.Interface()}
	for _, b := range in.Deposits {
		if len(b) > 0 && b[0] == codecFailure {
			a.failed = new(ErrorRecord)
			return a, DecodeRecord(b[1:], a.failed)
		}
	}
	all, err := r.joined.deposits(in.Deposits)
	switch v := r.n.visit; {
	case err != nil:
	case v.list:
		a.out = all.Convert(r.n.out).Interface()
	case v.output == noneType:
		a.out = None{}
	case all.Len() == 0:
		// Not an error of the input: the nest's fallback can take it.
		a.failed = &ErrorRecord{Node: r.n.name, Attempt: 1, Class: ClassPayload, Message: "the nested workflow ended with no output"}
	default:
		a.out = all.Index(0).Interface()
	}
	return a, err
}

// short says that too few came to the join that leads here.
func (r *runner) short(in Input) error {
	if came := len(in.Deposits); in.Joined && in.Spoilt == "" && came < r.n.quorum {
		return fmt.Errorf("quorum: %d branches came, want %d", came, r.n.quorum)
	}
	return nil
}

// answered makes a pointer to the Answer to the node's Await.
func (r *runner) answered(carry []byte, a *Answered) (any, error) {
	if r.answer == nil {
		return nil, &payloadError{fmt.Errorf("is an answer, which node %s does not await in this version", r.n.name)}
	}
	v := reflect.New(r.n.out).Elem()
	if err := r.answer.carry.decodeInto(carry, v.Field(0)); err != nil {
		return nil, &payloadError{fmt.Errorf("what it carried: %w", err)}
	}
	if a.TimedOut {
		v.Field(2).SetBool(true)
	} else if err := r.answer.payload.decodeInto(a.Payload, v.Field(1)); err != nil {
		return nil, &payloadError{fmt.Errorf("payload of the signal: %w", err)}
	}
	return v.Addr().Interface(), nil
}
