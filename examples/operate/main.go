// Command operate shows how a program steers many runs at once: what
// orchestrator's start --from, list, retry and delete do at the command line.
// Overnight the bank was away and payments failed. In the morning they are
// counted, and all of a label retried; one is done again from its first step,
// because the price has changed meanwhile; then the completed ones are deleted.
//
//	go run ./examples/operate
//
// prints
//
//	started 40, there already 0
//	started 0, there already 40
//	in the night: 40 failed, of these 20 of the north
//	a dry run finds 20, retries 0
//	retried 20 of 20
//	retried inv-1 from quote: asked the price 2 times, paid 7
//	21 completed, 19 failed
//	deleted 21 completed, 19 are left
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Invoice is the input: first its price is asked for, then it is paid.
type Invoice struct {
	Number int   `json:"number"`
	Cents  int64 `json:"cents,omitempty"`
}

// Books is the state.
type Books struct{ Paid flox.Sum }

// Bank is where the money is. It may be away.
type Bank struct {
	open  atomic.Bool
	price atomic.Int64
	asked [40]atomic.Int64
}

var errAway = flox.Permanent(errors.New("the bank is away"))

func (b *Bank) quote(_ context.Context, in Invoice) (Invoice, error) {
	b.asked[in.Number].Add(1)
	in.Cents = b.price.Load()
	return in, nil
}

func (b *Bank) pay(ctx *flox.Context[Books], in Invoice) (flox.Transition[int64], error) {
	if !b.open.Load() {
		return nil, errAway
	}
	ctx.Merge(Books{Paid: flox.Sum(in.Cents)})
	return flox.Next(in.Cents), nil
}

func payment(bank *Bank) (*flox.Workflow[Books, Invoice, int64], error) {
	b := flox.New[Books]("payment")
	quote := flox.Func(b, "quote", bank.quote)
	pay := flox.AddFunc(b, "pay", bank.pay)
	quote.To(pay)
	return flox.Build(b, quote, pay)
}

// invoices are the runs to start. Their ids are the invoices' own: starting them
// again is harmless.
func invoices(yield func(flox.StartItem, error) bool) {
	for n := range 40 {
		region := []string{"north", "south"}[n%2]
		item := flox.StartItem{
			ID: fmt.Sprintf("inv-%d", n), Input: fmt.Appendf(nil, `{"number":%d}`, n),
			Options: []flox.StartOption{flox.WithLabel("region", region)},
		}
		if !yield(item, nil) {
			return
		}
	}
}

// operator is the program that steers.
type operator struct {
	ctl *flox.Control
	out io.Writer
}

func (o operator) startAll(ctx context.Context, items iter.Seq2[flox.StartItem, error]) error {
	started, err := o.ctl.StartMany(ctx, "payment", items, nil)
	fmt.Fprintf(o.out, "started %d, there already %d\n", started.Started, started.Existed)
	return err
}

// count counts the runs that a filter selects.
func (o operator) count(ctx context.Context, f flox.RunFilter) (n int, err error) {
	for _, err := range o.ctl.Runs(ctx, f) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// wait waits until every run has ended.
func (o operator) wait(ctx context.Context) error {
	for run, err := range o.ctl.Runs(ctx, flox.RunFilter{Statuses: flox.ActiveStatuses()}) {
		if err != nil {
			return err
		}
		if _, err := o.ctl.Wait(ctx, run.ID); err != nil {
			return err
		}
	}
	return nil
}

var (
	failed      = flox.RunFilter{Statuses: []flox.Status{flox.StatusFailed}}
	completed   = flox.RunFilter{Statuses: []flox.Status{flox.StatusCompleted}}
	failedNorth = flox.RunFilter{Statuses: failed.Statuses, Labels: map[string]string{"region": "north"}}
)

func (o operator) night(ctx context.Context) error {
	for range 2 { // the second time, say after a crash, changes nothing
		if err := o.startAll(ctx, invoices); err != nil {
			return err
		}
	}
	if err := o.wait(ctx); err != nil {
		return err
	}
	all, err := o.count(ctx, failed)
	if err != nil {
		return err
	}
	north, err := o.count(ctx, failedNorth)
	fmt.Fprintf(o.out, "in the night: %d failed, of these %d of the north\n", all, north)
	return err
}

func (o operator) morning(ctx context.Context, bank *Bank) error {
	bank.open.Store(true)
	found, err := o.ctl.Bulk(ctx, flox.ControlRetry, failedNorth, &flox.BulkConfig{DryRun: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "a dry run finds %d, retries %d\n", found.Total, found.Done)
	done, err := o.ctl.Bulk(ctx, flox.ControlRetry, failedNorth, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "retried %d of %d\n", done.Done, done.Total)
	return o.wait(ctx)
}

// again does one invoice again from its first step, at the new price.
func (o operator) again(ctx context.Context, bank *Bank, orch *flox.Orchestrator[Books, Invoice, int64], id string) error {
	bank.price.Store(7)
	if err := o.ctl.RetryFrom(ctx, id, "quote"); err != nil {
		return err
	}
	res, err := orch.Wait(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "retried %s from quote: asked the price %d times, paid %d\n", id, bank.asked[1].Load(), res.Output)
	return nil
}

func (o operator) cleanUp(ctx context.Context) error {
	ok, err := o.count(ctx, completed)
	if err != nil {
		return err
	}
	bad, err := o.count(ctx, failed)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "%d completed, %d failed\n", ok, bad)
	gone, err := o.ctl.Bulk(ctx, flox.ControlDelete, completed, nil)
	if err != nil {
		return err
	}
	left, err := o.count(ctx, flox.RunFilter{})
	fmt.Fprintf(o.out, "deleted %d completed, %d are left\n", gone.Done, left)
	return err
}

func run(ctx context.Context, out io.Writer) error {
	bank := &Bank{}
	bank.price.Store(5)
	wf, err := payment(bank)
	if err != nil {
		return err
	}
	st := flox.NewMemory()
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

	for !worker.Ready() { // it registers the workflow, which StartMany names
		time.Sleep(time.Millisecond)
	}
	o := operator{orch.Control(), out}
	if err := o.night(ctx); err != nil {
		return err
	}
	if err := o.morning(ctx, bank); err != nil {
		return err
	}
	if err := o.again(ctx, bank, orch, "inv-1"); err != nil {
		return err
	}
	return o.cleanUp(ctx)
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
