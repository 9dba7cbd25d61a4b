package model

type left = map[fault]int8

// faulty is what workers and connections do.
func faulty(more left) left {
	l := left{crash: 1, expiry: 1, loss: 1}
	for f, n := range more {
		l[f] = n
	}
	return l
}

// setups is the short form: each is explored whole. The deep form raises its bounds.
var setups = []Setup{
	{Name: "chain, workers", Graph: chain, Slots: 2, Left: left{crash: 2, expiry: 2, loss: 2, attempt: 1, handback: 1}},
	{Name: "chain, controls", Graph: chain, Slots: 2, Left: faulty(left{pause: 1, cancel: 1, ruin: 1, revival: 1})},
	{Name: "chain, poison", Graph: chain, Slots: 2, Limit: 2, Left: left{crash: 2, expiry: 2, handback: 1, attempt: 1}},
	{Name: "chain, poison and retry", Graph: chain, Slots: 1, Limit: 1, Left: left{crash: 2, revival: 2, pause: 1}},
	{Name: "chain, server", Graph: chain, Slots: 2, Left: left{save: 1, cut: 1, expiry: 1, crash: 1}},
	{Name: "chain, resume and a shorter log", Graph: chain, Slots: 2, Left: left{save: 1, cut: 1, pause: 1, crash: 1, loss: 1}},
	{Name: "chain, dead consumers", Graph: chain, Slots: 2, Left: faulty(left{sweep: 1})},
	{Name: "chain, new group", Graph: chain, Slots: 2, Left: faulty(left{regroup: 1, stray: 1, handback: 1})},
	{Name: "chain, lost streams", Graph: chain, Slots: 2, Left: left{drain: 1, crash: 1, expiry: 1, attempt: 1, pause: 1}},
	{Name: "chain, deleted and started again", Graph: chain, Slots: 2, Left: left{removal: 1, rerun: 1, cancel: 1, crash: 1, expiry: 1, ruin: 1}},
	{Name: "chain, late requests", Graph: chain, Slots: 1, Left: left{pause: 2, loss: 2, cancel: 1, ruin: 1, revival: 1}},
	{Name: "chain, held up", Graph: chain, Slots: 1, Left: left{late: 1, pause: 2, cancel: 1, ruin: 1, revival: 1}},
	{Name: "chain, held up and failed twice", Graph: chain, Slots: 1, Left: left{late: 1, ruin: 2, revival: 2, removal: 1, rerun: 1}},
	{Name: "chain, deadline", Graph: chain, Slots: 2, Left: faulty(left{deadline: 1, pause: 1, cancel: 1})},
	{Name: "two queues", Graph: crossing, Slots: 2, Left: left{crash: 2, expiry: 2, loss: 2}},
	{Name: "two queues, a worker for each", Graph: crossing, Slots: 1, apart: true, Left: left{crash: 2, expiry: 1, loss: 1, pause: 1}},
	{Name: "fallback", Graph: fallback, Slots: 2, Limit: 2, Left: left{crash: 2, expiry: 1, loss: 1, ruin: 2, attempt: 1}},
	{Name: "fan-out, workers", Graph: fanJoin, Slots: 3, Left: left{crash: 2, expiry: 1, loss: 2, attempt: 1}},
	{Name: "fan-out, controls", Graph: fanJoin, Slots: 2, Left: left{pause: 2, cancel: 1, loss: 2, crash: 1}},
	{Name: "fan-out, a branch fails", Graph: fanJoin, Slots: 2, Left: left{ruin: 2, revival: 2, crash: 1, expiry: 1, loss: 1}},
	{Name: "fan-out, server", Graph: fanJoin, Slots: 2, Left: left{save: 1, cut: 1, loss: 1, crash: 1, expiry: 1}},
	{Name: "fan-out, deleted and started again", Graph: fanJoin, Slots: 2, Left: left{ruin: 1, removal: 1, rerun: 1, revival: 1}},
	{Name: "fan-out over two queues", Graph: fanJoinFar, Slots: 1, apart: true, Left: faulty(nil)},
	{Name: "branches without a join, one fails", Graph: spread, Slots: 2, Left: left{ruin: 1, revival: 1, crash: 1, expiry: 1}},
	{Name: "large fan-out", Graph: chunks, Slots: 2, Chunk: 1, Left: left{crash: 1, loss: 1}},
	{Name: "large fan-out, controls", Graph: chunks, Slots: 1, Chunk: 2, Left: left{pause: 1, cancel: 1, expiry: 1, loss: 1}},
	{Name: "nested", Graph: nested, Slots: 2, Left: left{crash: 1, expiry: 1, loss: 1}},
	{Name: "fan-out within a branch", Graph: spreading, Slots: 2, Left: left{crash: 1, loss: 1}},
	{Name: "a branch that ends", Graph: routed, Slots: 2, Left: faulty(nil)},
	{Name: "nothing, joined", Graph: emptyJoined, Slots: 2, Left: faulty(left{pause: 1})},
	{Name: "nothing, bare", Graph: emptyBare, Slots: 2, Left: faulty(left{pause: 1})},
	{Name: "nothing, in a branch", Graph: emptyInside, Slots: 2, Left: faulty(nil)},
	{Name: "collector, workers", Graph: collector, Slots: 2, Left: left{crash: 1, expiry: 2, loss: 1}},
	{Name: "collector, controls", Graph: collector, Slots: 2, Left: left{pause: 1, loss: 1, folding: 1, cancel: 1}},
	{Name: "collector, server", Graph: collector, Slots: 2, Left: left{save: 1, cut: 1, expiry: 1}},
	{Name: "await", Graph: answer, Slots: 2, Left: faulty(left{signal: 1, cancel: 1})},
	{Name: "await, server", Graph: answer, Slots: 2, Left: left{signal: 1, save: 1, cut: 1}},
	{Name: "await, controls", Graph: answer, Slots: 1, Left: left{signal: 1, pause: 1, cancel: 1, removal: 1, rerun: 1, loss: 1}},
	{Name: "await, held up", Graph: answers, Slots: 1, Left: left{late: 1, signal: 2, removal: 1, rerun: 1, deadline: 1, revival: 1}},
	{Name: "await twice", Graph: answers, Slots: 2, Left: faulty(left{signal: 2})},
	{Name: "delay", Graph: timer, Slots: 2, Left: faulty(left{pause: 1, cancel: 1, attempt: 1, removal: 1})},
	{Name: "quorum, workers", Graph: quorum, Slots: 2, Left: faulty(left{handback: 1})},
	{Name: "quorum, controls", Graph: quorum, Slots: 2, Left: left{pause: 1, cancel: 1, removal: 1, rerun: 1, crash: 1}},
	{Name: "quorum, nested", Graph: quorumNested, Slots: 2, Left: left{crash: 1, expiry: 1, loss: 1}},
	{Name: "quorum, large fan-out", Graph: quorumChunks, Slots: 2, Chunk: 1, Left: left{crash: 1, loss: 1}},
	{Name: "close", Graph: closing, Slots: 2, Left: faulty(left{pause: 1})},
	{Name: "undo, workers", Graph: undo, Slots: 2, Left: left{ruin: 2, crash: 2, expiry: 1, loss: 1, revival: 1}},
	{Name: "undo, controls", Graph: undo, Slots: 1, Left: left{ruin: 2, revival: 1, cancel: 1, pause: 1, loss: 1, deadline: 1}},
	{Name: "undo of branches", Graph: undoFan, Slots: 2, Left: left{ruin: 1, crash: 2, expiry: 2, loss: 1, cancel: 1}},
	{Name: "retry from a node", Graph: again, Slots: 2, from: 1, ordered: true, Left: left{ruin: 1, rewind: 1, crash: 1, expiry: 1, folding: 1}},
	{Name: "retry from a node, controls", Graph: again, Slots: 2, from: 1, ordered: true, Left: left{ruin: 1, rewind: 1, loss: 1, cancel: 1, removal: 1}},
	{Name: "retry from a node, held up", Graph: again, Slots: 1, from: 1, ordered: true, Left: left{late: 1, ruin: 2, rewind: 1, revival: 1, folding: 1, removal: 1}},
}

