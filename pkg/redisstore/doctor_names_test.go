package redisstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/redisstore"
)

// wounds are the damages that are named and left alone.
var wounds = []struct {
	name    string
	damage  func(w *ward)
	kind    string
	subject string // a part of it
}{
	{"a run's key of a wrong type", func(w *ward) { w.do("SET", w.key("run", "done"), "x") }, "wrong-type", "run:done"},
	{"a state of a wrong type", func(w *ward) { w.do("SET", w.key("state", "asks"), "x") }, "wrong-type", "state:asks"},
	{"errors of a wrong type", func(w *ward) { w.do("SET", w.key("errors", "failed"), "x") }, "wrong-type", "errors:failed"},
	{"a history of a wrong type", func(w *ward) { w.do("SET", w.key("history", "done"), "x") }, "wrong-type", "history:done"},
	{"an index of a wrong type", func(w *ward) { w.do("SET", w.key("runs:failed", ""), "x") }, "wrong-type", "runs:failed"},
	{"timers of a wrong type", func(w *ward) { w.do("SET", w.key("delayed", ""), "x") }, "wrong-type", "delayed"},
	{"marks of a wrong type", func(w *ward) { w.do("SET", w.key("runs:todo", ""), "x") }, "wrong-type", "runs:todo"},
	{"counts of a wrong type", func(w *ward) { w.do("SET", w.key("stats", ""), "x") }, "wrong-type", "stats"},
	{"a queue of a wrong type", func(w *ward) { w.do("SET", w.key("queue:sum", ""), "x") }, "wrong-type", "queue:sum"},
	{"workers of a wrong type", func(w *ward) { w.do("SET", w.home("workers"), "x") }, "wrong-type", "workers"},
	{"workflows of a wrong type", func(w *ward) { w.do("SET", w.home("workflows"), "x") }, "wrong-type", "workflows"},
	{"a left over key of a wrong type", func(w *ward) { w.do("SET", w.key("state", "ghost"), "x") }, "wrong-type", "state:ghost"},
	{"a foreign key", func(w *ward) { w.do("SET", w.key("junk", ""), "x") }, "foreign-key", "junk"},
	{"a foreign key beside the partitions", func(w *ward) { w.do("SET", w.home("junk"), "x") }, "foreign-key", "junk"},
	{"a partition too many", func(w *ward) {
		w.do("HSET", fmt.Sprintf("flox:{%s:7}:run:x", w.store.Namespace()), "status", "running")
	}, "foreign-key", ":7}:run:x"},
	{"an unknown status", func(w *ward) { w.do("HSET", w.key("run", "asks"), "status", "runnin") }, "unreadable-record", "run asks"},
	{"a bad counter", func(w *ward) { w.do("HSET", w.key("run", "asks"), "live", "1x") }, "unreadable-record", "run asks"},
	{"an empty counter", func(w *ward) { w.do("HSET", w.key("run", "asks"), "committed", "") }, "unreadable-record", "run asks"},
	{"bad labels", func(w *ward) { w.do("HSET", w.key("run", "asks"), "labels", "{") }, "unreadable-record", "run asks"},
	{"a bad failure", func(w *ward) { w.cut("run", "failed", "failure") }, "unreadable-record", "run failed"},
	{"a bad token", func(w *ward) { w.do("HSET", w.key("run", "fresh"), "t:0", "q|1-1") }, "unreadable-record", "run fresh"},
	{"a bad place", func(w *ward) {
		raw := w.do("HGET", w.key("run", "paused"), "t:0").(string)
		w.do("HSET", w.key("run", "paused"), "t:0", "z"+raw[1:])
	}, "unreadable-record", "run paused"},
	{"a bad input", func(w *ward) { w.cut("run", "fresh", "i:0") }, "unreadable-record", "run fresh"},
	{"a lost input", func(w *ward) { w.do("HDEL", w.key("run", "fresh"), "i:0") }, "unreadable-record", "run fresh"},
	{"a lost input of a failed run", func(w *ward) { w.do("HDEL", w.key("run", "failed"), "i:0") }, "unreadable-record", "run failed"},
	{"a bad output", func(w *ward) { w.cut("run", "done", "o:1") }, "unreadable-record", "run done"},
	{"a bad delta", func(w *ward) { w.do("LSET", w.key("state", "asks"), 0, "\x00\xdd\xff\xff\xff\xff") }, "unreadable-record", "run asks"},
	{"a bad step", func(w *ward) { w.do("HSET", w.key("run", "done"), "h:1", "12|\xff") }, "unreadable-record", "run done"},
	{"a bad step of many", func(w *ward) { w.do("RPUSH", w.key("history", "done"), "12|\xff") }, "unreadable-record", "run done"},
	{"a step with a number of its own", func(w *ward) {
		w.do("HSET", w.key("run", "done"), "h:17", w.do("HGET", w.key("run", "done"), "h:1"))
	}, "unreadable-record", "run done"},
	{"a bad error", func(w *ward) { w.cut("errors", "failed", "0") }, "unreadable-record", "run failed"},
	{"a bad workflow", func(w *ward) { w.do("HSET", w.home("workflows"), "ask", "x") }, "unreadable-record", "workflow ask"},
	{"a lost state", func(w *ward) { w.do("DEL", w.key("state", "asks")) }, "state-lost", "run asks"},
	{"a lost configuration", func(w *ward) { w.do("DEL", w.home("config")) }, "config-lost", "config"},
	{"a clock set back", func(w *ward) {
		ahead := fmt.Sprint(time.Now().Add(time.Hour).UnixMilli(), "-0")
		w.do("XSETID", w.key("queue:sum", ""), ahead)
	}, "clock-backwards", "queue sum"},
}

// cut drops the last byte of a field.
func (w *ward) cut(kind, run, field string) {
	w.t.Helper()
	raw := w.do("HGET", w.key(kind, run), field).(string)
	w.do("HSET", w.key(kind, run), field, raw[:len(raw)-1])
}

// TestDoctorNames damages what nobody can mend: it is named, and left as it is.
func TestDoctorNames(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 1)
	w.admit()
	sound := w.keep()
	for _, wound := range wounds {
		wound.damage(w)
		for _, fix := range []bool{false, true} {
			found := w.examine(redisstore.ExamineConfig{Fix: fix, Deep: true})
			if !slices.ContainsFunc(found, func(f redisstore.Finding) bool {
				return f.Kind == wound.kind && strings.Contains(f.Subject, wound.subject) && f.Fix == "" && f.Problem()
			}) {
				t.Errorf("%s: Examine with Fix %t = %+v, want a %s of %s that is not mended",
					wound.name, fix, found, wound.kind, wound.subject)
			}
		}
		w.restore(sound)
	}
	if found := w.examine(redisstore.ExamineConfig{}); len(found) > 0 {
		t.Errorf("Examine of the restored namespace = %+v, want nothing", found)
	}
}

// every lists all keys of the namespace.
func (w *ward) every() []string {
	return append(w.backend.all(w.t), w.home("config"), w.home("workflows"), w.home("workers"), w.home("junk"))
}

// keep returns what is in every key.
func (w *ward) keep() map[string]string {
	kept := map[string]string{}
	for _, key := range w.every() {
		if dump, _ := w.do("DUMP", key).(string); dump != "" {
			kept[key] = dump
		}
	}
	return kept
}

// restore makes the namespace what it was.
func (w *ward) restore(kept map[string]string) {
	for _, key := range w.every() {
		w.do("DEL", key)
	}
	for key, dump := range kept {
		w.do("RESTORE", key, 0, dump)
	}
}
