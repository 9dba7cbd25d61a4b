package flox

import (
	"container/heap"
	"time"
)

// setDeadline gives a run that long from when its first token is ready, for ever
// if that is zero.
func (m *Memory) setDeadline(r *memRun, delay, limit time.Duration) {
	if limit <= 0 {
		return
	}
	r.deadline = r.started.Add(max(0, delay) + limit)
	r.timer = &memTimer{due: r.deadline, run: r}
	heap.Push(&m.delayed, r.timer)
	m.tellDue(r.timer)
}

// liftDeadline stops the deadline's timer, if there is one.
func (m *Memory) liftDeadline(r *memRun) {
	if r.timer != nil {
		heap.Remove(&m.delayed, r.timer.index)
		r.timer = nil
	}
}

// deadlinePassed fails a run that is not done yet. One that undoes has failed
// already and may take its time.
func (m *Memory) deadlinePassed(r *memRun) {
	m.liftDeadline(r)
	if r.status != StatusRunning && r.status != StatusPaused {
		return
	}
	record := EncodeRecord(ErrorRecord{Class: ClassDeadline, Message: ErrDeadline.Error(), Final: true})
	r.errors = appendCapped(r.errors, memRecord{time.Now(), record}, memErrors)
	m.failRun(r, ErrDeadline.Error(), record, true)
}