// deep is the long form: the same with more of everything, where that still ends.
func deep(s Setup) Setup {
	more := left{}
	for f, n := range s.Left {
		more[f] = n
	}
	for _, f := range []fault{crash, expiry, loss} {
		more[f]++
	}
	s.Left = more
	return s
}

// wild has all faults at once, for walks at random.
func wild(g *Graph) Setup {
	s := Setup{Name: g.Name, Graph: g, Slots: 3, Limit: 3, Chunk: 2, Left: left{
		crash: 3, expiry: 3, loss: 4, save: 1, cut: 1, regroup: 1, stray: 1, handback: 2, attempt: 2, ruin: 1, pause: 2,
		cancel: 1, revival: 1, removal: 1, rerun: 1, signal: 2, folding: 2, deadline: 1, late: 1,
	}}
	if g == again {
		s.from, s.ordered = 1, true
		s.Left[rewind] = 1
	}
	if g == crossing || g == fanJoinFar {
		s.apart = true
	}
	return s
}

// graphs are all that are explored.
var graphs = []*Graph{chain, crossing, fallback, fanJoin, fanJoinFar, chunks, nested, spreading, routed, emptyJoined,
	emptyBare, emptyInside, spread, collector, answer, answers, timer, quorum, quorumNested, quorumChunks, closing, undo,
	undoFan, again}
