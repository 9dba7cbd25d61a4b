package main

import (
	"context"
	"errors"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Guest is the input of workflow "greet".
type Guest struct {
	Name string `json:"name" jsonschema:"whom to greet"`
}

// Greeting is its output.
type Greeting struct {
	Text string `json:"text"`
}

// Greet builds workflow "greet": tidy the name, then greet.
func Greet() (*flox.Workflow[flox.NoState, Guest, Greeting], error) {
	b := flox.New[flox.NoState]("greet")
	tidy := flox.Func(b, "tidy", tidyName)
	greet := flox.Func(b, "greet", greetGuest)
	tidy.To(greet)
	return flox.Build(b, tidy, greet)
}

func tidyName(_ context.Context, in Guest) (Guest, error) {
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" {
		return in, flox.Permanent(errors.New("the guest has no name"))
	}
	return in, nil
}

func greetGuest(_ context.Context, in Guest) (Greeting, error) {
	return Greeting{Text: "Hello, " + in.Name + "!"}, nil
}
