// Command approval shows a run that waits for a person, for days if need be. No
// worker waits meanwhile: the run is kept in the store until somebody sends the
// signal that it awaits, or the time is up. Then the manager is reminded, once.
//
//	go run ./examples/approval
//
// prints, in six seconds (a day lasts one here),
//
//	chairs: rejected by Zoe: we have chairs (on day 1)
//	laptop: €1200 paid, approved by Zoe (on day 4)
//	yacht: expired, nobody answered (on day 6)
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Expense is what somebody wants to be paid for.
type Expense struct {
	What     string
	Euros    int
	Reminded bool
}

// Verdict is the payload of the signal that ends the wait.
type Verdict struct {
	By, Reason string
	Yes        bool
}

// approval is shared by who sends the signal and who awaits it.
var approval = flox.NewSignal[Verdict]("approval")

// Ask mails the manager, and waits. If the answer is quicker than the commit of
// this item, it is kept.
type Ask struct {
	Mail func(text string)
	Wait time.Duration
}

func (n *Ask) Process(_ *flox.Context[flox.NoState], e Expense) (flox.Awaiting[Expense, Verdict], error) {
	n.Mail("please decide on " + e.What)
	return flox.Await(approval, e, n.Wait), nil
}

// answer is what comes of the wait: the expense, and the verdict if one came.
type answer = flox.Answer[Expense, Verdict]

func isFirst(a answer) bool { return a.TimedOut && !a.Carry.Reminded }
func isLate(a answer) bool  { return a.TimedOut }
func isYes(a answer) bool   { return a.Payload.Yes }

func remind(_ context.Context, a answer) (Expense, error) {
	a.Carry.Reminded = true
	return a.Carry, nil
}

func pay(_ context.Context, a answer) (string, error) {
	return fmt.Sprintf("€%d paid, approved by %s", a.Carry.Euros, a.Payload.By), nil
}

func reject(_ context.Context, a answer) (string, error) {
	return fmt.Sprintf("rejected by %s: %s", a.Payload.By, a.Payload.Reason), nil
}

func expire(context.Context, answer) (string, error) { return "expired, nobody answered", nil }

func expense(day time.Duration, mail func(string)) (*flox.Workflow[flox.NoState, Expense, string], error) {
	b := flox.New[flox.NoState]("expense").MaxSteps(20) // asking again is a loop; it needs a limit
	ask := flox.Add(b, "ask", &Ask{mail, 3 * day}).Awaits(approval)
	remind := flox.Func(b, "remind", remind)
	pay := flox.Func(b, "pay", pay)
	reject := flox.Func(b, "reject", reject)
	expire := flox.Func(b, "expire", expire)
	ask.Route(flox.When(isFirst, remind), flox.When(isLate, expire), flox.When(isYes, pay), flox.Otherwise(reject))
	remind.To(ask)
	return flox.Build(b, ask, pay, reject, expire)
}

// manage is the other program: all it needs is the store and the run's id.
func manage(ctx context.Context, st flox.Store, id string, think time.Duration, v Verdict) error {
	select {
	case <-time.After(think):
		return approval.Send(ctx, flox.NewControl(st), id, v)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func run(ctx context.Context, out io.Writer, day time.Duration, mail func(string)) error {
	wf, err := expense(day, mail)
	if err != nil {
		return err
	}
	st := flox.NewMemory() // or redisstore.Open, and two programs
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		return err
	}
	worker, err := flox.NewWorker(st, &flox.WorkerConfig{Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		return err
	}
	var others sync.WaitGroup
	defer others.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	others.Go(func() { stop(worker.Run(ctx)) })
	for _, e := range []Expense{{What: "chairs", Euros: 90}, {What: "laptop", Euros: 1200}, {What: "yacht", Euros: 1e6}} {
		if _, err := orch.Start(ctx, e, flox.WithID(e.What)); err != nil {
			return err
		}
	}
	decide := func(id string, think time.Duration, v Verdict) {
		others.Go(func() {
			if err := manage(ctx, st, id, think, v); err != nil {
				stop(err)
			}
		})
	}
	decide("chairs", day, Verdict{By: "Zoe", Reason: "we have chairs"})
	decide("laptop", 4*day, Verdict{By: "Zoe", Yes: true})
	for _, id := range []string{"chairs", "laptop", "yacht"} {
		res, err := orch.Wait(ctx, id)
		if err != nil {
			return err
		}
		info, err := orch.Control().Show(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s (on day %d)\n", id, res.Output, info.Ended.Sub(info.Created)/day)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout, time.Second, func(text string) { log.Print(text) }); err != nil {
		log.Fatal(err)
	}
}
