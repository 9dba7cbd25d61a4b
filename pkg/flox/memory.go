package flox

import (
	"context"
	"sync"
	"time"
)

// Memory is a Store that lives in the process: for tests, for runs that need
// not outlive it, and as the plainest statement of what a store does. It blocks
// on channels and timers and never polls, so that it works in testing/synctest.
type Memory struct {
	mu        sync.Mutex
	runs      map[string]*memRun
	queues    map[string]*memQueue
	entries   map[string]*memEntry // of all queues, by id
	delayed   memTimers
	todo      map[string]bool // runs that Settle has work for
	watchers  listeners[RunEvent]
	alerted   listeners[Alert]
	workers   map[string]memBeat
	workflows map[string]WorkflowInfo
	sequence  int64         // of the last entry
	arrived   chan struct{} // closed when an entry comes; nil while nobody waits
}

var _ Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{
		runs:      map[string]*memRun{},
		queues:    map[string]*memQueue{},
		entries:   map[string]*memEntry{},
		todo:      map[string]bool{},
		watchers:  listeners[RunEvent]{},
		alerted:   listeners[Alert]{},
		workers:   map[string]memBeat{},
		workflows: map[string]WorkflowInfo{},
	}
}

// memRun is all that is kept of a run.
type memRun struct {
	id, workflow, fingerprint string
	status                    Status // never pending, see shown
	granted                   bool   // an item of it was loaded
	needsOutput, mayUndo      bool
	born                      string   // nonce of the start
	controls                  []string // nonces of the last controls, the newest last
	labels                    map[string]string
	trace                     string
	started, ended            time.Time
	deadline                  time.Time // zero for none
	timer                     *memTimer // of the deadline
	cause                     string
	failure                   memRecord // what it failed of, without data if that was no error
	counts                    Counts
	ends                      int64 // tokens that ended
	holds                     []memHold
	tokens                    map[string]*memToken
	frames                    map[string]*memFrame
	closed                    int // frames that fired and have branches left
	signals                   memSignals
	undos                     []Undo // what would undo it, the last done last
	undoing                   bool   // it has begun to undo, once and for all
	purging                   string // what Settle drops all its tokens for, "" if it does not
	restart                   memVisit
	restarts                  int64
	visits                    map[string]memVisit // the last of each node
	snapshot                  []byte
	folded                    int64    // deltas that the snapshot stands for
	state                     [][]byte // the deltas after them
	outputs                   [][]byte
	history, errors           []memRecord
}

// shown is the status as callers see it.
func (r *memRun) shown() Status {
	if r.status == StatusRunning && !r.granted {
		return StatusPending
	}
	return r.status
}

// memToken is one token: the record that queue entries and timers point to.
type memToken struct {
	run                    *memRun
	id, node, queue, owner string
	place                  TokenPlace // never PlaceLeased: that is queued with an owner
	step, attempt, crashes int
	bounces                int // hand-backs because of an unknown node
	failed                 bool
	retried                int       // how often the run was retried after it had failed of the item
	since                  time.Time // when the first attempt began, zero before it failed
	input                  []byte
	answer                 *Answered    // how its wait ended, at the step after it
	joins                  string       // the frame whose join it is at, "" for none
	deposits               []memDeposit // a join's input, in input order
	frame                  string       // it stands in, "" for none
	index                  int          // of its branch in the frame
	scope                  string       // the frame whose scope it stands in, "" for none
	release                *memRelease  // while it releases a large fan-out
	entry                  *memEntry    // while queued
	signal                 string       // while waiting
	timer                  *memTimer    // while delayed, or waiting for so long at most
}

// memRelease is a large fan-out that is being released.
type memRelease struct {
	origin int // step of the item that fanned out: children are named after it
	framed bool
	size   int      // branches in all
	next   int      // chunk that is due, counted from 1
	blobs  [][]byte // released ones are nil
}

// memFrame is a fan-out that waits for its branches.
type memFrame struct {
	id, join, queue, parent string
	parentIndex             int
	live                    int    // branches that have neither arrived nor ended
	quorum                  int    // arrivals that fire the join, 0 for all
	closed                  bool   // the join fired with branches left: they are late
	outside                 string // scope that the fan-out stood in
	carry                   []byte
	deposits                []memDeposit // in order of arrival
}

// memDeposit is what one branch left at its join.
type memDeposit struct {
	index       int
	token, item string // that left it
	payload     []byte
}

// memRecord is one history or error record.
type memRecord struct {
	at   time.Time
	data []byte
}

// lock takes the store, unless the caller has given up.
func (m *Memory) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	return nil
}

// lockRun takes the store and finds a run. With an error it has not taken it.
func (m *Memory) lockRun(ctx context.Context, run string) (*memRun, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	if r := m.runs[run]; r != nil {
		return r, nil
	}
	m.mu.Unlock()
	return nil, ErrNotFound
}
