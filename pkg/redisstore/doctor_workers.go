package redisstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// workerBeat is a worker as its record says.
type workerBeat struct {
	flox.WorkerInfo
	unreadable bool
}

// beats looks at the workers, and at when they were last seen.
func (e *examiner) beats(ctx context.Context) error {
	home, key := e.s.keys.home(), e.s.keys.workers()
	reply, err := e.s.script(ctx, home, scriptAhead, []string{key}, e.mend)
	if err == errSpoilt {
		return e.wrongTypeOf(ctx, home, key, "zset")
	}
	if err != nil {
		return err
	}
	ahead := list(reply)
	for i := 0; i+1 < len(ahead); i += 2 {
		e.fixable(Finding{Kind: "clock-backwards", Severity: SeverityWarning, Subject: "worker " + text(ahead, i),
			Detail: fmt.Sprintf("it was last seen %v from now: the server's clock was set back, and it would seem to be alive until then",
				time.Duration(integer(ahead, i+1))*time.Millisecond),
			Fix: "let it have been seen now"})
	}
	if err := e.readWorkers(ctx, key); err != nil {
		return err
	}
	for _, w := range e.workers {
		if err := e.worker(ctx, w); err != nil {
			return err
		}
	}
	e.versions()
	return nil
}

// readWorkers reads all workers, however long they were silent.
func (e *examiner) readWorkers(ctx context.Context, key string) error {
	now, err := e.s.now(ctx)
	if err != nil {
		return err
	}
	reply, err := e.s.command(ctx, e.s.keys.home(), "ZRANGE", key, 0, -1, "WITHSCORES")
	if err != nil {
		return err
	}
	r := list(reply)
	for i := 0; i+1 < len(r); i += 2 {
		ms, _ := strconv.ParseFloat(text(r, i+1), 64)
		info, err := e.s.worker(ctx, text(r, i))
		if err != nil && ctx.Err() == nil && !transient(err) {
			info, err = flox.WorkerInfo{}, nil
		}
		if err != nil {
			return err
		}
		w := workerBeat{WorkerInfo: info, unreadable: info.Name == ""}
		w.ID, w.Age = text(r, i), max(0, now.Sub(millis(int64(ms))))
		e.workers = append(e.workers, w)
	}
	return nil
}

func (e *examiner) worker(ctx context.Context, w workerBeat) error {
	subject := "worker " + w.ID
	if w.Age >= workerDead {
		f := Finding{Kind: "worker-dead", Severity: SeverityInfo, Subject: subject,
			Detail: fmt.Sprintf("it was last seen %v ago, and has not said that it leaves", w.Age.Round(time.Second)), Fix: "forget it"}
		if e.cfg.Fix {
			if err := e.s.remove(ctx, w.WorkerInfo, workerDead); err != nil {
				return err
			}
			f.Mended = true
		}
		e.report(f)
		return nil
	}
	if w.unreadable {
		e.report(Finding{Kind: "unreadable-record", Severity: SeverityWarning, Subject: subject,
			Detail: "its record is lost or not what flox has written; it writes it again within seconds, if it is alive"})
	}
	return nil
}

// workerRecord looks at a worker's record that the list may not have.
func (e *examiner) workerRecord(ctx context.Context, id string) error {
	home, keys := e.s.keys.home(), []string{e.s.keys.workers(), e.s.keys.worker(id)}
	beat, err := e.s.command(ctx, home, "ZSCORE", keys[0], id)
	if err != nil && !spoilt(err) || beat != nil {
		return err
	}
	f := Finding{Kind: "worker-dead", Severity: SeverityInfo, Subject: "worker " + id,
		Detail: "there is a record of it, but not when it was last seen", Fix: "forget it"}
	if e.cfg.Fix {
		gone, err := e.asked(ctx, home, scriptLeave, keys, id, workerDead.Milliseconds())
		if err != nil {
			return err
		}
		f.Mended = gone == 1
	}
	e.report(f)
	return nil
}

// versions says it if workers are of several versions.
func (e *examiner) versions() {
	count := map[string]int{}
	for _, w := range e.workers {
		if w.Age < workerAlive && !w.unreadable {
			count[w.Version]++
		}
	}
	if len(count) < 2 {
		return
	}
	var all []string
	for _, version := range slices.Sorted(maps.Keys(count)) {
		all = append(all, fmt.Sprintf("%s (%d)", version, count[version]))
	}
	e.report(Finding{Kind: "versions-differ", Severity: SeverityInfo, Subject: "workers",
		Detail: "those that are alive have versions " + strings.Join(all, ", ")})
}

// alive reports whether a worker was seen lately.
func (e *examiner) alive(id string) bool {
	return slices.ContainsFunc(e.workers, func(w workerBeat) bool { return w.ID == id && w.Age < workerAlive })
}

// present reports whether a worker may still be there.
func (e *examiner) present(id string) bool {
	return slices.ContainsFunc(e.workers, func(w workerBeat) bool { return w.ID == id && w.Age < workerDead })
}

// serves reports whether a worker that is alive takes from a queue.
func (e *examiner) serves(queue string) bool {
	return slices.ContainsFunc(e.workers, func(w workerBeat) bool {
		return w.Age < workerAlive && !w.Draining && slices.Contains(w.Queues, queue)
	})
}

// shared looks for ids that two processes use: the worker is another one than it
// was when the examination began.
func (e *examiner) shared(ctx context.Context) error {
	for _, w := range e.workers {
		if w.unreadable || w.Age >= workerAlive {
			continue
		}
		now, err := e.s.worker(ctx, w.ID)
		if err != nil {
			return err
		}
		if now.Name != "" && (now.PID != w.PID || !now.Started.Equal(w.Started)) {
			e.report(Finding{Kind: "worker-id-shared", Severity: SeverityError, Subject: "worker " + w.ID,
				Detail: fmt.Sprintf("two processes use this id (pids %d and %d): one was copied with its memory; stop one of them", w.PID, now.PID)})
		}
	}
	return nil
}
