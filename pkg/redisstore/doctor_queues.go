package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// queueKey is a queue in one partition.
type queueKey struct {
	part int
	name string
}

// queuePart is how many entries of a stream are read at once.
const queuePart = 500

// idleLeases is how many leases long a consumer is silent before it is taken for
// one that its worker has left behind.
const idleLeases = 6

func (e *examiner) addQueue(q queueKey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q.name != "" && !slices.Contains(e.queues, q) {
		e.queues = append(e.queues, q)
	}
}

// streams looks at every queue that a key or a workflow names.
func (e *examiner) streams(ctx context.Context) error {
	for _, w := range e.workflows {
		for n := range e.s.keys.parts {
			for _, name := range append([]string{w.StartQueue}, w.Queues...) {
				e.addQueue(queueKey{n, name})
			}
		}
	}
	for i, q := range e.queues {
		if err := e.stream(ctx, q); err != nil {
			return err
		}
		if err := e.progress("queues", i+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *examiner) stream(ctx context.Context, q queueKey) error {
	key := e.s.keys.parts[q.part].queue(q.name)
	kind, err := e.s.command(ctx, q.part, "TYPE", key)
	if err != nil {
		return err
	}
	switch got := text([]any{kind}, 0); got {
	case "none": // made with the first entry, or by a worker
		return nil
	case "stream":
	default:
		e.wrongType(key, got, "stream")
		return nil
	}
	grouped, err := e.group(ctx, q, key)
	if err != nil {
		return err
	}
	if err := e.strays(ctx, q, key); err != nil {
		return err
	}
	if err := e.unserved(ctx, q, key); err != nil || !grouped {
		return err
	}
	if err := e.leases(ctx, q, key); err != nil {
		return err
	}
	return e.consumers(ctx, q, key)
}

// group looks whether a stream has its group, and reports whether it has now.
func (e *examiner) group(ctx context.Context, q queueKey, key string) (bool, error) {
	reply, err := e.s.command(ctx, q.part, "XINFO", "GROUPS", key)
	if err != nil {
		return false, err
	}
	for _, g := range list(reply) {
		if pairsOf(g)["name"] == group {
			return true, nil
		}
	}
	length, err := e.s.command(ctx, q.part, "XLEN", key)
	if err != nil || integer([]any{length}, 0) == 0 {
		return false, err // nobody has needed it yet
	}
	f := Finding{Kind: "queue-without-group", Severity: SeverityWarning, Subject: "queue " + q.name,
		Detail: fmt.Sprintf("key %s has no consumer group: it was removed, or no worker has come yet", key), Fix: "make the group"}
	if e.cfg.Fix {
		if err := e.s.makeGroup(ctx, q.part, key); err != nil {
			return false, err
		}
	}
	e.fixable(f)
	return e.cfg.Fix, nil
}

// pairsOf reads a reply of names and values.
func pairsOf(reply any) map[string]string {
	l, pairs := list(reply), map[string]string{}
	for i := 0; i+1 < len(l); i += 2 {
		pairs[text(l, i)] = fmt.Sprint(l[i+1])
	}
	return pairs
}

// strays looks for entries that point to nothing.
func (e *examiner) strays(ctx context.Context, q queueKey, key string) error {
	p := e.s.keys.parts[q.part]
	for from := "-"; ; {
		reply, err := e.s.command(ctx, q.part, "XRANGE", key, from, "+", "COUNT", queuePart)
		if err != nil {
			return err
		}
		entries := list(reply)
		err = each(len(entries), func(i int) error {
			id, values := entry(entries[i])
			run, token := values["r"], values["t"]
			found, err := e.asked(ctx, q.part, scriptStray, []string{p.run(run), key}, token, id, q.name, e.mend)
			if found == 1 {
				e.fixable(Finding{Kind: "entry-without-token", Severity: SeverityWarning, Subject: "queue " + q.name,
					Detail: fmt.Sprintf("entry %s points to token %s of run %s, which is not there or stands elsewhere", id, token, run),
					Fix:    "remove the entry"})
			}
			return err
		})
		if err != nil {
			return err
		}
		if len(entries) < queuePart {
			return nil
		}
		last, _ := entry(entries[len(entries)-1])
		from = "(" + last
		if err := e.flush(); err != nil {
			return err
		}
	}
}

// entry reads one entry of XRANGE.
func entry(reply any) (id string, values map[string]string) {
	l := list(reply)
	if len(l) < 2 {
		return "", nil
	}
	return text(l, 0), pairsOf(l[1])
}

// unserved looks whether somebody takes what is in a queue, and whether the clock
// is behind the entries in it.
func (e *examiner) unserved(ctx context.Context, q queueKey, key string) error {
	reply, err := e.s.command(ctx, q.part, "XINFO", "STREAM", key)
	if err != nil {
		return err
	}
	info := pairsOf(reply)
	now, err := e.s.now(ctx)
	if err != nil {
		return err
	}
	last, _, _ := strings.Cut(info["last-generated-id"], "-")
	if ahead := millis(integer([]any{last}, 0)).Sub(now); ahead > time.Second {
		e.report(Finding{Kind: "clock-backwards", Severity: SeverityWarning, Subject: "queue " + q.name,
			Detail: fmt.Sprintf("the newest entry of key %s is of %v ahead of the server's clock: it was set back, and timers are late by that; "+
				"leases that begin in the future are named by themselves", key, ahead.Round(time.Second))})
	}
	if info["length"] != "0" && !e.serves(q.name) {
		e.unservedQueue(q, key, info["length"])
	}
	return nil
}

func (e *examiner) unservedQueue(q queueKey, key, length string) {
	why := "start a worker that has its workflow"
	if !slices.ContainsFunc(e.workflows, func(w flox.WorkflowInfo) bool { return slices.Contains(w.Queues, q.name) || w.StartQueue == q.name }) {
		why = "no registered workflow has it: start a worker with the version that had it, or with --queues " + q.name
	}
	e.report(Finding{Kind: "queue-unserved", Severity: SeverityWarning, Subject: "queue " + q.name,
		Detail: fmt.Sprintf("%s entries wait in key %s, and no worker that is alive takes from this queue: %s", length, key, why)})
}

// consumers looks for those that their workers have left behind.
func (e *examiner) consumers(ctx context.Context, q queueKey, key string) error {
	reply, err := e.s.command(ctx, q.part, "XINFO", "CONSUMERS", key, group)
	if err != nil {
		if strings.Contains(err.Error(), "NOGROUP") || errors.Is(err, errSpoilt) {
			return nil
		}
		return err
	}
	for _, c := range list(reply) {
		info := pairsOf(c)
		idle := time.Duration(integer([]any{info["idle"]}, 0)) * time.Millisecond
		if info["pending"] != "0" || idle < idleLeases*e.cfg.Lease || e.present(info["name"]) {
			continue
		}
		f := Finding{Kind: "consumer-left", Severity: SeverityInfo, Subject: "queue " + q.name,
			Detail: fmt.Sprintf("consumer %s of key %s has nothing, and its worker is gone", info["name"], key), Fix: "remove the consumer"}
		if e.cfg.Fix {
			gone, err := e.asked(ctx, q.part, scriptConsumer, []string{key}, info["name"])
			if err != nil {
				return err
			}
			f.Mended = gone == 1
		}
		e.report(f)
	}
	return nil
}
