package flox

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Signal is a message of type P that can be sent to a run, and that a node of
// the run can Await. Keep it in a package variable that both sides use.
type Signal[P any] struct{ name string }

// NewSignal names a signal. The name must satisfy CheckName; Build and Send
// refuse one that does not.
func NewSignal[P any](name string) Signal[P] { return Signal[P]{name} }

// Name returns the signal's name.
func (s Signal[P]) Name() string { return s.name }

func (s Signal[P]) payload() reflect.Type { return reflect.TypeFor[P]() }

// AnySignal is a Signal of any payload.
type AnySignal interface {
	Name() string
	payload() reflect.Type
}

// Signaler sends signals: an *Orchestrator or a *Control.
type Signaler interface {
	signal(ctx context.Context, run, name string, payload reflect.Value) error
}

// Send sends the signal to a run. It completes the Await of the token that has
// waited longest for it, or is kept for the first that will. Sent once it takes
// effect once, however often the store had to be asked. Errors: ErrNotFound if
// there is no such run; an ErrRefused if it has ended, or keeps an earlier
// signal of that name which nobody has awaited yet.
func (s Signal[P]) Send(ctx context.Context, to Signaler, runID string, payload P) error {
	return to.signal(ctx, runID, s.name, reflect.ValueOf(&payload).Elem())
}

// Answer is what comes of an Await.
type Answer[C, P any] struct {
	Carry    C    `json:"carry"`
	Payload  P    `json:"payload"` // of the signal; zero if none came
	TimedOut bool `json:"timedOut"`
}

// Awaiting is what a node returns that awaits a signal with payload P, carrying
// a C to the answer.
type Awaiting[C, P any] = Transition[Answer[C, P]]

// answer is what Answer is for any types. Its fields are set by their order.
type answer interface {
	carries() (carry, payload reflect.Type)
}

func (Answer[C, P]) carries() (carry, payload reflect.Type) {
	return reflect.TypeFor[C](), reflect.TypeFor[P]()
}

var answerType = reflect.TypeFor[answer]()

// answerTypes are the carry and the payload of the Answer type t.
func answerTypes(t reflect.Type) (carry, payload reflect.Type) {
	return reflect.Zero(t).Interface().(answer).carries()
}

// SignalOption changes how a signal is sent.
type SignalOption func(*SignalRequest)

// WithSignalID gives a signal an id of the caller's, which must satisfy
// CheckName: sent again with the id of the run's last signal of that name, it
// changes nothing. The default is a fresh one.
func WithSignalID(id string) SignalOption { return func(r *SignalRequest) { r.ID = id } }

// Signal sends a signal with a payload as JSON, see Signal.Send. delivered says
// that a token took it; else it is kept for the first that awaits it. What the
// awaiting node cannot decode fails the run. Text that is no JSON is refused.
func (c *Control) Signal(ctx context.Context, id, name string, payload []byte, opts ...SignalOption) (delivered bool, err error) {
	if !json.Valid(payload) {
		return false, fmt.Errorf("signal %s: payload %q is not valid JSON", name, payload)
	}
	req := SignalRequest{Run: id, Name: name, ID: newNonce(), Payload: jsonPayload(payload)}
	for _, set := range opts {
		set(&req)
	}
	return c.sendSignal(ctx, req)
}

func (c *Control) signal(ctx context.Context, run, name string, payload reflect.Value) error {
	return c.encodeSignal(ctx, newCodecs(nil), run, name, payload)
}

func (o *Orchestrator[S, I, O]) signal(ctx context.Context, run, name string, payload reflect.Value) error {
	cs := newCodecs(nil)
	if o.flow.graph != nil {
		cs = o.flow.graph.codecs
	}
	return o.control.encodeSignal(ctx, cs, run, name, payload)
}

func (c *Control) encodeSignal(ctx context.Context, cs *codecs, run, name string, payload reflect.Value) error {
	codec, err := cs.of(payload.Type())
	if err != nil {
		return fmt.Errorf("signal %s: payload %s cannot be stored: %w", name, payload.Type(), err)
	}
	b, err := codec.encode(payload.Interface())
	if err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	_, err = c.sendSignal(ctx, SignalRequest{Run: run, Name: name, ID: newNonce(), Payload: b})
	return err
}

func (c *Control) sendSignal(ctx context.Context, req SignalRequest) (delivered bool, err error) {
	if err := CheckName("run id", req.Run); err != nil {
		return false, err
	}
	if err := CheckName("signal", req.Name); err != nil {
		return false, err
	}
	if err := CheckName("signal id", req.ID); err != nil {
		return false, err
	}
	if len(req.Payload) > c.maxPayload {
		return false, fmt.Errorf("signal %s: payload of %d bytes exceeds the limit of %d", req.Name, len(req.Payload), c.maxPayload)
	}
	if delivered, err = c.st.Signal(ctx, req); err != nil {
		return false, fmt.Errorf("signal %s to run %s: %w", req.Name, req.Run, err)
	}
	return delivered, nil
}
