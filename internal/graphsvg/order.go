package graphsvg

import (
	"cmp"
	"slices"
)

// sweeps is how often the order of the ranks is improved, down and up in turn;
// effort limits that for large graphs, in vertices.
const (
	sweeps = 24
	effort = 100_000
)

// order orders each rank so that few links cross: by the mean position of what
// a vertex is linked to in the rank before, and by exchanging neighbours,
// keeping the best order seen. It starts from two orders, each the other's
// mirror.
func (l *level) order() {
	var best [][]*vertex
	least := 0
	for _, mirrored := range []bool{false, true} {
		l.begin(mirrored)
		for i := range min(sweeps, 2+effort/max(1, len(l.all))) {
			if n := l.crossings(); best == nil || n < least {
				best, least = l.snapshot(), n
			}
			if least == 0 {
				break
			}
			l.sweep(i%2 == 0, i%4 > 1)
			l.exchange()
		}
	}
	l.ranks = best
	l.number()
}

// begin orders the ranks depth first, so that what belongs together begins
// together.
func (l *level) begin(mirrored bool) {
	last := 0
	for _, v := range l.all {
		last = max(last, v.rank)
	}
	l.ranks = make([][]*vertex, last+1)
	seen := map[*vertex]bool{}
	var visit func(v *vertex)
	visit = func(v *vertex) {
		if seen[v] {
			return
		}
		seen[v] = true
		l.ranks[v.rank] = append(l.ranks[v.rank], v)
		for i := range v.out {
			if mirrored {
				i = len(v.out) - 1 - i
			}
			visit(v.out[i].to)
		}
	}
	for _, v := range l.all {
		if len(v.in) == 0 {
			visit(v)
		}
	}
	l.number()
}

func (l *level) snapshot() [][]*vertex {
	all := make([][]*vertex, len(l.ranks))
	for i, rank := range l.ranks {
		all[i] = slices.Clone(rank)
	}
	return all
}

func (l *level) number() {
	for _, rank := range l.ranks {
		for i, v := range rank {
			v.pos = i
		}
	}
}

// sweep orders every rank by the one above it, or below it. turn exchanges what
// has the same mean.
func (l *level) sweep(down, turn bool) {
	for i := range l.ranks {
		r := i
		if !down {
			r = len(l.ranks) - 1 - i
		}
		rank, mean := l.ranks[r], map[*vertex]float64{}
		for _, v := range rank {
			mean[v] = v.mean(down)
		}
		if turn {
			slices.Reverse(rank)
		}
		slices.SortStableFunc(rank, func(a, b *vertex) int { return cmp.Compare(mean[a], mean[b]) })
		for i, v := range rank {
			v.pos = i
		}
	}
}

// exchange exchanges neighbours as long as that makes fewer links cross.
func (l *level) exchange() {
	for better, left := true, 8; better && left > 0; left-- {
		better = false
		for _, rank := range l.ranks {
			for i := range len(rank) - 1 {
				a, b := rank[i], rank[i+1]
				before := crossed(a.out, b.out) + crossed(a.in, b.in)
				a.pos, b.pos = b.pos, a.pos
				if crossed(a.out, b.out)+crossed(a.in, b.in) < before {
					rank[i], rank[i+1] = b, a
					better = true
				} else {
					a.pos, b.pos = b.pos, a.pos
				}
			}
		}
	}
}

// crossed counts the links of one vertex that cross those of another.
func crossed(a, b []*link) int {
	n := 0
	for _, x := range a {
		for _, y := range b {
			if cmp.Compare(x.start(), y.start())*cmp.Compare(x.end(), y.end()) < 0 {
				n++
			}
		}
	}
	return n
}

// mean is the mean position of v's neighbours above, or below; its own if it
// has none.
func (v *vertex) mean(above bool) float64 {
	sum, n := 0.0, 0
	if above {
		for _, k := range v.in {
			sum, n = sum+k.start(), n+1
		}
	} else {
		for _, k := range v.out {
			sum, n = sum+k.end(), n+1
		}
	}
	if n == 0 {
		return float64(v.pos)
	}
	return sum / float64(n)
}

// start and end are the positions in their ranks that a link leads from and to;
// the ports of a nested workflow are parts of its own.
func (k *link) start() float64 { return float64(k.from.pos) + k.fromX/(k.from.w+1) }
func (k *link) end() float64   { return float64(k.to.pos) + k.toX/(k.to.w+1) }

// crossings counts the pairs of links that cross: those that begin in one order
// and end in the other.
func (l *level) crossings() int {
	n := 0
	for _, rank := range l.ranks {
		var links []*link
		for _, v := range rank {
			links = append(links, v.out...)
		}
		slices.SortFunc(links, func(a, b *link) int {
			return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.end(), b.end()))
		})
		ends := make([]float64, len(links))
		for i, k := range links {
			ends[i] = k.end()
		}
		n += inversions(ends, make([]float64, len(ends)))
	}
	return n
}

// inversions sorts all, using spare, and counts the pairs that were in the wrong
// order.
func inversions(all, spare []float64) int {
	if len(all) < 2 {
		return 0
	}
	half := len(all) / 2
	n := inversions(all[:half], spare[:half]) + inversions(all[half:], spare[half:])
	copy(spare, all)
	a, b := spare[:half], spare[half:]
	for i := range all {
		if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
			all[i], a = a[0], a[1:]
		} else {
			all[i], b = b[0], b[1:]
			n += len(a)
		}
	}
	return n
}
