package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Reclaim implements flox.WorkQueue.
func (s *Store) Reclaim(ctx context.Context, req flox.ReclaimRequest) ([]flox.Entry, error) {
	var mu sync.Mutex
	var taken []flox.Entry
	err := each(len(s.keys.parts)*len(req.Queues), func(i int) error {
		n, queue := i/len(req.Queues), req.Queues[i%len(req.Queues)]
		if none, err := s.nothingClaimed(ctx, n, queue, req.Lease); none || err != nil {
			return err
		}
		expired, err := s.pending(ctx, n, queue, req.Lease, req.Max, "")
		if err != nil {
			return fmt.Errorf("look for lost leases of queue %s: %w", queue, err)
		}
		var errs []error
		for _, e := range expired {
			e.Consumer = req.Consumer
			mu.Lock()
			full := len(taken) >= req.Max
			mu.Unlock()
			if full || ctx.Err() != nil {
				break
			}
			crashes, ok, err := s.reclaim(ctx, n, e, req)
			e.Crashes = crashes
			if err != nil { // the others' leases need not wait for this one's
				errs = append(errs, err)
			}
			if ok {
				mu.Lock()
				taken = append(taken, e)
				mu.Unlock()
			}
		}
		return errors.Join(errs...)
	})
	return taken, err
}

// nothingClaimed says whether no lease of a queue can have run out: less than a lease
// ago nobody had claimed anything of it. So an idle queue is seldom looked at.
func (s *Store) nothingClaimed(ctx context.Context, n int, queue string, lease time.Duration) (bool, error) {
	stream := s.keys.parts[n].queue(queue)
	if seen, ok := s.unleased.Load(stream); ok && time.Since(seen.(time.Time)) < lease {
		return true, nil
	}
	asked := time.Now()
	reply, err := s.command(ctx, n, "XPENDING", stream, group)
	if err != nil {
		return false, fmt.Errorf("look for leases of queue %s: %w", queue, err)
	}
	if integer(list(reply), 0) > 0 {
		return false, nil
	}
	s.unleased.Store(stream, asked)
	return true, nil
}

// reclaim takes one of them, if it has still expired and is no stray, and says how
// often its item was started and lost.
func (s *Store) reclaim(ctx context.Context, n int, e flox.Entry, req flox.ReclaimRequest) (crashes int, ok bool, err error) {
	p := s.keys.parts[n]
	reply, err := s.script(ctx, n, scriptReclaim, []string{p.run(e.Run), p.queue(e.Queue)},
		e.Run, e.Token, e.ID, e.Queue, req.Consumer, req.Lease.Milliseconds())
	if err != nil {
		return 0, false, fmt.Errorf("reclaim token %s of run %s: %w", e.Token, e.Run, err)
	}
	taken := list(reply)
	if taken == nil {
		return 0, false, nil
	}
	return int(integer(taken, 1)), true, nil
}
