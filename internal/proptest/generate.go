package proptest

import (
	"fmt"
	"math/rand/v2"
)

// generator draws random blocks.
type generator struct {
	r     *rand.Rand
	left  int // blocks that may still be drawn
	named int
	// What the run does if it fails: undo, or be mended by a retry.
	sagas, mends bool
}

// place is what must be known of where a block stands.
type place struct {
	times int  // it is visited at most
	deep  int  // it stands in so many others
	loops int  // around it
	quiet bool // its token may end there
	last  bool // but not be held, as a run fails of which all is
	catch bool // a nest around it catches failures
	calm  bool // it must not fail
}

func (g *generator) chance(of100 int) bool { return g.r.IntN(100) < of100 }

func (g *generator) name(kind string) string {
	g.named++
	return fmt.Sprint(kind, g.named)
}

// node draws a step that cannot fail for good.
func (g *generator) node(kind string) *step {
	s := &step{name: g.name(kind), salt: g.r.Int64N(1000)}
	switch g.r.IntN(10) {
	case 0, 1:
		s.reads = true
	case 2, 3:
		s.flaky = 1 + g.r.IntN(maxAttempts-1)
	case 4:
		s.bare = true
	case 5:
		s.queue = fmt.Sprint("queue", g.r.IntN(2))
	}
	if g.sagas && g.chance(30) {
		s.undo = &step{name: g.name("undo"), flaky: g.r.IntN(2)}
	}
	return s
}

// risky draws a step that may fail for good, where it may.
func (g *generator) risky(kind string, p place) *step {
	s := g.node(kind)
	if p.calm || !g.chance(30) {
		return s
	}
	s.fails = []fate{fateError, fatePanic, fatePermanent, fateAbort}[g.r.IntN(4)]
	s.every = 1 + g.r.Int64N(4)
	switch {
	case g.chance(50):
		s.fallback = g.node("fallback")
	case !p.catch && (g.chance(20) || p.times > 8):
		s.every = 0
	case !p.catch:
		s.bomb = true
	}
	return s
}

func (g *generator) seq(p place) seq {
	s := seq{g.block(p)}
	for g.left > 0 && g.chance(60) {
		s = append(s, g.block(p))
	}
	return s
}

// kind is one kind of block: how often it is drawn, and whether it may be here.
type kind struct {
	weight int
	fits   func(g *generator, p place) bool
	draw   func(g *generator, p place) block
}

func anywhere(*generator, place) bool { return true }
func few(_ *generator, p place) bool  { return p.times <= 12 }

var kinds []kind

func init() { // they refer to each other
	kinds = []kind{
		{20, anywhere, func(g *generator, p place) block { return g.risky("step", p) }},
		{6, anywhere, (*generator).delay},
		{12, anywhere, (*generator).fan},
		{12, few, (*generator).split},
		{2, func(_ *generator, p place) bool { return p.times == 1 }, (*generator).bigSplit},
		{8, anywhere, (*generator).route},
		{5, anywhere, (*generator).side},
		{6, func(_ *generator, p place) bool { return p.times <= 12 && p.loops < 2 }, (*generator).loop},
		{14, anywhere, (*generator).nest},
		{4, few, (*generator).gather},
		{5, anywhere, (*generator).ask},
		{5, few, (*generator).race},
		{4, few, (*generator).any},
		{5, func(_ *generator, p place) bool { return p.quiet && !p.last }, (*generator).hold},
	}
}

func (g *generator) block(p place) block {
	g.left--
	p.deep++
	if g.left <= 0 || p.deep > 6 {
		return g.risky("step", p)
	}
	for {
		total := 0
		for _, k := range kinds {
			total += k.weight
		}
		n := g.r.IntN(total)
		for _, k := range kinds {
			if n -= k.weight; n >= 0 {
				continue
			}
			if k.fits(g, p) {
				return k.draw(g, p)
			}
			break
		}
	}
}
