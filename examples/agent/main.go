// Command agent shows a loop: a model is asked, the tools that it calls run in
// parallel, their results are joined and go back to the model, until it answers.
// Every step is committed, so an agent that dies after an hour goes on from its
// last tool call. MaxSteps ends one that never answers.
//
//	go run ./examples/agent
//
// prints
//
//	you: Do I need an umbrella in Oslo or in Rome?
//	model: calls [weather(Oslo) weather(Rome)]
//	tool: Oslo: rain
//	tool: Rome: sun
//	model: In Oslo you do, in Rome you do not.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/floxrun/flox/pkg/flox"
)

// Message is one of a conversation.
type Message struct{ From, Text string }

// Chat is the conversation so far. It travels along the loop.
type Chat struct{ Messages []Message }

func (c Chat) with(from, text string) Chat {
	return Chat{append(c.Messages[:len(c.Messages):len(c.Messages)], Message{from, text})}
}

// Call is the call of a tool.
type Call struct{ Tool, Arg string }

func (c Call) String() string { return c.Tool + "(" + c.Arg + ")" }

// Turn is what a model does: it calls tools (Act) or answers (Answer).
type (
	Turn interface{ VariantOf(Turn) }
	Act  struct {
		Chat  Chat
		Calls []Call
	}
	Answer struct{ Chat Chat }
)

func (Act) VariantOf(Turn)    {}
func (Answer) VariantOf(Turn) {}

// Model is a language model. It answers if it calls no tools.
type Model interface {
	Ask(ctx context.Context, c Chat) (text string, calls []Call, err error)
}

// Think asks the model.
type Think struct{ Model Model }

func (n *Think) Process(ctx *flox.Context[flox.NoState], c Chat) (flox.Transition[Turn], error) {
	text, calls, err := n.Model.Ask(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(calls) == 0 {
		return flox.Next[Turn](Answer{c.with("model", text)}), nil
	}
	return flox.Next[Turn](Act{c.with("model", fmt.Sprint("calls ", calls)), calls}), nil
}

// UseTool runs one call. An unknown tool is no error: the model shall hear of it.
type UseTool struct {
	Tools map[string]func(ctx context.Context, arg string) (string, error)
}

func (n *UseTool) Process(ctx *flox.Context[flox.NoState], c Call) (flox.Transition[string], error) {
	tool, ok := n.Tools[c.Tool]
	if !ok {
		return flox.Next("there is no tool " + c.Tool), nil
	}
	result, err := tool(ctx, c.Arg)
	if err != nil {
		return nil, err
	}
	return flox.Next(c.Arg + ": " + result), nil
}

// observe adds the results to the conversation, in the order of the calls.
func observe(_ context.Context, in flox.Joined[Act, string]) (Chat, error) {
	chat := in.Input.Chat
	for _, result := range in.Outputs {
		chat = chat.with("tool", result)
	}
	return chat, nil
}

func agent(m Model, use *UseTool) (*flox.Workflow[flox.NoState, Chat, Answer], error) {
	b := flox.New[flox.NoState]("agent").MaxSteps(40)
	think := flox.Add(b, "think", &Think{m})
	act := flox.Split(b, "act", func(a Act) []Call { return a.Calls })
	tool := flox.Add(b, "tool", use)
	observe := flox.Func(b, "observe", observe)
	answer := flox.End[Answer](b, "answer")

	flox.Variants[Turn](b, Act{}, Answer{})
	think.Route(flox.Case(act), flox.Case(answer))
	act.To(tool)
	flox.JoinWith(act, tool, observe)
	observe.To(think) // closes the loop
	return flox.Build(b, think, answer)
}

// scripted is a model that says what the test of an agent wants to hear.
type scripted struct{}

func (scripted) Ask(_ context.Context, c Chat) (string, []Call, error) {
	if len(c.Messages) == 1 {
		return "", []Call{{"weather", "Oslo"}, {"weather", "Rome"}}, nil
	}
	return "In Oslo you do, in Rome you do not.", nil, nil
}

func weather(_ context.Context, city string) (string, error) {
	return map[string]string{"Oslo": "rain", "Rome": "sun"}[city], nil
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := agent(scripted{}, &UseTool{map[string]func(context.Context, string) (string, error){"weather": weather}})
	if err != nil {
		return err
	}
	question := Chat{}.with("you", "Do I need an umbrella in Oslo or in Rome?")
	res, err := flox.Run(ctx, wf, question)
	if err != nil {
		return err
	}
	for _, m := range res.Output.Chat.Messages {
		fmt.Fprintf(out, "%s: %s\n", m.From, m.Text)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
