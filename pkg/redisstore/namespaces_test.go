package redisstore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func TestNamespaces(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	w := newWard(t, server, 3)
	w.admit()
	w.do("HSET", "flox:{broken}:config", "partitions", "many")
	w.do("SET", "flox:{string}:config", "x")
	w.do("SET", "flox:{not a name}:config", "x")
	all, err := w.store.Namespaces(t.Context())
	w.must(err)
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
		if mine := n.Name == w.store.Namespace(); mine && (n.Partitions != 3 || n.Runs != 7 || n.Active != 4 || n.Workflows != 3 || n.Trouble != "") {
			t.Errorf("namespace = %+v, want 3 partitions, 7 runs, 4 active, 3 workflows", n)
		} else if !mine && n.Trouble == "" {
			t.Errorf("namespace = %+v, want it to say what is wrong", n)
		}
	}
	if want := []string{"broken", "string", w.store.Namespace()}; !slices.Equal(names, want) {
		t.Errorf("Namespaces = %v, want %v", names, want)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 2)
	w.admit()
	w.do("RPUSH", w.key("history", "done"), "x")
	u, err := w.store.Usage(t.Context(), redisstore.UsageConfig{Top: 2})
	w.must(err)
	count := map[string]int64{}
	for _, k := range u.Kinds {
		count[k.Kind] = k.Keys
		if k.Bytes <= 0 || k.Measured != k.Keys {
			t.Errorf("usage of %s = %+v, want all measured", k.Kind, k)
		}
	}
	if u.Runs != 7 || count["run"] != 7 || count["errors"] != 1 || count["history"] != 1 || u.Sampled || len(u.Largest) != 2 ||
		len(u.Workflows) != 3 || u.Average() <= 0 || u.Largest[0].Bytes < u.Largest[1].Bytes {
		t.Errorf("Usage = %+v, want 7 runs of 3 workflows, nothing reckoned", u)
	}
	sampled, err := w.store.Usage(t.Context(), redisstore.UsageConfig{Sample: 2})
	w.must(err)
	var runs int64
	for _, wf := range sampled.Workflows {
		runs += wf.Runs
	}
	if !sampled.Sampled || runs != 7 || sampled.Bytes < u.Bytes/4 || sampled.Bytes > u.Bytes*4 {
		t.Errorf("Usage of a sample = %+v, want it to say so, and about %d bytes", sampled, u.Bytes)
	}
	one, err := w.store.Usage(t.Context(), redisstore.UsageConfig{Run: "done"})
	if err != nil || one.Runs != 1 || len(one.Largest) != 1 || one.Largest[0].Run != "done" {
		t.Errorf("Usage of a run = %+v, %v, want it", one, err)
	}
	of, err := w.store.Usage(t.Context(), redisstore.UsageConfig{Workflow: "sum"})
	if err != nil || of.Runs != 4 || len(of.Workflows) != 1 {
		t.Errorf("Usage of a workflow = %+v, %v, want 4 runs", of, err)
	}
	for _, cfg := range []redisstore.UsageConfig{{Run: "ghost"}} {
		if _, err := w.store.Usage(t.Context(), cfg); !errors.Is(err, flox.ErrNotFound) {
			t.Errorf("Usage(%+v) = %v, want ErrNotFound", cfg, err)
		}
	}
}

// exported returns the records as JSON, and what is broken, by run.
func (w *ward) exported(filter flox.RunFilter) (records []string, broken map[string]int) {
	w.t.Helper()
	broken = map[string]int{}
	cfg := redisstore.ExportConfig{RunFilter: filter, Broken: func(run string, err error) { broken[run]++ }}
	for r, err := range w.store.Export(w.t.Context(), cfg) {
		w.must(err)
		line, err := json.Marshal(r)
		w.must(err)
		if bytes.ContainsRune(line, '\n') {
			w.t.Errorf("record %s is more than one line", line)
		}
		records = append(records, string(line))
	}
	return records, broken
}

func countOf(records []string, parts ...string) int {
	n := 0
	for _, r := range records {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(r, part) }) {
			n++
		}
	}
	return n
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 2)
	w.admit()
	before := w.dump()
	records, broken := w.exported(flox.RunFilter{})
	if !maps.Equal(before, w.dump()) || len(broken) > 0 {
		t.Errorf("Export has changed something, or named %v as broken", broken)
	}
	for want, parts := range map[int][][]string{
		0: {{`"duration":`}, {`"retention":`}}, // in nanoseconds
		1: {
			{`"kind":"history"`, `"run":"failed"`, `"tookMs":`},
			{`"kind":"namespace"`, `"partitions":2`}, {`"kind":"output"`, `"run":"done"`, `"number":1`, `"value":6`},
			{`"kind":"input"`, `"run":"fresh"`, `"token":"0"`, `"value":1`}, {`"kind":"error"`, `"run":"failed"`, `not yet`},
			{`"kind":"state"`, `"run":"failed"`, `"number":1`, `"sum":1`}, {`"kind":"run"`, `"id":"asks"`, `"team":"a"`},
			{`"kind":"token"`, `"run":"asks"`, `"place":"waiting"`}, {`"kind":"workflow"`, `"name":"sum"`, `"graph":{`},
		},
		3: {{`"kind":"workflow"`, `"retentionMs":{"cancelled":604800000,`}, {`"kind":"state"`, `"run":"done"`}},
		7: {{`"kind":"run"`}},
	} {
		for _, p := range parts {
			if got := countOf(records, p...); got != want {
				t.Errorf("records with %v = %d, want %d of\n%s", p, got, want, strings.Join(records, "\n"))
			}
		}
	}
	some, _ := w.exported(flox.RunFilter{Workflow: "sum", Statuses: []flox.Status{flox.StatusCompleted}})
	if countOf(some, `"kind":"run"`) != 1 || countOf(some, `"run":"done"`) == 0 || countOf(some, `"kind":"workflow"`) != 1 {
		t.Errorf("Export of completed runs of sum = %v, want one run", some)
	}
	old, _ := w.exported(flox.RunFilter{OlderThan: time.Hour})
	if countOf(old, `"kind":"run"`) != 0 {
		t.Errorf("Export of old runs = %v, want none", old)
	}
}

