package flox

import "reflect"

// Variant is a member of the sum type O: a type with the marker method
//
//	func (Approved) VariantOf(Decision) {}
//
// where Decision is an interface with that method. The types need no import of
// flox.
type Variant[O any] interface{ VariantOf(O) }

// Arm is one way out of a Route: Case, When or Otherwise.
type Arm[O any] interface {
	takes(O)
	needsCaseWhenOrOtherwise() armDef
}

// armDef is an arm while its workflow is being built.
type armDef struct {
	to      *nodeDef
	variant reflect.Type // Case, else nil
	guarded bool
	other   bool // Otherwise
	blind   bool // its predicate is nil
	fits    func(out any) bool
	pos     string
}

// CaseArm is what Case returns.
type CaseArm[O, V any] struct{ def armDef }

func (CaseArm[O, V]) takes(O) {}

func (a CaseArm[O, V]) needsCaseWhenOrOtherwise() armDef { return a.def }

// Case leads outputs of dst's type, a variant of O, to dst.
func Case[O any, V Variant[O]](dst In[V]) CaseArm[O, V] {
	return CaseArm[O, V]{armDef{
		to: dst.target(), variant: reflect.TypeFor[V](),
		fits: func(out any) bool { _, ok := out.(V); return ok },
	}}
}

// If restricts the case to variants for which pred is true. pred must depend on
// its argument alone.
func (a CaseArm[O, V]) If(pred func(V) bool) CaseArm[O, V] {
	before := a.def.fits
	a.def.guarded, a.def.blind = true, a.def.blind || pred == nil
	a.def.fits = func(out any) bool { return before(out) && pred(out.(V)) }
	return a
}

type plainArm[O any] struct{ def armDef }

func (plainArm[O]) takes(O) {}

func (a plainArm[O]) needsCaseWhenOrOtherwise() armDef { return a.def }

// When leads outputs for which pred is true to dst. pred must depend on its
// argument alone.
func When[O any](pred func(O) bool, dst In[O]) Arm[O] {
	return plainArm[O]{armDef{
		to: dst.target(), guarded: true, blind: pred == nil,
		fits: func(out any) bool { o, _ := out.(O); return pred(o) },
	}}
}

// Otherwise leads to dst what no arm before it takes. It is the last arm.
func Otherwise[O any](dst In[O]) Arm[O] {
	return plainArm[O]{armDef{
		to: dst.target(), other: true,
		fits: func(any) bool { return true },
	}}
}

// sumDef is a sum type and its declared variants.
type sumDef struct {
	sum      reflect.Type
	variants []reflect.Type
	pos      string
}

// Variants declares the variants of the sum type O, each by any value of it.
// Build uses it to find variants without a case; and a stored O is told apart
// by its variant's type name, so renaming one changes what is stored. O must be
// written out:
//
//	flox.Variants[Decision](b, Approved{}, Rejected{})
func Variants[O, S any](b *Builder[S], all ...O) {
	d := sumDef{sum: reflect.TypeFor[O](), pos: callSite()}
	for _, v := range all {
		d.variants = append(d.variants, reflect.TypeOf(v)) // nil for a nil interface; Build says so
	}
	b.w.sums = append(b.w.sums, d)
}

// As widens what a node yields to the sum type W that it is a variant of, for
// ends and joins of several types.
func As[W, I any, O Variant[W]](r Ref[I, O]) Ref[I, W] { return Ref[I, W]{r.node()} }
