// Command branching shows the two kinds of branches: Route sends an output one
// way, chosen by guards; To with several targets sends a copy each way at once,
// and a Join2 waits for both.
//
//	go run ./examples/branching
//
// prints
//
//	"Cheap watches!!!" went to the bin
//	"The roof leaks" goes to the on-call plumber (priority 9), and is acknowledged in English
//	"Merci" goes to the front desk (priority 1), and is acknowledged in French
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Mail is what tenants write. Nodes pass it on with what they found out.
type Mail struct {
	Subject  string
	Priority int
}

// Desk is who shall see to it, Language what the sender speaks.
type (
	Desk struct {
		Mail Mail
		Name string
	}
	Language string
)

func score(_ context.Context, m Mail) (Mail, error) {
	switch text := strings.ToLower(m.Subject); {
	case strings.Contains(text, "leak"), strings.Contains(text, "fire"):
		m.Priority = 9
	case strings.Contains(text, "!!!"):
		m.Priority = 0
	default:
		m.Priority = 1
	}
	return m, nil
}

func isSpam(m Mail) bool   { return m.Priority == 0 }
func isUrgent(m Mail) bool { return m.Priority >= 8 }

// desk is a function that makes nodes.
func desk(name string) func(context.Context, Mail) (Desk, error) {
	return func(_ context.Context, m Mail) (Desk, error) { return Desk{m, name}, nil }
}

func language(_ context.Context, d Desk) (Language, error) {
	if strings.Contains(d.Mail.Subject, "Merci") {
		return "French", nil
	}
	return "English", nil
}

func assign(_ context.Context, d Desk) (string, error) {
	return fmt.Sprintf("goes to %s (priority %d)", d.Name, d.Mail.Priority), nil
}

func answer(_ context.Context, in flox.Pair[string, Language]) (string, error) {
	return fmt.Sprintf("%s, and is acknowledged in %s", in.First, in.Second), nil
}

func triage() (*flox.Workflow[flox.NoState, Mail, string], error) {
	b := flox.New[flox.NoState]("triage")
	score := flox.Func(b, "score", score)
	bin := flox.Func(b, "bin", func(context.Context, Mail) (string, error) { return "went to the bin", nil })
	plumber := flox.Func(b, "plumber", desk("the on-call plumber"))
	front := flox.Func(b, "front", desk("the front desk"))
	both := flox.End[Desk](b, "both")
	assign := flox.Func(b, "assign", assign)
	language := flox.Func(b, "language", language)
	answer := flox.Func(b, "answer", answer)

	// One way: the first arm that fits.
	score.Route(flox.When(isSpam, bin), flox.When(isUrgent, plumber), flox.Otherwise(front))
	// The two ways meet again.
	plumber.To(both)
	front.To(both)
	// Both ways at once, until the pair is complete.
	both.To(assign, language)
	flox.Join2(assign, language, answer)
	return flox.Build(b, score, bin, answer)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := triage()
	if err != nil {
		return err
	}
	for _, subject := range []string{"Cheap watches!!!", "The roof leaks", "Merci"} {
		res, err := flox.Run(ctx, wf, Mail{Subject: subject})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%q %s\n", subject, res.Output)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
