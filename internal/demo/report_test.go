package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNewReport(t *testing.T) {
	state := crawled(
		Visit{URL: "http://h/", Status: 200, Page: true, Ms: 7, Links: []string{"http://h/gone", "http://h/old", "http://h/down"}},
		Visit{URL: "http://h/p", Status: 200, Page: true, Ms: 9, Links: []string{"http://h/gone"}},
		Visit{URL: "http://h/old", Status: 301, To: "http://h/p", Ms: 1},
		Visit{URL: "http://h/down", Err: "refused"},
		Visit{URL: "http://h/gone", Status: 404},
	)
	state.Fetched, state.Pages, state.Links = 5, 2, 4
	got := newReport(Done{Input: LinkInput{Start: "http://h/"}, Left: 3}, state)
	want := LinkReport{
		Start: "http://h/", URLs: 5, Pages: 2, Links: 4, Left: 3,
		Broken: []Broken{
			{URL: "http://h/down", Err: "refused", Referrers: []string{"http://h/"}},
			{URL: "http://h/gone", Status: 404, Referrers: []string{"http://h/", "http://h/p"}},
		},
		Redirects: []Redirect{{"http://h/old", "http://h/p", 301}},
		Slowest:   []Timing{{"http://h/p", 9}, {"http://h/", 7}, {"http://h/old", 1}, {"http://h/down", 0}, {"http://h/gone", 0}},
	}
	if sprint(got) != sprint(want) {
		t.Errorf("newReport =\n%+v, want\n%+v", got, want)
	}
}

func TestEndless(t *testing.T) {
	visits := []Visit{{URL: "a", To: "b"}, {URL: "b", To: "a"}, {URL: "x", To: "a"}, {URL: "self", To: "self"}, {URL: "fine", To: "page"}, {URL: "page"}}
	for i := range maxHops + 2 {
		visits = append(visits, Visit{URL: fmt.Sprint("c", i), To: fmt.Sprint("c", i+1)})
	}
	var got []string
	for url := range endless(visits) {
		got = append(got, url)
	}
	slices.Sort(got)
	if want := []string{"a", "b", "c0", "c1", "self", "x"}; !slices.Equal(got, want) {
		t.Errorf("endless = %v, want %v", got, want)
	}
}

// A site on which everything is wrong must not make a report too large to store.
func TestReportStaysSmall(t *testing.T) {
	long := "http://h/" + strings.Repeat("x", maxURL-20)
	var visits []Visit
	for i := range maxPages {
		url := fmt.Sprint(long, i)
		visits = append(visits, Visit{URL: url, Status: 404, Links: []string{fmt.Sprint(long, 0), fmt.Sprint(long, 1)}})
	}
	r := newReport(Done{}, crawled(visits...))
	blob, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(blob) > 1<<20 || !r.Clipped || len(r.Broken) == 0 {
		t.Errorf("report has %d bytes, %d broken links, clipped %t; want at most 1 MiB, clipped", len(blob), len(r.Broken), r.Clipped)
	}
	if b := r.Broken[0]; len(b.Referrers) != maxReferrers || b.More != maxPages-maxReferrers {
		t.Errorf("%d referrers and %d more, want %d and %d", len(b.Referrers), b.More, maxReferrers, maxPages-maxReferrers)
	}
}
