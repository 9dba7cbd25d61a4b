// Command llm-article has a language model write an article: an outline first,
// then its sections in parallel, which are joined and edited. Each answer is
// committed when it has come, so what was paid for once is not asked for again,
// whatever breaks. Any server with an OpenAI-compatible /v1/chat/completions
// will do; chat.go asks it.
//
//	OPENAI_BASE_URL=http://localhost:11434 OPENAI_MODEL=llama3.2 \
//	go run ./examples/llm-article "why the sea is salty"
//
// OPENAI_API_KEY is sent if it is set. It prints the article, and what it cost:
//
//	# Why the sea is salty
//	…
//	(5 answers, 2310 tokens)
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// What travels along the edges.
type (
	Topic   string
	Outline struct {
		Topic    Topic
		Headings []string
	}
	Section struct{ Heading, Text string }
)

// State is what the article costs.
type State struct{ Answers, Tokens flox.Sum }

// Writer asks the model for one thing; its methods are the nodes.
type Writer struct{ Chat *Chat }

func (w *Writer) ask(ctx *flox.Context[State], role, format string, args ...any) (string, error) {
	text, tokens, err := w.Chat.Ask(ctx, role, fmt.Sprintf(format, args...))
	if err != nil {
		return "", err
	}
	ctx.Merge(State{Answers: 1, Tokens: flox.Sum(tokens)})
	return text, nil
}

func (w *Writer) outline(ctx *flox.Context[State], t Topic) (flox.Transition[Outline], error) {
	text, err := w.ask(ctx, "You plan articles.",
		"Give the headings of a short article about %s, three at most, one a line, nothing else.", t)
	if err != nil {
		return nil, err
	}
	o := Outline{Topic: t}
	for line := range strings.Lines(text) {
		if h := strings.Trim(line, " \t\r\n#*-.0123456789"); h != "" {
			o.Headings = append(o.Headings, h)
		}
	}
	if len(o.Headings) == 0 { // the next attempt may do better
		return nil, fmt.Errorf("no headings in the outline %q", text)
	}
	return flox.Next(o), nil
}

// split makes a question of each heading; the writer of a section knows all.
func split(o Outline) []Outline {
	all := make([]Outline, len(o.Headings))
	for i, h := range o.Headings {
		all[i] = Outline{Topic: o.Topic, Headings: []string{h}}
	}
	return all
}

func (w *Writer) section(ctx *flox.Context[State], o Outline) (flox.Transition[Section], error) {
	text, err := w.ask(ctx, "You write articles.", "Write the section %q of an article about %s.", o.Headings[0], o.Topic)
	if err != nil {
		return nil, err
	}
	return flox.Next(Section{o.Headings[0], strings.TrimSpace(text)}), nil
}

// edit gets the sections in the order of the outline, and what was split.
func (w *Writer) edit(ctx *flox.Context[State], in flox.Joined[Outline, Section]) (flox.Transition[string], error) {
	var draft strings.Builder
	for _, s := range in.Outputs {
		fmt.Fprintf(&draft, "## %s\n%s\n", s.Heading, s.Text)
	}
	text, err := w.ask(ctx, "You edit articles.", "Make one article about %s of this draft:\n%s", in.Input.Topic, &draft)
	if err != nil {
		return nil, err
	}
	return flox.Next(strings.TrimSpace(text)), nil
}

func article(chat *Chat) (*flox.Workflow[State, Topic, string], error) {
	w := &Writer{chat}
	b := flox.New[State]("article").
		Timeout(2 * time.Minute).
		Retry(flox.RetryPolicy{MaxAttempts: 4, Backoff: flox.Exponential(time.Second, 30*time.Second)})
	outline := flox.AddFunc(b, "outline", w.outline)
	split := flox.Split(b, "split", split)
	section := flox.AddFunc(b, "section", w.section)
	edit := flox.AddFunc(b, "edit", w.edit)
	outline.To(split)
	split.To(section)
	flox.JoinWith(split, section, edit)
	return flox.Build(b, outline, edit)
}

func run(ctx context.Context, out io.Writer, topic string) error {
	if topic == "" {
		return errors.New("what about? Give the topic as an argument")
	}
	wf, err := article(&Chat{
		URL:   cmp.Or(os.Getenv("OPENAI_BASE_URL"), "https://api.openai.com"),
		Model: cmp.Or(os.Getenv("OPENAI_MODEL"), "gpt-4o-mini"),
		Key:   os.Getenv("OPENAI_API_KEY"),
	})
	if err != nil {
		return err
	}
	res, err := flox.Run(ctx, wf, Topic(topic))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n(%d answers, %d tokens)\n", res.Output, res.State.Answers, res.State.Tokens)
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout, strings.Join(os.Args[1:], " ")); err != nil {
		log.Fatal(err)
	}
}
