package floxtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var metricsChecks = []check{
	{"Stats", stats},
	{"Queues", queueStats},
	{"QueuesDelayed", delayedStats},
	{"Watch", watch},
	{"WatchUndo", watchUndo},
	{"WatchEnds", watchEnds},
	{"WatchSlowReader", watchSlow},
}

// stats brings runs to every status and compares the counts with the runs.
func stats(d *driver) {
	for i, wf := range []string{"tea", "coffee"} {
		for j := range 9 {
			scene := d.scene(fmt.Sprintf("run-%d-%d", i, j))
			req := scene.request()
			req.Workflow = wf
			d.must(d.s.Start(d.ctx, req))
			scene.wantStats()
			scene.stir(j)
			scene.wantStats()
		}
	}
}

// stir does something to the started run, which differs by kind.
func (d *driver) stir(kind int) {
	d.t.Helper()
	switch kind {
	case 1:
		d.commit(end(d.take(), "out"), flox.VerdictReleased)
	case 2:
		d.control(flox.ControlPause)
	case 3:
		d.control(flox.ControlCancel)
	case 4:
		d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	case 5:
		d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
		d.control(flox.ControlRetry)
	case 6:
		d.stirUndo()
	case 7:
		d.stirUndo()
		d.commit(endSilently(d.take()), flox.VerdictReleased)
	case 8:
		d.stirUndo()
		d.commit(fail(d.take(), "stuck"), flox.VerdictReleased)
		d.wantStats()
		d.control(flox.ControlRetry)
	}
}

