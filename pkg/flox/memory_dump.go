package flox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Dump returns everything the store holds of runs and queues as text, the same
// text for the same contents: for tests of what changed. Lease times are left out.
func (m *Memory) Dump() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	dump := map[string]string{"todo": fmt.Sprint(slices.Sorted(maps.Keys(m.todo)))}
	for id, r := range m.runs {
		dump["run:"+id] = r.dump()
		dump["state:"+id] = fmt.Sprintf("%d %q %q", r.folded, r.snapshot, r.state)
		dump["history:"+id] = fmt.Sprint(r.history)
		dump["errors:"+id] = fmt.Sprint(r.errors)
	}
	for name, q := range m.queues {
		dump["queue:"+name] = q.dump()
	}
	return dump
}

func (r *memRun) dump() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s granted=%t needs=%t born=%s control=%s started=%v ended=%v deadline=%v trace=%s\n",
		r.status, r.workflow, r.fingerprint, r.granted, r.needsOutput, r.born, r.controls, r.started, r.ended, r.deadline, r.trace)
	fmt.Fprintf(&b, "cause=%q failure=%v %+v ends=%d held=%s outputs=%q\n",
		r.cause, r.failure, r.counts, r.ends, r.held(","), r.outputs)
	fmt.Fprintf(&b, "purging=%s restart=%s restarts=%d\n", r.purging, r.restart, r.restarts)
	for _, node := range slices.Sorted(maps.Keys(r.visits)) {
		fmt.Fprintf(&b, "visit %s\n", r.visits[node])
	}
	fmt.Fprintf(&b, "kept=%q last=%q undos=%q undoing=%t closed=%d\n",
		r.signals.kept, r.signals.last, r.undos, r.undoing, r.closed)
	for _, name := range slices.Sorted(maps.Keys(r.signals.waiting)) {
		for _, t := range r.signals.waiting[name] {
			fmt.Fprintf(&b, "%s waits for %s\n", t.id, name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.tokens)) {
		t := r.tokens[id]
		fmt.Fprintf(&b, "token %+v owner=%s bounces=%d since=%v input=%q joins=%s deposits=%v frame=%s:%d scope=%s",
			t.info(), t.owner, t.bounces, t.since, t.input, t.joins, t.deposits, t.frame, t.index, t.scope)
		if t.answer != nil {
			fmt.Fprintf(&b, " answer=%+v", *t.answer)
		}
		if t.entry != nil {
			fmt.Fprintf(&b, " entry=%s", t.entry.id)
		}
		if t.release != nil {
			fmt.Fprintf(&b, " release=%+v", *t.release)
		}
		b.WriteByte('\n')
	}
	for _, id := range slices.Sorted(maps.Keys(r.frames)) {
		fmt.Fprintf(&b, "frame %+v\n", *r.frames[id])
	}
	return b.String()
}

func (q *memQueue) dump() string {
	var b strings.Builder
	for element := q.ready.Front(); element != nil; element = element.Next() {
		e := element.Value.(*memEntry)
		fmt.Fprintf(&b, "%s %s/%s\n", e.id, e.token.run.id, e.token.id)
	}
	for element := q.claimed.Front(); element != nil; element = element.Next() {
		e := element.Value.(*memEntry)
		fmt.Fprintf(&b, "%s %s/%s %s\n", e.id, e.token.run.id, e.token.id, e.consumer)
	}
	return b.String()
}
