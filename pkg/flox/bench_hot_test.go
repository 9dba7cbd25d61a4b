package flox

import (
	"context"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What is done for each step, without a store.

type benchOrder struct {
	ID    string   `json:"id"`
	Lines []string `json:"lines"`
	Cents int64    `json:"cents"`
}

var benchText = strings.Repeat("x", 62)

func benchValues() map[string]any {
	return map[string]any{"string": benchText, "struct": benchOrder{"o-1", []string{"a", "b"}, 1999}}
}

func benchCodec(b *testing.B, v any) *codec {
	b.Helper()
	c, err := newCodecs(nil).of(reflect.TypeOf(v))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkEncode(b *testing.B) {
	for name, v := range benchValues() {
		b.Run(name, func(b *testing.B) {
			c := benchCodec(b, v)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.encode(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, v := range benchValues() {
		b.Run(name, func(b *testing.B) {
			c := benchCodec(b, v)
			payload, err := c.encode(v)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.decodePointer(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeStep(b *testing.B) {
	step := &StepRecord{Item: "0.1", Node: "b", Outcome: "next", Attempt: 1, Worker: "host-0123456789abcdef", Duration: 1234}
	b.ReportAllocs()
	for b.Loop() {
		EncodeStep(step)
	}
}

// benchGraph is a chain of three nodes that do nothing.
func benchGraph(b *testing.B) Definition {
	b.Helper()
	w := New[NoState]("chain")
	pass := func(_ context.Context, s string) (string, error) { return s, nil }
	first, second, third := Func(w, "a", pass), Func(w, "b", pass), Func(w, "c", pass)
	first.To(second)
	second.To(third)
	wf, err := Build(w, first, third)
	if err != nil {
		b.Fatal(err)
	}
	return wf
}

func BenchmarkDecide(b *testing.B) {
	g := benchGraph(b).graph()
	n := g.byName["a"]
	item := Item{Workflow: g.name, Node: n.name, Committed: 1}
	x := &execution{item: &item, lease: &Lease{Entry: Entry{Run: "r", Token: "0", Queue: n.queue}, Owner: "w-1"}}
	out := outcome{kind: outcomeNext, read: -1, took: time.Microsecond, outs: []routed{{n.targets, []byte("payload")}}}
	b.ReportAllocs()
	for b.Loop() {
		if c := decide(g, n, x, out, decision{keep: true, worker: "host-0123456789abcdef"}); c.Op != OpNext {
			b.Fatal(c.Op)
		}
	}
}

// benchStore grants what is asked and forgets what it is told.
type benchStore struct {
	Store
	loaded Loaded
}

func (s *benchStore) Namespace() string { return "bench" }

func (s *benchStore) Start(context.Context, StartRequest) error { return nil }

func (s *benchStore) Load(context.Context, Entry, string, int) (Loaded, error) { return s.loaded, nil }

func (s *benchStore) Commit(_ context.Context, c Commit) (CommitResult, error) {
	if c.Op == OpNext {
		return CommitResult{Verdict: VerdictKept, Committed: int64(c.Step) + 1}, nil
	}
	return CommitResult{Verdict: VerdictReleased, Ended: StatusCompleted}, nil
}

// BenchmarkHandle takes one token from its entry through three nodes to the end.
func BenchmarkHandle(b *testing.B) {
	def := benchGraph(b)
	g := def.graph()
	entry := Entry{Run: "01hzzzzzzzzzzzzzzzzzzzzzzz", Token: RootToken, Queue: "chain", ID: "1-1", Consumer: "w"}
	payload, err := benchCodec(b, benchText).encode(benchText)
	if err != nil {
		b.Fatal(err)
	}
	st := &benchStore{loaded: Loaded{
		Lease: Lease{Entry: entry, Owner: "w-1"},
		Item:  Item{Workflow: g.name, Fingerprint: g.fingerprint, Node: "a", Input: Input{Payload: payload}},
	}}
	w, err := NewWorker(st, &WorkerConfig{Name: "w", Logger: slog.New(slog.DiscardHandler)}, def)
	if err != nil {
		b.Fatal(err)
	}
	items, cancel := w.live(b.Context())
	defer cancel(nil)
	b.ReportAllocs()
	for b.Loop() {
		w.handle(items, entry, true)
	}
}

// BenchmarkStart is what a client does to start a run.
func BenchmarkStart(b *testing.B) {
	wf := benchGraph(b).(*Workflow[NoState, string, string])
	orch, err := NewOrchestrator(&benchStore{}, wf, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := orch.Start(b.Context(), benchText); err != nil {
			b.Fatal(err)
		}
	}
}
