package flox

import "reflect"

// flowCodec is what starting a run and reading its result needs of a workflow's
// types.
type flowCodec[S, I, O any] struct {
	input, output *codec
	element       *codec // of output, if that is a slice
	state         *stateType
	list          bool // the outputs are the elements of the output
}

// newFlowCodec makes the codec of a built workflow, or, with a nil graph, of one
// that is known by its types alone; that cannot have sum types.
func newFlowCodec[S, I, O any](g *graph) (flowCodec[S, I, O], error) {
	var c flowCodec[S, I, O]
	cs := newCodecs(nil)
	if g != nil {
		c.state, c.list, cs = g.state, g.list, g.codecs
	}
	var err error
	if c.input, err = cs.of(reflect.TypeFor[I]()); err != nil {
		return c, err
	}
	if c.output, err = cs.of(reflect.TypeFor[O]()); err != nil {
		return c, err
	}
	if c.output.typ.Kind() == reflect.Slice {
		if c.element, err = cs.of(c.output.typ.Elem()); err != nil {
			return c, err
		}
	}
	if c.state == nil {
		c.state, err = newStateType(reflect.TypeFor[S](), cs)
	}
	return c, err
}

func (c flowCodec[S, I, O]) encodeInput(in I) ([]byte, error) { return c.input.encode(in) }

// decodeOutput returns the run's output, or the list of them if the workflow
// was made by BuildAll.
func (c flowCodec[S, I, O]) decodeOutput(outs [][]byte) (O, error) {
	p := reflect.New(c.output.typ)
	out := p.Interface().(*O)
	if !c.list {
		if len(outs) == 0 { // the workflow ends quietly
			return *out, nil
		}
		return *out, c.output.decodeInto(outs[0], p.Elem())
	}
	list := p.Elem()
	list.Set(reflect.MakeSlice(list.Type(), len(outs), len(outs)))
	for i, b := range outs {
		if err := c.element.decodeInto(b, list.Index(i)); err != nil {
			return *out, err
		}
	}
	return *out, nil
}
