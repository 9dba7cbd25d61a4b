package floxtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var recordChecks = []check{
	{"History", history},
	{"HistoryPages", historyPages},
	{"Errors", errorRecords},
	{"ErrorsCapped", errorsCapped},
}

func (d *driver) history(from, limit int) []string {
	d.t.Helper()
	records, err := d.s.History(d.ctx, d.run, from, limit)
	d.must(err)
	var steps []string
	for _, r := range records {
		steps = append(steps, r.Item+" "+r.Node+" "+r.Outcome)
		if r.Time.IsZero() || r.Attempt != 1 {
			d.t.Fatalf("History = %+v, want a time and attempt 1", r)
		}
	}
	return steps
}

func history(d *driver) {
	l := d.begin()
	if steps := d.history(0, 10); len(steps) > 0 {
		d.t.Errorf("History = %q, want none yet", steps)
	}
	d.commit(retry(l), flox.VerdictReleased)
	d.promote(1)
	d.commit(fallback(d.take(), "plan-b"), flox.VerdictReleased)
	d.commit(fanJoin(d.take(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(deposit(items["0.1.1"], "b"), flox.VerdictReleased)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	want := []string{"0.0 first next", "0.1 plan-b fan", "0.1.1.0 branch deposit", "0.2 branch deposit", "0.1.j.0 join end"}
	if steps := d.history(0, 10); !slices.Equal(steps, want) {
		d.t.Errorf("History = %q, want %q", steps, want)
	}
}

func historyPages(d *driver) {
	l := d.begin()
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("0.%d %s next", i, l.Item.Node))
		c := keep(l, fmt.Sprintf("node%d", i))
		d.commit(c, flox.VerdictKept)
		l = kept(l, c)
	}
	for _, size := range []int{3, 8, 25, 100} {
		var got []string
		for len(got) < 100 {
			page := d.history(len(got), size)
			if len(page) > size {
				d.t.Fatalf("History = %d records, want at most %d", len(page), size)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.Equal(got, want) {
			d.t.Errorf("History in pages of %d = %q, want %q", size, got, want)
		}
	}
}

func errorRecords(d *driver) {
	l := d.begin()
	d.commit(retry(l), flox.VerdictReleased)
	d.promote(1)
	l = d.take()
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	errs, err := d.s.Errors(d.ctx, d.run)
	d.must(err)
	if len(errs) != 2 {
		d.t.Fatalf("Errors = %+v, want 2", errs)
	}
	for i, e := range errs {
		if e.Item != "0.0" || e.Node != "first" || e.Attempt != i+1 || e.Class != flox.ClassError ||
			e.Message != "boom" || e.Final != (i == 1) || e.Time.IsZero() || time.Since(e.Time) > 24*time.Hour {
			d.t.Errorf("error %d = %+v, want attempt %d of 0.0 at first: boom", i, e, i+1)
		}
	}
	if errs[1].Time.Before(errs[0].Time) {
		d.t.Errorf("errors at %v, %v: want them in order", errs[0].Time, errs[1].Time)
	}
}

// errorsCapped makes more errors than are kept: the newest stay.
func errorsCapped(d *driver) {
	const n = 130
	l := d.begin()
	for i := range n {
		c := keep(l, "again")
		c.Err = flox.EncodeRecord(flox.ErrorRecord{Item: l.Lease.Item(), Attempt: i})
		c.Fallback = true
		d.commit(c, flox.VerdictKept)
		l = kept(l, c)
	}
	errs, err := d.s.Errors(d.ctx, d.run)
	d.must(err)
	if len(errs) < 100 || len(errs) > n {
		d.t.Fatalf("%d errors kept, want at least 100 of %d", len(errs), n)
	}
	for i, e := range errs {
		if want := n - len(errs) + i; e.Attempt != want {
			d.t.Fatalf("error %d is of attempt %d, want %d: the newest, oldest first", i, e.Attempt, want)
		}
	}
}