// stirUndo brings the started run to where it undoes.
func (d *driver) stirUndo() {
	d.t.Helper()
	d.commit(undone(next(d.take(), "second")), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.wantStats()
	d.settle()
}

// wantStats checks that the counts are the sums over the runs.
func (d *driver) wantStats() {
	d.t.Helper()
	got, err := d.s.Stats(d.ctx)
	d.must(err)
	want := map[string]map[flox.Status]int64{}
	for _, run := range d.list(flox.ListRequest{Limit: 50}) {
		info, err := d.s.Info(d.ctx, run)
		d.must(err)
		if want[info.Workflow] == nil {
			want[info.Workflow] = map[flox.Status]int64{}
		}
		want[info.Workflow][asRunning(info.Status)]++
	}
	for _, wf := range []string{"tea", "coffee"} {
		for _, s := range []flox.Status{
			flox.StatusRunning, flox.StatusPaused, flox.StatusUndoing,
			flox.StatusCompleted, flox.StatusFailed, flox.StatusCancelled,
		} {
			if got[wf][s] != want[wf][s] {
				d.t.Fatalf("Stats of %s: %d %s, want %d", wf, got[wf][s], s, want[wf][s])
			}
		}
	}
}

// asRunning counts a pending run as running.
func asRunning(s flox.Status) flox.Status {
	if s == flox.StatusPending {
		return flox.StatusRunning
	}
	return s
}

func queueStats(d *driver) {
	first := d.measure()
	d.commit(fan(d.begin(), 4), flox.VerdictReleased)
	d.take()
	late := retry(d.take())
	late.Delay = 1 << 40
	d.commit(late, flox.VerdictReleased)
	d.b.Advance(20 * time.Millisecond)
	queues, err := d.s.Queues(d.ctx, []string{d.other, d.queue})
	d.must(err)
	if len(queues) != 2 || queues[0].Name != d.other || queues[1].Name != d.queue {
		d.t.Fatalf("Queues = %+v, want %q and %q", queues, d.other, d.queue)
	}
	if q := queues[0]; q.Ready != 0 || q.Leased != 0 || q.Delayed != 0 || q.Taken > 0 || q.Oldest != 0 || q.OldestReady != 0 {
		d.t.Errorf("Queues = %+v, want it empty", q)
	}
	if q := queues[1]; q.Ready != 2 || q.Leased != 1 || q.Delayed != 1 || q.Oldest < 10*time.Millisecond || q.Oldest > time.Minute {
		d.t.Errorf("Queues = %+v, want 2 ready, 1 leased, 1 delayed, some ms old", q)
	}
	if q := queues[1]; q.OldestReady < 10*time.Millisecond || q.OldestReady > q.Oldest {
		d.t.Errorf("Queues = %+v, want the oldest that is ready some ms old", q)
	}
	d.wantHandedOut(first, 3)
	third, fourth := d.take(), d.take()
	if q := d.measure(); q.Ready != 0 || q.Leased != 3 || q.OldestReady != 0 || q.Oldest < 10*time.Millisecond {
		d.t.Errorf("Queues = %+v, want 3 leased, some ms old, and none ready", q)
	}
	d.commit(end(third, "out"), flox.VerdictReleased)
	d.commit(end(fourth, "out"), flox.VerdictReleased)
	d.wantHandedOut(first, 5)
}

// delayedStats has tokens that wait in the timers of two queues, and what stands
// there besides: a deadline, which is none.
func delayedStats(d *driver) {
	for i := range 3 {
		scene := d.scene(fmt.Sprintf("run-%d", i))
		req := scene.request()
		req.Delay, req.Deadline = time.Hour, 2*time.Hour
		if i > 0 {
			req.Queue = d.other
		}
		d.must(d.s.Start(d.ctx, req))
	}
	waits := await(d.begin(), "signal")
	waits.Delay = time.Hour
	d.commit(waits, flox.VerdictReleased)
	names := []string{"run-0-queue", d.queue, d.other}
	queues, err := d.s.Queues(d.ctx, names)
	d.must(err)
	for i, want := range []int64{1, 1, 2} {
		if q := queues[i]; q.Name != names[i] || q.Delayed != want || q.Ready != 0 {
			d.t.Errorf("Queues = %+v, want %d delayed of %s and none ready", q, want, names[i])
		}
	}
}

func (d *driver) measure() flox.QueueStats {
	d.t.Helper()
	queues, err := d.s.Queues(d.ctx, []string{d.queue})
	d.must(err)
	return queues[0]
}

// wantHandedOut checks how many entries were handed out since the first reading.
func (d *driver) wantHandedOut(first flox.QueueStats, want int64) {
	d.t.Helper()
	if q := d.measure(); q.Taken >= 0 && q.Taken-first.Taken != want {
		d.t.Errorf("Queues = %+v, want %d more taken than the %d at first", q, want, first.Taken)
	}
}

func watch(d *driver) {
	ctx, cancel := context.WithTimeout(d.ctx, patience)
	defer cancel()
	events, err := d.s.Watch(ctx)
	d.must(err)
	l := d.begin()
	d.control(flox.ControlPause)
	d.control(flox.ControlResume)
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	d.wantEvents(events, flox.StatusRunning, flox.StatusPaused, flox.StatusRunning,
		flox.StatusFailed, flox.StatusRunning, flox.StatusCompleted)
}

func watchUndo(d *driver) {
	ctx, cancel := context.WithTimeout(d.ctx, patience)
	defer cancel()
	events, err := d.s.Watch(ctx)
	d.must(err)
	d.beginUndo(1)
	d.commit(fail(d.take(), "stuck"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.undo(1, "0.0")
	d.wantEvents(events, flox.StatusRunning, flox.StatusUndoing, flox.StatusFailed, flox.StatusUndoing, flox.StatusFailed)
}

// wantEvents reads events of the run until there are enough.
func (d *driver) wantEvents(events <-chan flox.RunEvent, want ...flox.Status) {
	d.t.Helper()
	var got []flox.Status
	for event := range events {
		if event.Run != d.run {
			d.t.Errorf("event %+v, want it of %s", event, d.run)
		}
		if got = append(got, asRunning(event.Status)); len(got) == len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("events %q, want %q", got, want)
	}
}

func watchEnds(d *driver) {
	ctx, cancel := context.WithCancel(d.ctx)
	events, err := d.s.Watch(ctx)
	d.must(err)
	cancel()
	wantClosed(d, events)
}

// wantClosed checks that a channel is closed, with nothing in it.
func wantClosed[E any](d *driver, events <-chan E) {
	d.t.Helper()
	select {
	case event, open := <-events:
		if open {
			d.t.Errorf("event %+v, want the channel closed", event)
		}
	case <-time.After(patience):
		d.t.Error("the channel was not closed when its context ended")
	}
}

// watchSlow has a watcher that never reads: it must not hold up anyone.
func watchSlow(d *driver) {
	_, err := d.s.Watch(d.ctx)
	d.must(err)
	d.unheard()
}

// unheard changes a run's status more often than a channel that nobody reads can hold.
func (d *driver) unheard() {
	d.start()
	for range 300 {
		d.control(flox.ControlPause)
		d.control(flox.ControlResume)
	}
	d.settle()
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}
