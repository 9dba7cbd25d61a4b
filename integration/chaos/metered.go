package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/floxrun/flox/integration/checker"
)

// Metered starts n workers whose metrics are judged at rest (S12), and waits until
// all of the fleet are ready. No worker of the fleet may end before that.
func (t *trial) Metered(ctx context.Context, n int, env ...string) error {
	t.Fired("workers scraped", 0)
	for range n {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		if _, err := t.Fleet.Start(append([]string{"FLOX_LISTEN=" + address}, env...)...); err != nil {
			return err
		}
		t.metered = append(t.metered, address)
	}
	return t.Ready(ctx)
}

// freeAddress is a loopback address that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// scrape reads the metrics of a worker.
func scrape(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("metrics of %s: %s", address, resp.Status)
	}
	return string(text), err
}

// meter gives the case what the metered workers have counted. A worker counts what
// the store has answered a moment later, so it is read until it agrees with the
// snapshot, or for long enough.
func (t *trial) meter(ctx context.Context, snap *checker.Snapshot, c *checker.Case) error {
	if len(t.metered) == 0 {
		return nil
	}
	err := t.Await(ctx, "the workers have counted what was done", func() (bool, error) {
		c.Metrics = nil
		for _, address := range t.metered {
			text, err := scrape(ctx, address)
			if err != nil {
				return false, err
			}
			c.Metrics = append(c.Metrics, text)
		}
		return snap.JudgeMetrics(*c).Violations() == 0, nil
	})
	if len(c.Metrics) < len(t.metered) {
		return fmt.Errorf("scrape the workers: %w", err)
	}
	t.Fired("workers scraped", len(c.Metrics))
	return nil // what does not agree is told by the snapshot's judgement
}
