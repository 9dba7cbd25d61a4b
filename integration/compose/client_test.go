//go:build compose

package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Addresses of the site, as the workers see it.
const (
	siteURL      = "http://site:8080"
	elsewhereURL = "http://elsewhere:8080"
)

// client starts and judges runs from outside of the stack.
type client struct {
	s      *stack
	st     *redisstore.Store
	links  *flox.Orchestrator[demo.LinkState, demo.LinkInput, demo.LinkReport]
	orders *flox.Orchestrator[demo.OrderState, demo.Order, demo.Outcome]
	site   *demo.Site
}

// connect opens the stack's Redis at its container's address, which is looked up
// each time: it may be another one after a restart.
func (s *stack) connect() *client {
	s.t.Helper()
	redisstore.DiscardClientLog()
	c := &client{s: s, site: demo.NewSite()}
	c.site.Elsewhere = elsewhereURL
	var err error
	c.st, err = redisstore.Open(s.t.Context(), redisstore.Config{
		URL: "redis://:" + s.variable("FLOX_REDIS_PASSWORD") + "@redis:6379", Logger: slog.New(slog.DiscardHandler),
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			all := s.containers("redis")
			if len(all) != 1 || all[0].ip() == "" {
				return nil, errors.New("redis has no address now")
			}
			d := net.Dialer{Timeout: 2 * time.Second}
			return d.DialContext(ctx, network, net.JoinHostPort(all[0].ip(), "6379"))
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.st.Close() })
	if c.links, err = flox.NewOrchestrator(c.st, flox.Named[demo.LinkState, demo.LinkInput, demo.LinkReport]("linkcheck"), nil); err != nil {
		s.t.Fatal(err)
	}
	if c.orders, err = flox.NewOrchestrator(c.st, flox.Named[demo.OrderState, demo.Order, demo.Outcome]("order"), nil); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// order starts the run of an order, however often it takes to reach Redis.
func (c *client) order(ctx context.Context, o demo.Order) error {
	for {
		_, err := c.orders.Start(ctx, o, flox.WithID(o.ID))
		if err == nil || errors.Is(err, flox.ErrRunExists) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start order %s: %w (%v)", o.ID, context.Cause(ctx), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ended is how many runs of orders have.
func (c *client) ended() int64 {
	stats, err := c.st.Stats(c.s.t.Context())
	if err != nil {
		return -1
	}
	var n int64
	for status, runs := range stats["order"] {
		if status.Terminal() {
			n += runs
		}
	}
	return n
}

// feed starts orders at a rate, in the background, until stop, which returns how
// many of cases are started.
func (c *client) feed(cases []demo.OrderCase, from int, every time.Duration) (stop func() int) {
	return c.inBackground(cases, from, every, func(int) bool { return true })
}

// supply starts orders so that backlog of them are in hand, until stop, as feed.
func (c *client) supply(cases []demo.OrderCase, from int, backlog *atomic.Int64) (stop func() int) {
	var ended int64
	var asked time.Time
	return c.inBackground(cases, from, time.Millisecond, func(started int) bool {
		if time.Since(asked) > 50*time.Millisecond {
			ended, asked = max(ended, c.ended()), time.Now()
		}
		return int64(started)-ended < backlog.Load()
	})
}

// inBackground starts an order at each tick at which wanted says so.
func (c *client) inBackground(cases []demo.OrderCase, from int, tick time.Duration, wanted func(started int) bool) (stop func() int) {
	quit, done := make(chan struct{}), make(chan struct{})
	n := from
	go func() {
		defer close(done)
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for n < len(cases) {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			if !wanted(n) {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			err := c.order(ctx, cases[n].Order)
			cancel()
			if err != nil {
				c.s.t.Error(err)
				return
			}
			n++
		}
	}()
	return func() int {
		close(quit)
		<-done
		return n
	}
}

// burst starts orders as fast as eight clients can.
func (c *client) burst(cases []demo.OrderCase) {
	c.s.t.Helper()
	work := make(chan demo.Order)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for o := range work {
				if err := c.order(c.s.t.Context(), o); err != nil {
					c.s.t.Error(err)
				}
			}
		})
	}
	for _, oc := range cases {
		work <- oc.Order
	}
	close(work)
	all.Wait()
}

// judgeOrders waits for the runs of all cases, compares their outputs and states
// with what had to come of them and with the gateway's ledger, and returns the
// number of attempts that were repeated.
func (c *client) judgeOrders(cases []demo.OrderCase) int {
	t := c.s.t
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Minute, errors.New("the orders did not end"))
	defer cancel()
	runs := make([]demo.OrderRun, len(cases))
	var all errgroup.Group
	all.SetLimit(8)
	var repeated atomic.Int64
	for i, oc := range cases {
		all.Go(func() error {
			res, err := c.orders.Wait(ctx, oc.Order.ID)
			if _, failed := errors.AsType[*flox.RunError](err); err != nil && !failed {
				return fmt.Errorf("wait for %s: %w (%v)", oc.Order.ID, err, context.Cause(ctx))
			}
			runs[i] = demo.OrderRun{Case: oc, Err: err, Outcome: res.Output, State: res.State}
			n, err := c.settled(ctx, oc.Order.ID)
			repeated.Add(int64(n))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, fault := range demo.CheckOrders(runs, c.ledger()) {
		if t.Error(fault); i == 20 {
			t.Fatal("and more")
		}
	}
	return int(repeated.Load())
}

// judgeLinks does so for a link check of the site.
func (c *client) judgeLinks(run string) {
	t := c.s.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	res, err := c.links.Wait(ctx, run)
	if err != nil {
		t.Fatalf("link check %s: %v", run, err)
	}
	for _, fault := range demo.CheckLinkcheck(res.Output, res.State, c.site.Expected(siteURL)) {
		t.Errorf("link check %s: %s", run, fault)
	}
	if _, err := c.settled(ctx, run); err != nil {
		t.Error(err)
	}
}

// settled checks that each of a run's items is accounted for.
func (c *client) settled(ctx context.Context, run string) (retries int, err error) {
	info, err := c.st.Info(ctx, run)
	if err != nil {
		return 0, fmt.Errorf("run %s: %w", run, err)
	}
	if n := info.Counts; n.Live != 0 || n.Created != n.Committed+n.Failed+n.Dropped {
		return 0, fmt.Errorf("run %s: %+v: want every item made to be committed, failed or dropped", run, n)
	}
	errs, err := c.st.Errors(ctx, run)
	for _, e := range errs {
		if !e.Final {
			retries++
		}
	}
	return retries, err
}

// ledger is what the gateway has done.
func (c *client) ledger() demo.Ledger {
	var ledger demo.Ledger
	body := get(c.s.t, "http://"+net.JoinHostPort(c.s.only("site").ip(), "8080")+demo.GatewayPath+"/ledger")
	if err := json.Unmarshal(body, &ledger); err != nil {
		c.s.t.Fatal(err)
	}
	return ledger
}

// get reads a URL, which must answer with 200.
func get(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v: %s", url, res.Status, err, body)
	}
	return body
}
