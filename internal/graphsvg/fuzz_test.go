package graphsvg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// FuzzRender draws whatever ParseGraph takes: the picture is one well-formed
// document, with the run's progress and without, and the same twice.
func FuzzRender(f *testing.F) {
	for _, text := range []string{
		`{"name":"w","start":"a","nodes":[{"name":"a"}]}`,
		`{"name":"w","start":"a","nodes":[{"name":"a","kind":"route"},{"name":"b/$c","nest":"b","joins":"a"},{"name":"b/d/e","nest":"b/d"}],` +
			`"edges":[{"from":"a","to":"a","kind":"case","label":"\"]\n<x>&"},{"from":"a","to":"b/$c","kind":"undo"},{"from":"b/$c","to":"b/d/e","kind":"join"},{"from":"b/d/e","to":"a"}]}`,
		`{"name":"w","start":"a","nodes":[{"name":"a","nest":"a"},{"name":"b","nest":"c"}],"edges":[{"from":"b","to":"a"}]}`,
	} {
		f.Add([]byte(text), "a", 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, node string, n int) {
		g, err := flox.ParseGraph(b)
		if err != nil || len(g.Nodes) > 60 || len(g.Edges) > 200 {
			return
		}
		done := flox.NodeProgress{Done: n, Failed: n, Running: n, Queued: n}
		p := &flox.Progress{Run: flox.RunInfo{ID: "r", Status: flox.StatusFailed}, Nodes: map[string]flox.NodeProgress{g.Start: done, node: done}}
		for _, progress := range []*flox.Progress{nil, p} {
			pic := Render(g, progress)
			if err := wellFormed(pic); err != nil {
				t.Fatalf("%v in %s", err, pic)
			}
			if !bytes.Equal(pic, Render(g, progress)) {
				t.Fatal("it is drawn otherwise the second time")
			}
		}
	})
}

func wellFormed(b []byte) error {
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
