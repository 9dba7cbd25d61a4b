package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// workerMemory is how long a worker that was not seen is remembered.
const workerMemory = 24 * time.Hour

// fullBeat is how often a worker says what it does though that has not changed, and
// looks for others to forget.
const fullBeat = time.Minute

// lastBeat is what a worker said with its last full beat.
type lastBeat struct {
	said string
	at   time.Time
}

// Beat implements flox.LivenessStore. A worker that does what it did when it last
// said so only says that it is there. If it is not known any more, neither are the
// workflows that were registered here.
func (s *Store) Beat(ctx context.Context, w flox.WorkerInfo) error {
	said := string(flox.EncodeRecord(w))
	last, again := s.beats.Load(w.ID)
	if again && last.(lastBeat).said == said && time.Since(last.(lastBeat).at) < fullBeat {
		if known, _, err := s.beat(ctx, w.ID, ""); known || err != nil {
			return err
		}
	}
	began := time.Now()
	known, old, err := s.beat(ctx, w.ID, said)
	if err != nil {
		return err
	}
	s.beats.Store(w.ID, lastBeat{said, began})
	if again && !known {
		if err := s.registerAgain(ctx); err != nil {
			return err
		}
	}
	for i := range old {
		if err := s.forget(ctx, text(old, i)); err != nil {
			return fmt.Errorf("forget worker %s: %w", text(old, i), err)
		}
	}
	return nil
}

// beat says whether the worker was known and, if it says something, who is to be
// forgotten.
func (s *Store) beat(ctx context.Context, id, said string) (known bool, old []any, err error) {
	reply, err := s.script(ctx, s.keys.home(), scriptBeat, []string{s.keys.workers(), s.keys.worker(id)},
		id, said, workerMemory.Milliseconds())
	if err != nil {
		return false, nil, fmt.Errorf("beat of worker %s: %w", id, err)
	}
	r := list(reply)
	if len(r) < 2 {
		return true, nil, nil
	}
	return integer(r, 0) == 0, list(r[1]), nil
}

func (s *Store) registerAgain(ctx context.Context) (err error) {
	s.registered.Range(func(_, info any) bool {
		err = s.Register(ctx, info.(flox.WorkflowInfo))
		return err == nil
	})
	return err
}

// forget removes what is left of a worker that died long ago.
func (s *Store) forget(ctx context.Context, id string) error {
	w, err := s.worker(ctx, id)
	if err != nil && !unreadable(err) {
		return err
	}
	return s.remove(ctx, w, workerMemory)
}

// remove forgets a worker that was silent for a while, and its consumers: each
// in a script that sees that nothing is pending with it.
func (s *Store) remove(ctx context.Context, w flox.WorkerInfo, silent time.Duration) error {
	s.beats.Delete(w.ID)
	reply, err := s.script(ctx, s.keys.home(), scriptLeave, []string{s.keys.workers(), s.keys.worker(w.ID)},
		w.ID, silent.Milliseconds())
	if err != nil || integer([]any{reply}, 0) == 0 || len(w.Queues) == 0 {
		return err
	}
	return each(len(s.keys.parts)*len(w.Queues), func(i int) error {
		n, queue := i/len(w.Queues), w.Queues[i%len(w.Queues)]
		_, err := s.script(ctx, n, scriptConsumer, []string{s.keys.parts[n].queue(queue)}, w.ID)
		return err
	})
}

// worker reads one worker's record; ID alone is set if it has none. So it is with
// an error that says that the record is unreadable.
func (s *Store) worker(ctx context.Context, id string) (flox.WorkerInfo, error) {
	reply, err := s.command(ctx, s.keys.home(), "HGET", s.keys.worker(id), "info")
	if err != nil {
		return flox.WorkerInfo{ID: id}, err
	}
	w := flox.WorkerInfo{ID: id}
	if raw := blob([]any{reply}, 0); raw != nil {
		if err := flox.DecodeRecord(raw, &w); err != nil {
			return flox.WorkerInfo{ID: id}, fmt.Errorf("record of worker %s: %w: %w", id, errDecode, err)
		}
	}
	return w, nil
}

// unreadable reports whether what was read is not what flox wrote. A list of many
// shows of such a one what it can.
func unreadable(err error) bool { return errors.Is(err, errDecode) || errors.Is(err, errSpoilt) }

// Workers implements flox.LivenessStore.
func (s *Store) Workers(ctx context.Context) ([]flox.WorkerInfo, error) {
	reply, err := s.script(ctx, s.keys.home(), scriptAlive, []string{s.keys.workers()}, workerMemory.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("workers: %w", err)
	}
	r := list(reply)
	workers := make([]flox.WorkerInfo, len(r)/2)
	err = each(len(workers), func(i int) error {
		w, err := s.worker(ctx, text(r, 2*i))
		w.Age = time.Duration(integer(r, 2*i+1)) * time.Millisecond
		workers[i] = w
		if unreadable(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("workers: %w", err)
	}
	slices.SortFunc(workers, func(a, b flox.WorkerInfo) int { return cmp.Compare(a.ID, b.ID) })
	return workers, nil
}

// Register implements flox.LivenessStore. Workers repeat it: it also brings back
// what the namespace is and its queues, should the server have lost everything.
func (s *Store) Register(ctx context.Context, w flox.WorkflowInfo) error {
	if err := s.configure(ctx, scriptRegister); err != nil {
		return err
	}
	queues := distinct(append([]string{w.StartQueue}, w.Queues...))
	err := each(len(s.keys.parts)*len(queues), func(i int) error {
		n, queue := i/len(queues), queues[i%len(queues)]
		return s.makeGroup(ctx, n, s.keys.parts[n].queue(queue))
	})
	if err != nil {
		return err
	}
	_, err = s.script(ctx, s.keys.home(), scriptRegister, []string{s.keys.workflows()}, w.Name, flox.EncodeRecord(w))
	if err == nil {
		s.registered.Store(w.Name, w)
	}
	return err
}
