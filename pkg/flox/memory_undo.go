package flox

import "time"

// undoes reports whether the token undoes what others did.
func (t *memToken) undoes() bool { return isUndoToken(t.id) }

// failRun fails a run. If something of it can be undone that is done first, as
// soon as nothing of it is under way any more. record is the error it failed
// of, nil if it was none; out that there are tokens which may yet do something.
func (m *Memory) failRun(r *memRun, cause string, record []byte, out bool) {
	if record != nil {
		r.failure = memRecord{time.Now(), record}
	}
	if len(r.undos) == 0 && !(out && r.mayUndo) {
		m.endRun(r, StatusFailed, cause)
		return
	}
	r.cause, r.undoing, r.visits = cause, true, nil
	m.todo[r.id] = true
	m.setStatus(r, StatusUndoing)
	m.finish(r)
}

// undoNext undoes what was done last and has not been undone. After the first
// thing that was done, the run ends. Its frames mean nothing any more: nobody
// stands in them.
func (m *Memory) undoNext(r *memRun) {
	clear(r.frames)
	r.closed = 0
	n := len(r.undos)
	if n == 0 {
		m.endRun(r, StatusFailed, r.cause)
		return
	}
	undo := r.undos[n-1]
	r.undos = r.undos[:n-1]
	m.make(&memToken{run: r, id: UndoToken(int64(n)), node: undo.Node, queue: undo.Queue, input: undo.Input}, 0)
}

// giveUp drops a token of a run that undoes, unless it is under way, or was
// when its worker died: what it does is committed, then undone. One that is late
// for its join cannot commit any more.
func (m *Memory) giveUp(t *memToken) bool {
	switch {
	case !t.idle():
		return false
	case t.crashes == 0 || t.failed || t.run.late(t):
	case t.place == PlaceParked:
		m.requeue(t)
		return true
	default:
		return false
	}
	m.drop(t)
	m.finish(t.run)
	return true
}
