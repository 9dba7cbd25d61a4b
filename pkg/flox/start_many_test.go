package flox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// numbered yields n items, run-0 and so on, and at most one error: in front of
// the item with index bad.
func numbered(n, bad int, err error) iter.Seq2[flox.StartItem, error] {
	return func(yield func(flox.StartItem, error) bool) {
		for i := range n {
			if i == bad && !yield(flox.StartItem{}, err) {
				return
			}
			item := flox.StartItem{ID: fmt.Sprintf("run-%d", i), Input: []byte("1"), Source: fmt.Sprintf("line %d", i+1)}
			if !yield(item, nil) {
				return
			}
		}
	}
}

func wantStarted(t *testing.T, got flox.StartManyResult, err error, started, existed int64) {
	t.Helper()
	if want := (flox.StartManyResult{Started: started, Existed: existed}); err != nil || got != want {
		t.Errorf("StartMany = %+v, %v, want %+v", got, err, want)
	}
}

// TestStartMany starts what is missing, and nothing twice.
func TestStartMany(t *testing.T) {
	st := flox.NewMemory()
	c := crowd(t, st, 0, "a")
	got, err := c.StartMany(t.Context(), "a", numbered(100, -1, nil), nil)
	wantStarted(t, got, err, 100, 0)
	if err := c.Cancel(t.Context(), "run-7"); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), "run-7"); err != nil {
		t.Fatal(err)
	}
	calls, last := 0, flox.StartManyResult{}
	got, err = c.StartMany(t.Context(), "a", numbered(150, -1, nil), &flox.StartManyConfig{
		Concurrency: 3, Progress: func(r flox.StartManyResult) { calls++; last = r },
	})
	wantStarted(t, got, err, 51, 99)
	if calls != 150 || last != got {
		t.Errorf("%d calls of Progress, the last with %+v, want 150 and %+v", calls, last, got)
	}
	fresh := func(yield func(flox.StartItem, error) bool) {
		_ = yield(flox.StartItem{Input: []byte("1"), Options: []flox.StartOption{flox.WithLabel("k", "v")}}, nil) &&
			yield(flox.StartItem{Input: []byte("1")}, nil)
	}
	for range 2 {
		got, err = c.StartMany(t.Context(), "a", fresh, nil)
		wantStarted(t, got, err, 2, 0)
	}
	labelled, err := c.Bulk(t.Context(), flox.ControlCancel, flox.RunFilter{Labels: map[string]string{"k": "v"}}, &flox.BulkConfig{DryRun: true})
	wantBulk(t, "runs with the label", labelled, err, flox.BulkResult{Total: 2})
}

// TestStartManyStops starts what comes before a bad item and nothing behind it.
func TestStartManyStops(t *testing.T) {
	bad := errors.New("line 41: bad")
	c := crowd(t, flox.NewMemory(), 0, "a", "b")
	got, err := c.StartMany(t.Context(), "a", numbered(100, 40, bad), nil)
	if !errors.Is(err, bad) || got.Started != 40 {
		t.Errorf("StartMany = %+v, %v, want 40 and the bad item's error", got, err)
	}
	if _, err := c.Show(t.Context(), "run-39"); err != nil {
		t.Error(err)
	}
	if _, err := c.Show(t.Context(), "run-40"); !errors.Is(err, flox.ErrNotFound) {
		t.Errorf("Show of a run behind the bad item = %v, want %v", err, flox.ErrNotFound)
	}
	got, err = c.StartMany(t.Context(), "a", numbered(100, -1, nil), nil)
	wantStarted(t, got, err, 60, 40)

	if _, err := c.Start(t.Context(), "b", []byte("1"), flox.WithID("run-120")); err != nil {
		t.Fatal(err)
	}
	got, err = c.StartMany(t.Context(), "a", numbered(1000, -1, nil), &flox.StartManyConfig{Concurrency: 4})
	want := "line 121: start: run run-120 exists already (pending); choose another id: it is a run of workflow b, not a"
	if fmt.Sprint(err) != want || !errors.Is(err, flox.ErrRunExists) || got.Existed != 100 || got.Started < 20 || got.Started > 23 {
		t.Errorf("StartMany = %+v, %v, want 20 to 23 started, and %s", got, err, want)
	}
}

// slow is a store in which the start of run-3 fails after that of run-5.
type slow struct {
	flox.Store
	later chan struct{}
}

func (s slow) Start(ctx context.Context, req flox.StartRequest) error {
	switch req.Run {
	case "run-3":
		<-s.later
		return errors.New("first")
	case "run-5":
		defer close(s.later)
		return errors.New("second")
	}
	return s.Store.Start(ctx, req)
}

// TestStartManyFirstError names the first bad item, whichever failed first.
func TestStartManyFirstError(t *testing.T) {
	mem := flox.NewMemory()
	crowd(t, mem, 0, "a")
	_, err := flox.NewControl(slow{mem, make(chan struct{})}).StartMany(t.Context(), "a", numbered(100, -1, nil), nil)
	if want := "line 4: start: first"; fmt.Sprint(err) != want {
		t.Errorf("StartMany = %v, want %s", err, want)
	}
}

func TestStartManyEnds(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := crowd(t, flox.NewMemory(), 0, "a")
	endless := func(yield func(flox.StartItem, error) bool) {
		for n := 0; yield(flox.StartItem{Input: []byte("1")}, nil); n++ {
			if n == 50 {
				cancel(why)
			}
		}
	}
	if got, err := c.StartMany(ctx, "a", endless, nil); !errors.Is(err, why) || got.Started < 10 {
		t.Errorf("StartMany = %+v, %v, want some started and %v", got, err, why)
	}
	if _, err := c.StartMany(t.Context(), "none", endless, nil); !errors.Is(err, flox.ErrNotFound) {
		t.Errorf("StartMany of an unknown workflow = %v, want %v", err, flox.ErrNotFound)
	}
	if _, err := c.StartMany(t.Context(), "a", endless, &flox.StartManyConfig{Concurrency: -1}); err == nil {
		t.Error("StartMany with a concurrency of -1 = nil, want an error")
	}
}

// TestStartRefusesText checks that what no worker can decode starts no run, and of
// many none behind it.
func TestStartRefusesText(t *testing.T) {
	c := crowd(t, flox.NewMemory(), 0, "a")
	const want = `start: input "{bad" is not valid JSON`
	if _, err := c.Start(t.Context(), "a", []byte("{bad")); err == nil || err.Error() != want {
		t.Errorf("Start = %v, want %s", err, want)
	}
	got, err := c.StartMany(t.Context(), "a", func(yield func(flox.StartItem, error) bool) {
		for i, text := range []string{"1", "{bad", "2"} {
			if !yield(flox.StartItem{Input: []byte(text), Source: fmt.Sprintf("line %d", i+1)}, nil) {
				return
			}
		}
	}, nil)
	if err == nil || err.Error() != "line 2: "+want || got.Started != 1 {
		t.Errorf("StartMany = %+v, %v, want 1 started, line 2: %s", got, err, want)
	}
}
