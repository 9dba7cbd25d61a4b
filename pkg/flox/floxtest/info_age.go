package floxtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func listAge(d *driver) { d.swiftly(between+between/4+between, agesAreTold) }

// between is the age that old runs have reached and young ones have not.
const between = time.Second

func agesAreTold(d *driver) string {
	wf, old, young, ended := d.run, d.run+"-old", d.run+"-young", d.run+"-ended"
	d.startRuns(wf, old, ended)
	d.b.Advance(between + between/4)
	d.startRuns(wf, young)
	d.scene(ended).control(flox.ControlCancel)
	for _, c := range []struct {
		older, newer time.Duration
		limit        int
		want         []string
	}{
		{older: between, limit: 1, want: []string{old}},
		{newer: between, limit: 1, want: []string{young, ended}},
		{older: between, newer: time.Hour, limit: 9, want: []string{old}},
		{older: time.Hour, limit: 9},
	} {
		req := flox.ListRequest{RunFilter: flox.RunFilter{Workflow: wf, OlderThan: c.older, NewerThan: c.newer}, Limit: c.limit}
		if got := d.list(req); !slices.Equal(got, c.want) {
			return fmt.Sprintf("List(%+v) = %q, want %q", req, got, c.want)
		}
	}
	return ""
}
