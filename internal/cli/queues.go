package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// queueView is how full a queue is.
type queueView struct {
	Name     string   `json:"name"`
	Ready    int64    `json:"ready"`    // entries that wait for a worker
	Leased   int64    `json:"leased"`   // entries that are with one
	Delayed  int64    `json:"delayed"`  // tokens that will be ready at some time
	OldestMs millis   `json:"oldestMs"` // age of the oldest entry, ready or leased
	Rate     *float64 `json:"rate"`     // entries handed to workers a second; null if it was not measured
}

var queueColumns = []column[queueView]{
	{"QUEUE", false, func(q queueView) any { return q.Name }},
	{"READY", false, func(q queueView) any { return q.Ready }},
	{"LEASED", false, func(q queueView) any { return q.Leased }},
	{"DELAYED", false, func(q queueView) any { return q.Delayed }},
	{"OLDEST", false, func(q queueView) any { return shortMs(q.OldestMs) }},
	{"RATE", false, queueView.rate},
}

func (q queueView) rate() any {
	if q.Rate == nil {
		return ""
	}
	return fmt.Sprintf("%.1f/s", *q.Rate)
}

func (a *app) queuesCmd() *cobra.Command {
	var interval time.Duration
	var watch bool
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "List the queues: how full they are, and how fast they are worked off",
		Long: `List the queues of the registered workflows: entries that wait for a worker (ready),
that are with one (leased), and tokens that will be ready at some time (delayed).
The rate is of entries handed to workers, between two readings; a worker that goes
on with a token takes no further entry for it. An embedded Redis cannot tell a rate.`,
		Example: `  orchestrator queues
  orchestrator queues --interval 0 -o json
  orchestrator queues --watch --interval 2s`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.checkQueues(interval, watch); err != nil {
				return err
			}
			return a.open(cmd.Context(), func(s *session) error {
				if watch {
					return a.watchQueues(cmd.Context(), s, interval)
				}
				return a.queues(cmd.Context(), s, interval)
			})
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	flags.DurationVar(fs, &interval, "interval", "measure the rate for this long; 0 does not")
	interval = time.Second
	fs.Lookup("interval").DefValue = "1s"
	fs.BoolVar(&watch, "watch", false, "measure again and again, until interrupted")
	return cmd
}

func (a *app) checkQueues(interval time.Duration, watch bool) error {
	if interval < 0 {
		return flags.Usagef("--interval=%v: want zero or more", interval)
	}
	if !watch {
		return nil
	}
	if interval < drawEvery {
		return flags.Usagef("--interval=%v: want %v or more with --watch", interval, drawEvery)
	}
	return a.wantTerminal("queues --watch", "queues -o jsonl")
}

// queues prints the second of two readings.
func (a *app) queues(ctx context.Context, s *session, interval time.Duration) error {
	before, err := a.readQueues(ctx, s)
	if err != nil || interval == 0 || len(before.stats) == 0 {
		if err != nil {
			return err
		}
		return a.printQueues(before, queueReading{})
	}
	if err := sleep(ctx, interval); err != nil {
		return err
	}
	after, err := a.readQueues(ctx, s)
	if err != nil {
		return err
	}
	return a.printQueues(after, before)
}

func (a *app) watchQueues(ctx context.Context, s *session, interval time.Duration) error {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	for before := (queueReading{}); ; {
		now, err := a.readQueues(ctx, s)
		if err != nil {
			return err
		}
		a.printf("\x1b[H\x1b[2J")
		if err := a.printQueues(now, before); err != nil {
			return err
		}
		if sleep(ctx, interval) != nil {
			return nil
		}
		before = now
	}
}

// sleep waits; the error says that ctx ended first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// queueReading is what the queues were at a time.
type queueReading struct {
	at    time.Time
	stats []flox.QueueStats
}

// readQueues reads the queues of all registered workflows, by name.
func (a *app) readQueues(ctx context.Context, s *session) (queueReading, error) {
	var r queueReading
	err := a.ask(ctx, func(ctx context.Context) error {
		workflows, err := s.st.Workflows(ctx)
		if err != nil {
			return err
		}
		var names []string
		for _, w := range workflows {
			names = append(names, w.Queues...)
		}
		slices.Sort(names)
		r.stats, err = s.st.Queues(ctx, slices.Compact(names))
		r.at = time.Now()
		return err
	})
	return r, err
}

func (a *app) printQueues(now, before queueReading) error {
	var views []queueView
	for _, q := range now.stats {
		v := queueView{Name: q.Name, Ready: q.Ready, Leased: q.Leased, Delayed: q.Delayed, OldestMs: asMillis(q.Oldest)}
		i := slices.IndexFunc(before.stats, func(b flox.QueueStats) bool { return b.Name == q.Name })
		if i >= 0 && q.Taken >= 0 {
			rate := float64(max(0, q.Taken-before.stats[i].Taken)) / now.at.Sub(before.at).Seconds()
			rate = math.Round(rate*1000) / 1000
			v.Rate = &rate
		}
		views = append(views, v)
	}
	return printRows(a, "queues", queueColumns, views)
}
