// Command node shows what a node is: a struct with a method Process. What the
// node depends on, here a template and a mail server, are fields of the struct,
// so that a test gives it others.
//
//	go run ./examples/node
//
// prints
//
//	to ada@example.org [memory/reminder-1017/0.1]: Dear Ada, invoice 1017 over €95.00 is due.
//	1 mail sent: Dear Ada, invoice 1017 over €95.00 is due.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"text/template"

	"github.com/floxrun/flox/pkg/flox"
)

// Invoice is what a run is given.
type Invoice struct {
	Number      int
	Name, Email string
	Cents       int
}

// Mail is what Render makes of it and Send sends.
type Mail struct{ To, Text string }

// State is what all nodes of a run add to.
type State struct{ Sent flox.Sum }

// Render writes the mail. The template is parsed once, for all runs.
type Render struct{ Template *template.Template }

// Process is called for every invoice. An error is tried again, unless it is
// Permanent: the same invoice will not have an address a second later.
func (n *Render) Process(_ *flox.Context[State], in Invoice) (flox.Transition[Mail], error) {
	if in.Email == "" {
		return nil, flox.Permanent(fmt.Errorf("invoice %d has no address", in.Number))
	}
	var text strings.Builder
	if err := n.Template.Execute(&text, in); err != nil {
		return nil, flox.Permanent(err)
	}
	return flox.Next(Mail{To: in.Email, Text: text.String()}), nil
}

// Euros is called by the template.
func (i Invoice) Euros() string { return fmt.Sprintf("€%d.%02d", i.Cents/100, i.Cents%100) }

// Mailer is the part of a mail server that Send needs.
type Mailer interface {
	// Send sends a mail, once for each key.
	Send(ctx context.Context, key string, m Mail) error
}

// Send sends the mail.
type Send struct{ Mailer Mailer }

// Process may run twice for one mail: its worker may die just before it could
// say that it is done. The key is the same then, and tells the server. Whatever
// is merged into the state counts once in any case.
func (n *Send) Process(ctx *flox.Context[State], in Mail) (flox.Transition[Mail], error) {
	if err := n.Mailer.Send(ctx, ctx.IdempotencyKey(), in); err != nil {
		return nil, fmt.Errorf("send to %s: %w", in.To, err)
	}
	ctx.Merge(State{Sent: 1})
	return flox.Next(in), nil
}

// remind is the workflow: render, then send.
func remind(m Mailer) (*flox.Workflow[State, Invoice, Mail], error) {
	text, err := template.New("reminder").Parse("Dear {{.Name}}, invoice {{.Number}} over {{.Euros}} is due.")
	if err != nil {
		return nil, err
	}
	b := flox.New[State]("remind")
	render := flox.Add(b, "render", &Render{Template: text})
	send := flox.Add(b, "send", &Send{Mailer: m})
	render.To(send)
	return flox.Build(b, render, send)
}

// printer is a mail server that prints, and refuses a key it has seen.
type printer struct {
	out  io.Writer
	seen map[string]bool
}

func (p *printer) Send(_ context.Context, key string, m Mail) error {
	if p.seen[key] {
		return flox.Permanent(errors.New("sent already"))
	}
	p.seen[key] = true
	_, err := fmt.Fprintf(p.out, "to %s [%s]: %s\n", m.To, key, m.Text)
	return err
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := remind(&printer{out: out, seen: map[string]bool{}})
	if err != nil {
		return err
	}
	ada := Invoice{Number: 1017, Name: "Ada", Email: "ada@example.org", Cents: 9500}
	res, err := flox.Run(ctx, wf, ada, flox.WithID("reminder-1017"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d mail sent: %s\n", res.State.Sent, res.Output.Text)
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
