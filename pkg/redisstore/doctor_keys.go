package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// keyKind is what a key is for.
type keyKind string

const (
	kindConfig    keyKind = "config"
	kindWorkflows keyKind = "workflows"
	kindWorkers   keyKind = "workers" // the list of them, and each one's record
	kindRun       keyKind = "run"
	kindState     keyKind = "state"
	kindHistory   keyKind = "history"
	kindErrors    keyKind = "errors"
	kindQueue     keyKind = "queue"
	kindIndex     keyKind = "indexes"
	kindTimers    keyKind = "delayed"
	kindStats     keyKind = "stats"
	kindForeign   keyKind = "foreign" // flox keeps nothing there
)

// place is what a key's name says.
type place struct {
	kind keyKind
	part int    // partition; -1 for the keys of the namespace itself
	name string // the run, queue or worker
}

// place reads the name of a key. ok is false if it is not of this namespace.
func (k keyspace) place(key string) (pl place, ok bool) {
	rest, ok := strings.CutPrefix(key, "flox:{"+k.ns)
	tag, rest, closed := strings.Cut(rest, "}:")
	if !ok || !closed {
		return place{}, false
	}
	if tag == "" {
		return k.homePlace(rest), true
	}
	number, ok := strings.CutPrefix(tag, ":")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 || strconv.Itoa(n) != number {
		return place{}, false
	}
	if n >= len(k.parts) {
		return place{kindForeign, n, rest}, true
	}
	return k.parts[n].place(n, key), true
}

func (k keyspace) homePlace(rest string) place {
	switch kind, name, _ := strings.Cut(rest, ":"); {
	case rest == "config":
		return place{kindConfig, -1, ""}
	case rest == "workflows":
		return place{kindWorkflows, -1, ""}
	case rest == "workers":
		return place{kindWorkers, -1, ""}
	case kind == "worker" && name != "":
		return place{kindWorkers, -1, name}
	}
	return place{kindForeign, -1, rest}
}

func (p partition) place(n int, key string) place {
	rest := strings.TrimPrefix(key, p.prefix)
	switch key {
	case p.delayed():
		return place{kindTimers, n, ""}
	case p.stats():
		return place{kindStats, n, ""}
	case p.todo(), p.active(), p.completed(), p.failed(), p.cancelled():
		return place{kindIndex, n, rest}
	}
	kind, name, _ := strings.Cut(rest, ":")
	switch k := keyKind(kind); k {
	case kindRun, kindState, kindHistory, kindErrors, kindQueue:
		if flox.CheckName("name", name) == nil {
			return place{k, n, name}
		}
	}
	return place{kindForeign, n, rest}
}

// scanKeys is about how many keys one SCAN reads.
const scanKeys = 1000

// masters are the clients of all masters.
func (s *Store) masters(ctx context.Context) ([]*redis.Client, error) {
	var mu sync.Mutex
	var all []*redis.Client
	err := s.servers(ctx, func(_ context.Context, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, c)
		return nil
	})
	return all, err
}

// eachPage goes through the namespace's keys, of every master, in parts. A key may
// come twice. A name has no character that a pattern gives a meaning.
func (s *Store) eachPage(ctx context.Context, f func(keys []string, places []place) error) error {
	return s.scanAll(ctx, "flox:{"+s.keys.ns+"*", func(found []string) error {
		var keys []string
		var places []place
		for _, key := range found {
			if pl, ok := s.keys.place(key); ok {
				keys, places = append(keys, key), append(places, pl)
			}
		}
		return f(keys, places)
	})
}

// scanAll goes through the keys of every master that match a pattern.
func (s *Store) scanAll(ctx context.Context, pattern string, f func(keys []string) error) error {
	masters, err := s.masters(ctx)
	if err != nil {
		return s.explain(err)
	}
	for _, c := range masters {
		for cursor := uint64(0); ; {
			keys, next, err := s.scanSome(ctx, c, cursor, pattern)
			if err != nil {
				return err
			}
			if err := f(keys); err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				break
			}
		}
	}
	return nil
}

// scanSome is one SCAN, tried again while the trouble may pass by itself.
func (s *Store) scanSome(ctx context.Context, c *redis.Client, cursor uint64, pattern string) ([]string, uint64, error) {
	for attempt := 1; ; attempt++ {
		keys, next, err := c.Scan(ctx, cursor, pattern, scanKeys).Result()
		if err == nil {
			return keys, next, nil
		}
		if attempt == openAttempts || !transient(err) || s.pause(ctx, attempt+1) != nil {
			return nil, 0, s.explain(err)
		}
	}
}

// everyKey looks at every key of the namespace.
func (e *examiner) everyKey(ctx context.Context) error {
	seen := 0
	return e.s.eachPage(ctx, func(keys []string, places []place) error {
		err := each(len(keys), func(i int) error { return e.key(ctx, keys[i], places[i]) })
		if err != nil {
			return err
		}
		seen += len(keys)
		return e.progress("keys", seen)
	})
}

func (e *examiner) key(ctx context.Context, key string, pl place) error {
	switch pl.kind {
	case kindRun:
		return e.run(ctx, key, pl)
	case kindState, kindHistory, kindErrors:
		return e.leftover(ctx, key, pl)
	case kindQueue:
		e.addQueue(queueKey{pl.part, pl.name})
		return nil
	case kindForeign:
		e.foreign(key, pl)
		return nil
	case kindWorkers:
		if pl.name != "" {
			return e.workerRecord(ctx, pl.name)
		}
	}
	return nil
}

func (e *examiner) foreign(key string, pl place) {
	detail := "flox keeps nothing under that name: remove it, if it is not another program's"
	if pl.part >= len(e.s.keys.parts) {
		detail = fmt.Sprintf("the namespace has %d partitions, so that nothing looks there: the number was changed, or the key put there", len(e.s.keys.parts))
	}
	e.report(Finding{Kind: "foreign-key", Severity: SeverityWarning, Subject: "key " + key, Detail: detail})
}

// leftover looks at a key that belongs to a run.
func (e *examiner) leftover(ctx context.Context, key string, pl place) error {
	want := "list"
	if pl.kind == kindErrors {
		want = "hash"
	}
	p := e.s.keys.parts[pl.part]
	reply, err := e.s.script(ctx, pl.part, scriptLeftover, []string{key, p.run(pl.name)}, want, e.mend)
	if err != nil {
		return err
	}
	r := list(reply)
	switch got := text(r, 1); {
	case integer(r, 0) == 1:
		e.fixable(Finding{Kind: "left-over-key", Severity: SeverityWarning, Subject: "key " + key,
			Detail: fmt.Sprintf("it is the %s of run %s, which is not there", pl.kind, pl.name), Fix: "remove the key"})
	case got != want && got != "none":
		e.wrongType(key, got, want)
	}
	return nil
}

// wrongType reports a key that something else has written.
func (e *examiner) wrongType(key, got, want string) {
	e.report(Finding{Kind: "wrong-type", Severity: SeverityError, Subject: "key " + key,
		Detail: fmt.Sprintf("it is a %s, flox keeps a %s there: something else has written it", got, want)})
}
