package graphsvg

import (
	"cmp"
	"math"
	"slices"
)

// rounds is how often the places in the ranks are improved.
const rounds = 120

// place computes where the vertices of l are, and the size of its box.
func (l *level) place() {
	for _, rank := range l.ranks {
		x := 0.0
		for i, v := range rank {
			if i > 0 {
				x += apart(rank[i-1], v)
			}
			v.x = x
		}
	}
	for i := range rounds {
		l.settle(i)
		if i == rounds/2 {
			l.spread()
		}
	}
	for _, v := range l.all {
		for _, k := range v.out {
			k.straighten()
		}
	}
	l.frame()
	l.stack()
}

// straighten makes a link that is almost straight meet its node where it is.
func (k *link) straighten() {
	if aside := k.from.x + k.fromX - k.to.x - k.toX; k.to.node != nil && math.Abs(aside) < 4 {
		k.toX += aside
	}
}

// stack computes the heights of the ranks and of the box. Entries are its upper
// side, exits its lower one.
func (l *level) stack() {
	y := 0.0
	for r, rank := range l.ranks {
		switch {
		case r == 1 && l.group.parent != nil:
			y = boxTitle + padding
		case r > 1:
			y += rankGap + min(40, l.slant(r)/25)
		}
		h := 0.0
		for _, v := range rank {
			h = max(h, v.h)
		}
		l.tops, l.lows = append(l.tops, y), append(l.lows, y+h)
		y += h
	}
	l.h = y
	exits := slices.ContainsFunc(l.ranks[len(l.ranks)-1], func(v *vertex) bool { return v.port == exit })
	if l.group.parent != nil && !exits {
		l.h += padding
	}
}

// slant is how far to the side a link into rank r goes at most.
func (l *level) slant(r int) float64 {
	most := 0.0
	for _, v := range l.ranks[r] {
		for _, k := range v.in {
			most = max(most, math.Abs(k.from.x+k.fromX-k.to.x-k.toX))
		}
	}
	return most
}

// apart is the least distance between the middles of two neighbours.
func apart(a, b *vertex) float64 {
	gap := nodeGap
	if a.bend || b.bend || a.port != 0 || b.port != 0 {
		gap = bendGap
	}
	return (a.w+b.w)/2 + gap
}

// settle moves the vertices of every rank towards what they are linked to: in
// turn that above, that below, and in the end both.
func (l *level) settle(round int) {
	up, down := round%2 == 0, round%2 == 1
	if round >= rounds-6 {
		up, down = true, true
	}
	for i := range l.ranks {
		r := i
		if !up || up && down && round%2 == 1 {
			r = len(l.ranks) - 1 - i
		}
		fit(l.ranks[r], up, down)
	}
}

// fit gives the vertices of a rank the places nearest to those wanted that keep
// their order and distances: neighbours that would be too close form a block,
// which goes to the mean of what they want (pool adjacent violators).
func fit(rank []*vertex, up, down bool) {
	type block struct {
		sum, weight float64
		first       int
	}
	var blocks []block
	offset := make([]float64, len(rank)) // of each vertex from the first, at the least distances
	for i, v := range rank {
		if i > 0 {
			offset[i] = offset[i-1] + apart(rank[i-1], v)
		}
		x, weight := v.wanted(up, down)
		b := block{(x - offset[i]) * weight, weight, i}
		for len(blocks) > 0 && blocks[len(blocks)-1].sum/blocks[len(blocks)-1].weight >= b.sum/b.weight {
			before := blocks[len(blocks)-1]
			b = block{before.sum + b.sum, before.weight + b.weight, before.first}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	for n, b := range blocks {
		end := len(rank)
		if n+1 < len(blocks) {
			end = blocks[n+1].first
		}
		for i := b.first; i < end; i++ {
			rank[i].x = b.sum/b.weight + offset[i]
		}
	}
}

// wanted is where v would like to be, and how much.
func (v *vertex) wanted(up, down bool) (x, weight float64) {
	pull := func(k *link, to float64) {
		w := 1.0
		if k.from.bend && k.to.bend { // a long line is straight first of all
			w = 4
		}
		if k.side {
			w /= 1000
		}
		x, weight = x+to*w, weight+w
	}
	if up {
		for _, k := range v.in {
			pull(k, k.from.x+k.fromX-k.toX)
		}
	}
	if down {
		for _, k := range v.out {
			pull(k, k.to.x+k.toX-k.fromX)
		}
	}
	if weight == 0 {
		return v.x, 0.5
	}
	return x / weight, weight
}

// spread lets the lines that meet a node do so side by side, in the order of
// where they come from or go to.
func (l *level) spread() {
	for _, v := range l.all {
		if v.node == nil {
			continue
		}
		slices.SortStableFunc(v.out, func(a, b *link) int { return cmp.Compare(a.to.x+a.toX, b.to.x+b.toX) })
		slices.SortStableFunc(v.in, func(a, b *link) int { return cmp.Compare(a.from.x+a.fromX, b.from.x+b.fromX) })
		w := v.w + 2*v.off
		for i, x := range beside(v.out, w) {
			v.out[i].fromX = v.off + x
		}
		for i, x := range beside(v.in, w) {
			v.in[i].toX = v.off + x
		}
	}
}

// beside is how far from the middle each of the links is at a side of length w.
// A single one of the main flow is in the middle.
func beside(links []*link, w float64) []float64 {
	middle, main := float64(len(links)-1)/2, 0
	for i, k := range links {
		if !k.side {
			middle, main = float64(i), main+1
		}
	}
	if main != 1 {
		middle = float64(len(links)-1) / 2
	}
	step := min(18, (w/2-12)/max(middle, float64(len(links)-1)-middle, 1))
	all := make([]float64, len(links))
	for i := range links {
		all[i] = (float64(i) - middle) * step
	}
	return all
}

// frame moves the vertices into the box of the level and computes its width.
func (l *level) frame() {
	low, high := 0.0, 0.0
	for i, v := range l.all {
		if i == 0 {
			low, high = v.x-v.w/2, v.x+v.w/2
		}
		low, high = min(low, v.x-v.w/2), max(high, v.x+v.w/2)
	}
	l.w = high - low
	shift := -low
	if l.group.parent != nil {
		l.w += 2 * padding
		shift += padding
		if least := 2*textWidth(l.group.label(), labelSize) + 3*padding; l.w < least { // lines enter in the middle, beside the title
			shift += (least - l.w) / 2
			l.w = least
		}
	}
	for _, v := range l.all {
		v.x += shift
	}
}