// A run that is broken is exported as far as it can be read, and so are the others.
func TestExportOfBrokenRuns(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 1)
	w.admit()
	w.cut("run", "failed", "failure")
	w.do("HSET", w.key("run", "failed"), "i:0", "\x00\xdd\xff\xff\xff\xff")
	w.do("LSET", w.key("state", "done"), 1, "\x00\xc1")
	w.do("SET", w.key("run", "fresh"), "x")
	w.do("SET", w.key("history", "done"), "x")
	w.do("HSET", w.home("workflows"), "ask", "x")
	records, broken := w.exported(flox.RunFilter{})
	if want := map[string]int{"failed": 2, "done": 2, "fresh": 1, "": 1}; !maps.Equal(broken, want) {
		t.Errorf("broken = %v, want %v", broken, want)
	}
	for want, parts := range map[int][]string{
		1: {`"kind":"run"`, `"id":"failed"`, `"status":"failed"`, `"workflow":"fail"`}, 2: {`"kind":"state"`, `"run":"done"`},
		6: {`"kind":"run"`},
	} {
		if got := countOf(records, parts...); got != want {
			t.Errorf("records with %v = %d, want %d of\n%s", parts, got, want, strings.Join(records, "\n"))
		}
	}
}

func TestDestroy(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 3)
	ctx := t.Context()
	w.admit()
	// Keys of others, whose names begin alike.
	ns := w.store.Namespace()
	others := []string{
		"flox:{" + ns + ".b}:config", "flox:{" + ns + "2:0}:run:x", "flox:{" + ns + ":0}", "flox:{" + ns + ":0x}:run:x",
		"flox:{" + ns + ":00}:run:x", "flox:{" + ns + "}config", "flox:{other}:config", "other",
	}
	for _, key := range others {
		w.do("SET", key, "x")
	}
	var used *redisstore.InUseError
	if _, err := w.store.Destroy(ctx, redisstore.DestroyConfig{}); !errors.As(err, &used) || used.Active != 4 || !errors.Is(err, flox.ErrRefused) {
		t.Errorf("Destroy with active runs = %v, want it refused", err)
	}
	w.must(w.store.Beat(ctx, flox.WorkerInfo{ID: "w-1", Name: "w"}))
	if _, err := w.store.Destroy(ctx, redisstore.DestroyConfig{Force: true}); !errors.As(err, &used) || used.Worker != "w-1" {
		t.Errorf("Destroy with a worker = %v, want it refused", err)
	}
	w.do("ZADD", w.home("workers"), 1, "w-1")
	told := 0
	removed, err := w.store.Destroy(ctx, redisstore.DestroyConfig{Force: true, Progress: func(n int) { told = n }})
	if err != nil || removed < 15 || told != removed-1 {
		t.Errorf("Destroy = %d, %v, told of %d, want all keys removed, the configuration last", removed, err, told)
	}
	left := w.client.Keys(ctx, "*").Val()
	slices.Sort(left)
	slices.Sort(others)
	if !slices.Equal(left, others) {
		t.Errorf("keys left = %v, want those of others: %v", left, others)
	}
	if _, err := w.store.Destroy(ctx, redisstore.DestroyConfig{}); !errors.Is(err, flox.ErrNotFound) {
		t.Errorf("Destroy again = %v, want ErrNotFound", err)
	}
	for _, err := range w.store.Export(ctx, redisstore.ExportConfig{}) {
		if !errors.Is(err, flox.ErrNotFound) {
			t.Errorf("Export of nothing = %v, want ErrNotFound", err)
		}
	}
	if _, err := w.store.Usage(ctx, redisstore.UsageConfig{}); !errors.Is(err, flox.ErrNotFound) {
		t.Errorf("Usage of nothing = %v, want ErrNotFound", err)
	}
	wantKinds(t, w.examine(redisstore.ExamineConfig{}), "namespace-empty")
}

// Removing goes on after an interruption, on every master of a cluster.
func TestDestroyOnCluster(t *testing.T) {
	t.Parallel()
	cluster := testredis.Cluster(t, 3)
	c := cluster.Client()
	t.Cleanup(func() { _ = c.Close() })
	w := wardOn(t, cluster.URL(), c, clusterServers(t, cluster), 8)
	w.must(w.store.Register(t.Context(), flox.WorkflowInfo{Name: "sum", StartNode: "n", StartQueue: "sum", Queues: []string{"sum"}}))
	for i := range 500 {
		w.start("sum", fmt.Sprint("run-", i), 1)
	}
	again := w.lenient(cluster.URL())
	told := 0
	func() {
		defer func() { _ = recover() }()
		_, _ = again.Destroy(t.Context(), redisstore.DestroyConfig{Force: true, Progress: func(n int) {
			if told = n; n > 0 {
				panic("interrupted")
			}
		}})
	}()
	removed, err := w.store.Destroy(t.Context(), redisstore.DestroyConfig{Force: true})
	if err != nil || told == 0 || told+removed < 500 || len(w.backend.all(t)) > 0 || c.Exists(t.Context(), w.home("config")).Val() > 0 {
		t.Errorf("Destroy = %d after %d, %v, leaves %v, want nothing left", removed, told, err, w.backend.all(t))
	}
}
