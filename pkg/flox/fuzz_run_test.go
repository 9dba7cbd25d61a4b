package flox_test

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/floxrun/flox/pkg/flox"
)

// FuzzParseGraph gives the reader of graphs any text. What it takes can be drawn,
// and comes back from its JSON as it is.
func FuzzParseGraph(f *testing.F) {
	for _, file := range []string{"testdata/voyage.json", "testdata/described.json"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"name":"w","start":"a","nodes":[{"name":"a","kind":"route"},{"name":"b/$c","nest":"b","joins":"a"}],` +
		`"edges":[{"from":"a","to":"a","kind":"case","label":"\"]\n<x>"},{"from":"a","to":"b/$c","kind":"undo"},{"from":"b/$c","to":"a","kind":"join"}]}`))
	f.Add([]byte(`{"name":"w","start":"a","nodes":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := flox.ParseGraph(b)
		if err != nil {
			return
		}
		text, err := json.Marshal(g)
		if err != nil {
			t.Fatalf("the JSON of a graph that was parsed: %v", err)
		}
		again, err := flox.ParseGraph(text)
		if err != nil {
			t.Fatalf("parse %s: %v", text, err)
		}
		if diff := cmp.Diff(g, again); diff != "" {
			t.Fatalf("it came back otherwise (- before, + after):\n%s", diff)
		}
		p := &flox.Progress{Run: flox.RunInfo{ID: "r", Status: flox.StatusFailed}, Nodes: map[string]flox.NodeProgress{g.Start: {Done: 1, Failed: 1}}}
		for _, progress := range []*flox.Progress{nil, p} {
			if again.DOT(progress) != g.DOT(progress) || again.Mermaid(progress) != g.Mermaid(progress) {
				t.Fatal("it is drawn otherwise when it comes back")
			}
		}
	})
}

// parcel is a value with most of what payloads can hold.
type parcel struct {
	Text  string
	Bytes []byte
	Float float64
	Words []string
	Map   map[string]int64
	At    time.Time
	Last  flox.Last[[]byte]
}

// FuzzCheckpoint sends a value through a run that is left after some of its steps
// and resumed: input, state and output come out as in a run that goes through.
func FuzzCheckpoint(f *testing.F) {
	f.Add("a", []byte{0, 1}, 1.5, int64(1), uint8(0))
	f.Add("\xff\x00|", []byte{}, -1e-300, int64(-1)<<62, uint8(2))
	f.Add("", []byte(nil), 1e308, int64(0), uint8(3))
	f.Fuzz(func(t *testing.T, text string, raw []byte, number float64, n int64, stop uint8) {
		in := parcel{Text: text, Bytes: raw, Float: number, Words: []string{text, ""}, Map: map[string]int64{text: n}, At: time.Unix(n%(1<<33), 1), Last: flox.LastOf(raw)}
		synctest.Test(t, func(t *testing.T) {
			plain, err := flox.Run(t.Context(), relay(t, nil, 0), in)
			if err != nil {
				t.Fatal(err)
			}
			st := flox.NewMemory()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			_, err = flox.RunCheckpointed(ctx, st, "r", relay(t, leave, int(stop%4)), in)
			if stop%4 == 0 && err != nil {
				t.Fatal(err)
			}
			res, err := flox.Resume(t.Context(), st, "r", relay(t, nil, 0))
			if err != nil {
				t.Fatalf("Resume = %v", err)
			}
			same := cmp.Options{
				cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateNaNs(),
				cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
			}
			for _, got := range []parcel{plain.Output, res.Output} {
				if diff := cmp.Diff(in, got, same); diff != "" {
					t.Fatalf("what came out is not what was put in:\n%s", diff)
				}
			}
			if diff := cmp.Diff(plain.State, res.State); diff != "" {
				t.Fatalf("the state of the run that was left (+) is not that of one that was not (-):\n%s", diff)
			}
		})
	})
}

// relayed counts what passed.
type relayed struct {
	Steps flox.Sum
	Texts flox.List[string]
}

// relay is a workflow of three steps that hand a value on. Step number stop, from
// 1, makes the process leave instead, as a kill would.
func relay(t *testing.T, leave func(), stop int) *flox.Workflow[relayed, parcel, parcel] {
	b := flox.New[relayed]("relay")
	step := func(number int) flox.Ref[parcel, parcel] {
		return flox.AddFunc(b, string(rune('a'+number)), func(ctx *flox.Context[relayed], p parcel) (flox.Transition[parcel], error) {
			if number == stop {
				leave()
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			ctx.Merge(relayed{Steps: 1, Texts: flox.List[string]{p.Text}})
			return flox.Next(p), nil
		})
	}
	one, two, three := step(1), step(2), step(3)
	one.To(two)
	two.To(three)
	wf, err := flox.Build(b, one, three)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}
