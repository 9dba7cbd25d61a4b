package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// DestroyConfig says how Destroy goes about it. Its zero value works.
type DestroyConfig struct {
	// Force also removes runs that have not ended.
	Force bool
	// Progress is told how many keys were removed. Default: nobody is.
	Progress func(keys int)
}

// InUseError says why a namespace is not removed: it is in use.
type InUseError struct {
	Namespace string
	Worker    string // one that is alive, "" if none is
	Active    int64  // runs that have not ended
}

func (e *InUseError) Error() string {
	if e.Worker != "" {
		return fmt.Sprintf("namespace %s: worker %s is alive; stop the workers first", e.Namespace, e.Worker)
	}
	return fmt.Sprintf("namespace %s: %s not ended; cancel or export them first, or force it", e.Namespace, runsHave(e.Active))
}

func runsHave(n int64) string {
	if n == 1 {
		return "1 run has"
	}
	return fmt.Sprintf("%d runs have", n)
}

// Is reports that the error is an ErrRefused.
func (e *InUseError) Is(target error) bool { return target == flox.ErrRefused }

// destroyPart is how many keys one command removes.
const destroyPart = 200

// destroyPasses is how often the keys are gone through: what was added during one
// pass is found by the next.
const destroyPasses = 5

// Destroy removes the namespace with all its keys, and returns how many there
// were. Repeated after an interruption it removes what is left: the configuration
// goes last. An *InUseError while a worker is alive, or runs are active and
// Force is not set; flox.ErrNotFound if there is nothing of that name.
func (s *Store) Destroy(ctx context.Context, cfg DestroyConfig) (int, error) {
	removed, err := s.destroy(ctx, cfg)
	if err != nil {
		return removed, fmt.Errorf("delete namespace %s: %w", s.keys.ns, err)
	}
	return removed, nil
}

func (s *Store) destroy(ctx context.Context, cfg DestroyConfig) (int, error) {
	if err := s.unused(ctx, cfg.Force); err != nil {
		return 0, err
	}
	removed := 0
	for before, pass := -1, 0; before != removed && pass < destroyPasses; pass++ {
		before = removed
		err := s.eachPage(ctx, func(keys []string, places []place) error {
			n, err := s.unlink(ctx, keys, places)
			removed += n
			if cfg.Progress != nil {
				cfg.Progress(removed)
			}
			return err
		})
		if err != nil {
			return removed, err
		}
	}
	last, err := s.client.Unlink(ctx, s.keys.config()).Result()
	if err != nil {
		return removed, s.explain(err)
	}
	if removed += int(last); removed == 0 {
		return 0, flox.ErrNotFound
	}
	return removed, nil
}

// unlink removes keys but the configuration.
func (s *Store) unlink(ctx context.Context, keys []string, places []place) (int, error) {
	removed := 0
	for len(keys) > 0 {
		pipe := s.client.Pipeline()
		var replies []*redis.IntCmd
		for i := range min(len(keys), destroyPart) {
			if places[i].kind != kindConfig {
				replies = append(replies, pipe.Unlink(ctx, keys[i]))
			}
		}
		n := min(len(keys), destroyPart)
		keys, places = keys[n:], places[n:]
		if len(replies) == 0 {
			continue
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return removed, s.explain(err)
		}
		for _, reply := range replies {
			removed += int(reply.Val())
		}
	}
	return removed, nil
}

// unused refuses while somebody uses the namespace. What cannot be read because
// the namespace is broken does not keep it from being removed.
func (s *Store) unused(ctx context.Context, force bool) error {
	e := &examiner{s: s}
	if err := e.readWorkers(ctx, s.keys.workers()); err != nil && !spoilt(err) {
		return err
	}
	for _, w := range e.workers {
		if w.Age < workerDead {
			return &InUseError{Namespace: s.keys.ns, Worker: w.ID}
		}
	}
	if force || s.unfit != nil {
		return nil
	}
	var info NamespaceInfo
	if err := s.countNamespace(ctx, s.keys, &info); err != nil && !spoilt(err) {
		return err
	}
	if info.Active > 0 {
		return &InUseError{Namespace: s.keys.ns, Active: info.Active}
	}
	return nil
}
