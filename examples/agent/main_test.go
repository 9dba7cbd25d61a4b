package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `you: Do I need an umbrella in Oslo or in Rome?
model: calls [weather(Oslo) weather(Rome)]
tool: Oslo: rain
tool: Rome: sun
model: In Oslo you do, in Rome you do not.
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}

// eager is a model that calls a tool for ever.
type eager struct{}

func (eager) Ask(context.Context, Chat) (string, []Call, error) {
	return "", []Call{{"dig", "deeper"}}, nil
}

func TestStepLimit(t *testing.T) {
	wf, err := agent(eager{}, &UseTool{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := flox.Run(t.Context(), wf, Chat{}.with("you", "Dig."))
	if !errors.Is(err, flox.ErrStepLimit) || res.Steps != 40 {
		t.Errorf("Run = %d steps, %v; want the limit of 40 reached", res.Steps, err)
	}
}

func TestUnknownTool(t *testing.T) {
	use := &UseTool{}
	got, err := use.Process(nil, Call{"dig", "deeper"})
	if err != nil || got != flox.Next("there is no tool dig") {
		t.Errorf("Process = %v, %v; want the model to be told", got, err)
	}
}
