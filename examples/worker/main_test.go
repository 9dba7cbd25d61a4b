package main

import (
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestGreet(t *testing.T) {
	wf, err := Greet()
	if err != nil {
		t.Fatal(err)
	}
	res, err := flox.Run(t.Context(), wf, Guest{Name: " Ada "})
	if want := "Hello, Ada!"; err != nil || res.Output.Text != want {
		t.Errorf("Run = %q, %v, want %q", res.Output.Text, err, want)
	}
	if _, err := flox.Run(t.Context(), wf, Guest{Name: " "}); err == nil {
		t.Error("a guest with no name was greeted")
	}
}
