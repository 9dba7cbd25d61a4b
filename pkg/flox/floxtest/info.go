package floxtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var infoChecks = []check{
	{"NotFound", notFound},
	{"ListEmpty", listEmpty},
	{"ListPages", listPages},
	{"ListStatus", listStatus},
	{"ListWorkflow", listWorkflow},
	{"ListExactStatus", listExactStatus},
	{"ListLabels", listLabels},
	{"ListAge", listAge},
	{"ListOldestFirst", listOldestFirst},
	{"CheckpointPages", checkpointPages},
	{"StateSince", stateSince},
}

func notFound(d *driver) {
	_, infoErr := d.s.Info(d.ctx, "nobody")
	_, outputsErr := d.s.Outputs(d.ctx, "nobody")
	_, stateErr := d.s.State(d.ctx, "nobody", 0)
	_, _, checkpointErr := d.s.Checkpoint(d.ctx, "nobody", "", 10)
	_, errorsErr := d.s.Errors(d.ctx, "nobody")
	_, historyErr := d.s.History(d.ctx, "nobody", 0, 10)
	for i, err := range []error{infoErr, outputsErr, stateErr, checkpointErr, errorsErr, historyErr} {
		if !errors.Is(err, flox.ErrNotFound) {
			d.t.Errorf("question %d about an unknown run = %v, want flox.ErrNotFound", i, err)
		}
	}
}

// list returns all pages of a list, and checks their size.
func (d *driver) list(req flox.ListRequest) []string {
	d.t.Helper()
	var runs []string
	for range 50 {
		page, err := d.s.List(d.ctx, req)
		d.must(err)
		if len(page.Runs) > req.Limit {
			d.t.Fatalf("List = %d runs, want at most %d", len(page.Runs), req.Limit)
		}
		for _, info := range page.Runs {
			runs = append(runs, info.ID)
			if full, err := d.s.Info(d.ctx, info.ID); err != nil || full.Status != info.Status || full.Workflow != info.Workflow {
				d.t.Fatalf("List shows %+v, Info %+v, %v", info, full, err)
			}
		}
		if req.Cursor = page.Next; req.Cursor == "" {
			return runs
		}
	}
	d.t.Fatalf("List(%+v) never comes to an end", req)
	return nil
}

var activeRuns = flox.RunFilter{Statuses: flox.ActiveStatuses()}

// byStatus selects the runs of a status, all runs if that is "".
func byStatus(status flox.Status) flox.RunFilter {
	if status == "" {
		return flox.RunFilter{}
	}
	return flox.RunFilter{Statuses: []flox.Status{status}}
}

func (d *driver) wantList(req flox.ListRequest, want ...string) {
	d.t.Helper()
	if got := d.list(req); !slices.Equal(got, want) {
		d.t.Fatalf("List(%+v) = %q, want %q", req, got, want)
	}
}

func listEmpty(d *driver) {
	for _, status := range []flox.Status{"", flox.StatusRunning, flox.StatusFailed} {
		d.wantList(flox.ListRequest{RunFilter: byStatus(status), Limit: 10})
	}
}

// startRuns starts runs one after the other, so that they have an order in time.
func (d *driver) startRuns(workflow string, runs ...string) {
	d.t.Helper()
	for _, run := range runs {
		req := d.request()
		req.Run, req.Nonce, req.Workflow = run, "start-"+run, workflow
		d.must(d.s.Start(d.ctx, req))
		d.b.Advance(3 * time.Millisecond)
	}
}

func listPages(d *driver) {
	d.startRuns(workflow, "a", "b.1", "c", "d", "e")
	for _, limit := range []int{1, 2, 5, 10} {
		d.wantList(flox.ListRequest{RunFilter: activeRuns, Limit: limit}, "e", "d", "c", "b.1", "a")
	}
}

func listStatus(d *driver) {
	end1 := d.scene("end1")
	end1.commit(end(end1.begin(), "out"), flox.VerdictReleased)
	failed := d.scene("failed")
	failed.commit(fail(failed.begin(), "boom"), flox.VerdictReleased)
	cancelled := d.scene("cancelled")
	cancelled.start()
	cancelled.control(flox.ControlCancel)
	paused := d.scene("paused")
	paused.start()
	paused.control(flox.ControlPause)
	d.b.Advance(3 * time.Millisecond)
	end2 := d.scene("end2")
	end2.commit(end(end2.begin(), "out"), flox.VerdictReleased)
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusCompleted), Limit: 1}, "end2", "end1")
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusFailed), Limit: 10}, "failed")
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusCancelled), Limit: 10}, "cancelled")
	d.wantList(flox.ListRequest{RunFilter: activeRuns, Limit: 10}, "paused")
	for _, limit := range []int{1, 2, 10} {
		all := d.list(flox.ListRequest{Limit: limit})
		slices.Sort(all)
		if want := []string{"cancelled", "end1", "end2", "failed", "paused"}; !slices.Equal(all, want) {
			d.t.Errorf("List of all, %d a page = %q, want %q", limit, all, want)
		}
	}
	failed.control(flox.ControlRetry)
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusFailed), Limit: 10})
	if active := d.list(flox.ListRequest{RunFilter: activeRuns, Limit: 10}); !slices.Contains(active, "failed") {
		d.t.Errorf("List of active runs = %q, want the retried one too", active)
	}
}

