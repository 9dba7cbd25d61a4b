package floxtest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var alertChecks = []check{
	{"Status", alertStatus},
	{"Timers", alertTimers},
	{"Ends", alertEnds},
	{"SlowReader", alertSlow},
}

// alerts listens for as long as a check may wait.
func (d *driver) alerts() (alerts <-chan flox.Alert, stop func()) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, patience)
	alerts, err := d.s.Alerts(ctx)
	d.must(err)
	return alerts, cancel
}

// alertStatus checks what workers are told, and that they are not told of the starts
// and the completions between.
func alertStatus(d *driver) {
	alerts, stop := d.alerts()
	defer stop()
	l := d.begin()
	d.control(flox.ControlPause)
	d.control(flox.ControlResume)
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	undoes := d.scene("undoes")
	undoes.beginUndo(1)
	ends := d.scene("ends")
	ends.start()
	ends.control(flox.ControlCancel)
	want := []flox.Alert{
		{Run: d.run, Status: flox.StatusPaused}, {Run: d.run, Status: flox.StatusRunning},
		{Run: d.run, Status: flox.StatusFailed}, {Run: d.run, Status: flox.StatusRunning},
		{Run: undoes.run, Status: flox.StatusUndoing}, {Run: ends.run, Status: flox.StatusCancelled},
	}
	var got []flox.Alert
	for a := range alerts {
		if got = append(got, a); len(got) == len(want) {
			break
		}
	}
	// Of several runs they may come in any order.
	byRun := func(a, b flox.Alert) int { return cmp.Compare(a.Run, b.Run) }
	slices.SortStableFunc(got, byRun)
	slices.SortStableFunc(want, byRun)
	if !slices.Equal(got, want) {
		d.t.Errorf("alerts %+v, want %+v", got, want)
	}
}

// alertTimers adds timers: workers must be told of one that is due before all others.
func alertTimers(d *driver) {
	alerts, stop := d.alerts()
	defer stop()
	for _, timer := range []struct {
		run   string
		delay time.Duration
	}{{"first", 3 * time.Hour}, {"later", 4 * time.Hour}, {"sooner", 2 * time.Hour}} {
		req := d.scene(timer.run).request()
		req.Delay = timer.delay
		d.must(d.s.Start(d.ctx, req))
	}
	limited := d.scene("limited")
	req := limited.request()
	req.Deadline = time.Hour
	d.must(d.s.Start(d.ctx, req))
	again := retry(limited.take())
	again.Delay = time.Minute
	limited.commit(again, flox.VerdictReleased)
	missing := []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour, time.Minute}
	for a := range alerts {
		if a.Run != "" {
			d.t.Errorf("alert %+v, want timers only", a)
		}
		// They may come in any order, and others of other parts of the store.
		missing = slices.DeleteFunc(missing, func(due time.Duration) bool { return a.Due <= due && a.Due > due-patience })
		if len(missing) == 0 {
			return
		}
	}
	d.t.Errorf("no alert of the timers due in %v", missing)
}

func alertEnds(d *driver) {
	alerts, stop := d.alerts()
	stop()
	wantClosed(d, alerts)
}

// alertSlow has a worker that never reads: it must not hold up anyone.
func alertSlow(d *driver) {
	_, err := d.s.Alerts(d.ctx)
	d.must(err)
	d.unheard()
}
