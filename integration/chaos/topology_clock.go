package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strconv"
	"time"

	"github.com/floxrun/flox/internal/metrics"
	"github.com/floxrun/flox/pkg/redisstore"
)

func init() {
	register(
		scenario{name: "redis-clock-ahead", row: "Redis clock +1 h", topologies: []string{clocked}, run: func(ctx context.Context, t *trial) error {
			return moveClock(ctx, t, time.Hour)
		}},
		scenario{name: "redis-clock-back", row: "Redis clock -2 h", topologies: []string{clocked}, run: func(ctx context.Context, t *trial) error {
			return moveClock(ctx, t, -2*time.Hour)
		}},
	)
}

// moveClock sets the server's clock by so much under load. One that was set back
// raises the alarm, and is right again later: what is due by it comes so late
// until then that the runs would not end.
func moveClock(ctx context.Context, t *trial, by time.Duration) error {
	t.judgeAcknowledged(false)
	c := t.Site.Extra.(clock)
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	alarm, err := t.alarm(ctx)
	if err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	t.Fired("clock moved", 0)
	if err := t.setClock(ctx, c, by); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	// One of the workers dies with leases that began before, or at a time to come.
	workers := t.Fleet.Workers()
	t.Fleet.Kill(workers[t.Random.IntN(len(workers))])
	if _, err := t.Fleet.Start(); err != nil {
		return err
	}
	if by < 0 {
		err := t.Await(ctx, "the alarm is raised", func() (bool, error) { n, err := alarm(); return n > 0, err })
		t.Judge("alarm", err == nil, "the clock ran backwards and no alarm was raised: %v", err)
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	if by < 0 {
		if err := t.setClock(ctx, c, 0); err != nil {
			return err
		}
	} else {
		n, err := alarm()
		t.Judge("alarm", err == nil && n == 0, "the clock was set ahead and the alarm for one that is set back shows %v (%v)", n, err)
	}
	t.Calm()
	return f.End()
}

// setClock sets the server's clock to so much beside this machine's, and looks
// whether it is.
func (t *trial) setClock(ctx context.Context, c clock, by time.Duration) error {
	if err := c.set(by); err != nil {
		return err
	}
	err := t.Await(ctx, "the clock is set", func() (bool, error) {
		now, err := t.Nodes()[0].Time(ctx).Result()
		return now.Sub(time.Now().Add(by)).Abs() < time.Minute, err
	})
	if err == nil {
		t.Fired("clock moved", 1)
	}
	return err
}

var regressions = regexp.MustCompile(`(?m)^flox_redis_clock_regressions_total\{.*\} (\S+)$`)

// alarm begins to watch the server as orchestrator serve does; the function says
// what the metric behind the alert FloxClockRegression shows.
func (t *trial) alarm(ctx context.Context) (func() (float64, error), error) {
	st, err := t.Store(ctx)
	if err != nil {
		return nil, err
	}
	hosts, err := redisstore.Hosts(t.Site.URL)
	if err != nil {
		return nil, err
	}
	watch := metrics.NewCluster(metrics.ClusterConfig{
		Namespace: t.Namespace, Hosts: hosts, Interval: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = watch.Run(watching, st)
	}()
	t.onClose(func() { stop(); <-done })
	return func() (float64, error) {
		answer := httptest.NewRecorder()
		watch.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return 0, err
		}
		m := regressions.FindSubmatch(text)
		if m == nil {
			return 0, fmt.Errorf("there is no flox_redis_clock_regressions_total among %d bytes of metrics", len(text))
		}
		return strconv.ParseFloat(string(m[1]), 64)
	}, nil
}
