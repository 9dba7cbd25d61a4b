package demo

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// CheckLinkcheck compares the report and state of a link check with what is
// known of the site. It returns what is wrong: lost, repeated or false.
func CheckLinkcheck(report LinkReport, state LinkState, want SiteFacts) []string {
	var wrong faults
	wrong.counts("visit of", countBy(state.Visits, func(v Visit) string { return v.URL }), countBy(want.Visited, same))
	wrong.counts("seen", countBy(slices.Collect(maps.Keys(state.Seen)), same), countBy(want.Visited, same))
	wrong.number("state: fetched", int64(state.Fetched), len(want.Visited))
	wrong.number("state: pages", int64(state.Pages), want.Pages)
	wrong.number("state: links", int64(state.Links), want.Links)
	wrong.number("state: failures", int64(state.Failures), want.Failures)

	for _, v := range state.Visits {
		if took := time.Duration(v.Ms+1) * time.Millisecond; took < want.Slow[v.URL] {
			wrong.add("visit of %s took %v, want at least %v", v.URL, took, want.Slow[v.URL])
		}
	}

	if report.Start != want.Start {
		wrong.add("report: start is %s, want %s", report.Start, want.Start)
	}
	wrong.number("report: urls", int64(report.URLs), len(want.Visited))
	wrong.number("report: pages", int64(report.Pages), want.Pages)
	wrong.number("report: links", int64(report.Links), want.Links)
	wrong.number("report: left", int64(report.Left), 0)
	wrong.number("report: slowest", int64(len(report.Slowest)), min(maxSlowest, len(want.Visited)))
	if report.Clipped {
		wrong.add("report: is clipped")
	}
	wrong.counts("redirect", countBy(report.Redirects, sprint), countBy(want.Redirects, sprint))
	wrong.counts("broken link", countBy(report.Broken, brokenFact), countBy(want.Broken, brokenFact))
	return wrong
}

// brokenFact is what must be the same of a broken link: not the error's words.
func brokenFact(b Broken) string {
	return fmt.Sprintf("%s (status %d, given up %t, from %v and %d more)", b.URL, b.Status, b.Err != "", b.Referrers, b.More)
}

// faults collects what a check finds.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f *faults) number(what string, got int64, want int) {
	if got != int64(want) {
		f.add("%s is %d, want %d", what, got, want)
	}
}

// counts compares how often things are there with how often they should be.
func (f *faults) counts(what string, got, want map[string]int) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch n := got[key]; {
		case n == 0:
			f.add("lost: %s %s", what, key)
		case n != want[key]:
			f.add("repeated: %s %s: %d times, want %d", what, key, n, want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if want[key] == 0 {
			f.add("unexpected: %s %s", what, key)
		}
	}
}

func countBy[T any](list []T, key func(T) string) map[string]int {
	counts := make(map[string]int)
	for _, v := range list {
		counts[key(v)]++
	}
	return counts
}

func same(s string) string { return s }

func sprint[T any](v T) string { return fmt.Sprintf("%+v", v) }
