package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// TestDoctorOnALiveSystem examines and mends over and over while workers execute
// hundreds of runs and clients start, pause, resume, cancel and retry them: it
// finds nothing, since nothing is wrong, and does no harm.
func TestDoctorOnALiveSystem(t *testing.T) {
	server := testredis.Start(t)
	w := newWard(t, server, 3)
	w.healthy.Store(true)
	for range 3 {
		defer w.worker()()
	}
	ctx, cancel := context.WithCancel(t.Context())
	var clients, doctors sync.WaitGroup
	const each = 120
	for client := range 3 {
		clients.Go(func() { w.disturb(client, each) })
	}
	rounds := 0
	doctors.Go(func() {
		for ; ctx.Err() == nil; rounds++ {
			for f, err := range w.store.Examine(ctx, redisstore.ExamineConfig{Fix: true, Deep: rounds%2 == 0, Lease: wardLease}) {
				if err != nil && ctx.Err() == nil {
					t.Errorf("Examine = %v", err)
				}
				if err == nil {
					t.Errorf("Examine of a live system found %+v, want nothing", f)
				}
			}
		}
	})
	clients.Wait()
	for client := range 3 {
		for i := range each {
			w.wantEnded(fmt.Sprintf("run-%d-%d", client, i), i)
		}
	}
	cancel()
	doctors.Wait()
	if rounds < 3 {
		t.Errorf("examined %d times, want at least 3: the test shows nothing", rounds)
	}
	t.Logf("examined %d times", rounds)
	if found := w.examine(redisstore.ExamineConfig{Deep: true}); len(found) > 0 {
		t.Errorf("Examine when all is done = %+v, want nothing", found)
	}
}

// disturb starts runs and does to some of them what clients do.
func (w *ward) disturb(client, count int) {
	ctx := w.t.Context()
	for i := range count {
		id := fmt.Sprintf("run-%d-%d", client, i)
		workflow := []string{"sum", "ask", "fail"}[i%3]
		w.healthy.Store(rand.N(4) > 0)
		_, err := w.control.Start(ctx, workflow, fmt.Append(nil, i), flox.WithID(id), flox.After(rand.N(50*time.Millisecond)))
		if err != nil {
			w.t.Errorf("Start = %v", err)
			return
		}
		controls := []func(context.Context, string) error{w.control.Pause, w.control.Resume, w.control.Cancel, w.retry}
		for range rand.N(4) {
			target := fmt.Sprintf("run-%d-%d", client, rand.N(i+1))
			if err := controls[rand.N(len(controls))](ctx, target); err != nil && !errors.Is(err, flox.ErrRefused) {
				w.t.Errorf("control of %s = %v", target, err)
			}
		}
		if i%5 == 0 {
			w.passing("gone-" + id)
		}
	}
	w.healthy.Store(true)
}

// passing starts a run, cancels it and deletes it.
func (w *ward) passing(run string) {
	ctx := w.t.Context()
	if _, err := w.control.Start(ctx, "sum", []byte("1"), flox.WithID(run)); err != nil {
		w.t.Errorf("Start = %v", err)
	}
	if err := w.control.Cancel(ctx, run); err != nil && !errors.Is(err, flox.ErrRefused) { // it is quicker
		w.t.Errorf("Cancel(%s) = %v", run, err)
	}
	if _, err := w.store.Delete(ctx, run); err != nil {
		w.t.Errorf("Delete(%s) = %v", run, err)
	}
}

func (w *ward) retry(ctx context.Context, run string) error { return w.control.Retry(ctx, run) }

// wantEnded brings a run to its end, however it stands, and checks its output.
func (w *ward) wantEnded(run string, input int) {
	w.t.Helper()
	ctx := w.t.Context()
	w.until(run+" ends", func() bool {
		switch w.status(run) {
		case flox.StatusPaused:
			_ = w.control.Resume(ctx, run)
		case flox.StatusFailed:
			_ = w.control.Retry(ctx, run)
		case flox.StatusRunning, flox.StatusPending:
			_ = goAhead.Send(ctx, w.control, run, true) // it may not be at its wait yet
		default:
			return true
		}
		return false
	})
	if w.status(run) == flox.StatusCancelled {
		return
	}
	want := input
	if input%3 == 0 {
		want = 3 * input
	}
	outs, err := w.store.Outputs(ctx, run)
	if err != nil || len(outs) != 1 {
		w.t.Fatalf("Outputs(%s) = %d, %v, want 1", run, len(outs), err)
	}
	if got, err := flox.PayloadJSON(outs[0]); err != nil || string(got) != fmt.Sprint(want) {
		w.t.Errorf("output of run %s = %s, %v, want %d", run, got, err, want)
	}
}
