package flox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// lossyStore loses every lease, and takes nothing back at first.
type lossyStore struct {
	flox.Store
	once sync.Once
}

func (*lossyStore) Renew(context.Context, flox.Lease) (flox.Health, error) {
	return flox.HealthLost, nil
}

func (s *lossyStore) Handback(ctx context.Context, l flox.Lease, unknown bool) (v flox.Verdict, err error) {
	err = errors.New("out of paper")
	s.once.Do(func() { v, err = s.Store.Handback(ctx, l, unknown) })
	return v, err
}

// logged is a log as records.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// TestLinesNameTheirItem wants run, item, node and attempt on each line that is
// about an item, of the worker and of the node.
func TestLinesNameTheirItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		b := flox.New[flox.NoState]("slow").Timeout(time.Hour)
		slow := flox.Func(b, "slow", func(ctx context.Context, n int) (int, error) {
			info, _ := flox.InfoFrom(ctx)
			info.Logger.Info("at work")
			<-ctx.Done()
			return n, ctx.Err()
		})
		wf, err := flox.Build(b, slow, slow)
		if err != nil {
			t.Fatal(err)
		}
		st := &lossyStore{Store: flox.NewMemory()}
		w, err := flox.NewWorker(st, &flox.WorkerConfig{Logger: slog.New(slog.NewJSONHandler(log, nil))}, wf)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		orch, err := flox.NewOrchestrator(st, wf, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := orch.Start(ctx, 1, flox.WithID("r1")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		stop()
		running.Wait()
		seen := map[string]bool{}
		for line := range strings.Lines(log.buf.String()) {
			var l struct {
				Msg, Run, Item, Node string
				Attempt              int
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			switch l.Msg {
			case "at work", "lease lost during the step", "store call failed":
				seen[l.Msg] = true
				if l.Run != "r1" || l.Item != "0.0" || l.Node != "slow" || l.Attempt != 1 {
					t.Errorf("a line does not name its item: %s", line)
				}
			}
		}
		if len(seen) != 3 {
			t.Errorf("the log has lines %v, want all three:\n%s", seen, log.buf.String())
		}
	})
}