func listWorkflow(d *driver) {
	d.startRuns("tea", "a", "b")
	d.startRuns("coffee", "c")
	d.startRuns("tea", "d")
	for _, limit := range []int{1, 10} {
		d.wantList(flox.ListRequest{RunFilter: flox.RunFilter{Workflow: "tea"}, Limit: limit}, "d", "b", "a")
		d.wantList(flox.ListRequest{RunFilter: flox.RunFilter{Workflow: "coffee", Statuses: flox.ActiveStatuses()}, Limit: limit}, "c")
		d.wantList(flox.ListRequest{RunFilter: flox.RunFilter{Workflow: "milk"}, Limit: limit})
	}
}

// listExactStatus tells apart the runs that have not ended.
func listExactStatus(d *driver) {
	d.startRuns(workflow, "a", "b", "c", "d")
	for _, run := range []string{"b", "d"} {
		paused := d.scene(run)
		paused.control(flox.ControlPause)
	}
	for _, limit := range []int{1, 2, 3, 10} {
		d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusPaused), Limit: limit}, "d", "b")
		d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusPending), Limit: limit}, "c", "a")
		d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusUndoing), Limit: limit})
		both := flox.RunFilter{Statuses: []flox.Status{flox.StatusPaused, flox.StatusPending}}
		d.wantList(flox.ListRequest{RunFilter: both, Limit: limit}, "d", "c", "b", "a")
	}
}

func listLabels(d *driver) {
	for run, labels := range map[string]map[string]string{
		"a": {"team": "north", "tier": "gold, mostly"}, "b": {"team": "south"}, "c": nil, "d": {"team": "north"},
	} {
		req := d.request()
		req.Run, req.Nonce, req.Labels = run, run, labels
		d.must(d.s.Start(d.ctx, req))
		info, err := d.s.Info(d.ctx, run)
		d.must(err)
		if !maps.Equal(info.Labels, labels) {
			d.t.Errorf("Info(%s).Labels = %v, want %v", run, info.Labels, labels)
		}
	}
	for _, c := range []struct {
		labels map[string]string
		want   []string
	}{
		{map[string]string{"team": "north"}, []string{"a", "d"}},
		{map[string]string{"team": "north", "tier": "gold, mostly"}, []string{"a"}},
		{map[string]string{"team": ""}, nil},
		{map[string]string{"town": "north"}, nil},
	} {
		got := d.list(flox.ListRequest{RunFilter: flox.RunFilter{Labels: c.labels}, Limit: 1})
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			d.t.Errorf("List of label %v = %q, want %q", c.labels, got, c.want)
		}
	}
}

func listOldestFirst(d *driver) {
	d.startRuns(workflow, "a", "b", "c", "d", "e")
	for _, run := range []string{"d", "b"} {
		d.scene(run).control(flox.ControlCancel)
		d.b.Advance(3 * time.Millisecond)
	}
	for _, limit := range []int{1, 2, 5, 10} {
		d.wantList(flox.ListRequest{Limit: limit}, "e", "c", "a", "b", "d")
		d.wantList(flox.ListRequest{OldestFirst: true, Limit: limit}, "a", "c", "e", "d", "b")
	}
}

func checkpointPages(d *driver) {
	const n = 120
	d.commit(fan(d.begin(), n), flox.VerdictReleased)
	tokens := d.tokens()
	if len(tokens) != n {
		d.t.Fatalf("Checkpoint = %d tokens, want %d", len(tokens), n)
	}
	for _, token := range slices.Sorted(maps.Keys(tokens)) {
		if info := tokens[token]; info.Node != "branch" || info.Queue != d.queue || info.Place != flox.PlaceQueued {
			d.t.Fatalf("Checkpoint = %+v, want it queued at branch", info)
		}
	}
}

func stateSince(d *driver) {
	l := d.begin()
	for i := range 5 {
		c := keep(l, fmt.Sprintf("node%d", i))
		if i == 2 {
			c.Delta = nil
		}
		d.commit(c, flox.VerdictKept)
		l = kept(l, c)
	}
	want := []string{"delta of 0.0", "delta of 0.1", "delta of 0.3", "delta of 0.4"}
	for since := range 5 {
		log, err := d.s.State(d.ctx, d.run, int64(since))
		d.must(err)
		got := fmt.Sprintf("%q", log.Deltas)
		if log.Version != 4 || log.Snapshot != nil || got != fmt.Sprintf("%q", want[since:]) {
			d.t.Errorf("State since %d = %s, version %d, want %q, 4", since, got, log.Version, want[since:])
		}
	}
}
