package flox_test

import (
	"context"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// A workflow draws itself. Elsewhere, what a worker registered of it is enough:
// see ParseGraph and the command "orchestrator graph".
func ExampleWorkflow_Mermaid() {
	b := flox.New[flox.NoState]("greet")
	ask := flox.Func(b, "ask", func(_ context.Context, name string) (string, error) { return name, nil })
	greet := flox.Func(b, "greet", func(_ context.Context, name string) (string, error) { return "Hello, " + name, nil })
	ask.To(greet)
	wf, err := flox.Build(b, ask, greet)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(wf.Mermaid())
	g, err := flox.ParseGraph(wf.JSON())
	fmt.Println(g.Nodes[1].Name, "takes a", g.Nodes[1].In, err)
	// Output:
	// ---
	// title: "greet"
	// ---
	// flowchart TD
	//   n0("ask<br/>start<br/>5 attempts")
	//   n1(["greet<br/>end<br/>5 attempts"])
	//   start(( )) --> n0
	//   n0 --> n1
	//   classDef entry fill:#333,stroke:#333
	//   class start entry
	// greet takes a string <nil>
}
