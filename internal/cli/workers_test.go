package cli

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func TestWorkersQueuesWorkflows(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	var workers struct{ Workers []workerView }
	w.until("the worker says what it does", func() bool {
		w.json(&workers, "workers")
		return len(workers.Workers) == 1 && len(workers.Workers[0].Active) == 1
	})
	if v := workers.Workers[0]; v.Name != "tester" || v.Status != "alive" || v.Busy != 1 || v.Active[0].Run != "live" || v.Active[0].Node != "first" {
		t.Errorf("worker is %+v, want tester, alive and busy with the run", v)
	}
	wantParts(t, "workers", w.ok("workers"), "WORKER", "tester-", "alive", "1/")
	wantParts(t, "workers --items", w.ok("workers", "--items"), "RUN", "live  0.0   first")
	var queues struct{ Queues []queueView }
	w.json(&queues, "queues", "--interval", "0")
	if len(queues.Queues) != 4 || queues.Queues[1].Name != "gate" || queues.Queues[1].Leased != 1 || queues.Queues[1].Rate != nil {
		t.Errorf("queues -o json = %+v, want one leased in gate, and no rate", queues)
	}
	wantParts(t, "queues", w.ok("queues", "--interval", "0"), "gate   0      1       0")
	wantParts(t, "workflows", w.ok("workflows"), "WORKFLOW", "greet     first  2      greet", "1 completed", "1 running")
	wantParts(t, "workflows -o wide", w.ok("workflows", "-o", "wide"), "RETENTION", "7d")
	wantParts(t, "workflow", w.ok("workflows", "greet"), "start        first", "kept         7d", "graph:\n{", "input schema:\n{", `"name"`)
	var one struct {
		Name   string
		Nodes  int
		Runs   map[flox.Status]int64
		Graph  map[string]any
		Schema struct{ Required []string }
	}
	w.json(&one, "workflows", "greet")
	if one.Name != "greet" || one.Nodes != 2 || len(one.Graph) == 0 || len(one.Schema.Required) != 1 || one.Runs[flox.StatusCompleted] != 1 {
		t.Errorf("workflows greet -o json = %+v, want its graph, schema and runs", one)
	}
}

// TestQueueRate checks the rate between two readings, and that there is none where
// the store cannot tell.
func TestQueueRate(t *testing.T) {
	var out bytes.Buffer
	a := newApp(nil, &out, io.Discard)
	a.output.Value = "jsonl"
	at := time.Unix(1000, 0)
	before := queueReading{at, []flox.QueueStats{{Name: "a", Taken: 10}, {Name: "b", Taken: -1}}}
	now := queueReading{at.Add(2 * time.Second), []flox.QueueStats{{Name: "a", Taken: 15}, {Name: "b", Taken: -1}, {Name: "new", Taken: 3}}}
	if err := a.printQueues(now, before); err != nil {
		t.Fatal(err)
	}
	want := []any{2.5, nil, nil}
	for i, line := range decodeLines(t, "queues", out.String()) {
		if got := line.(map[string]any)["rate"]; got != want[i] {
			t.Errorf("rate %d = %v, want %v", i, got, want[i])
		}
	}
}
