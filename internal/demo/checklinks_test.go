package demo

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// goodCrawl is a small crawl and the facts that fit it.
func goodCrawl() (LinkReport, LinkState, SiteFacts) {
	state := crawled(
		Visit{URL: "http://h/", Status: 200, Page: true, Ms: 50, Links: []string{"http://h/down", "http://h/gone", "http://h/old"}},
		Visit{URL: "http://h/down", Depth: 1, Err: "refused"},
		Visit{URL: "http://h/gone", Depth: 1, Status: 404},
		Visit{URL: "http://h/old", Depth: 1, Status: 301, To: "http://h/"},
	)
	state.Fetched, state.Pages, state.Links, state.Failures = 4, 1, 3, 1
	from := []string{"http://h/"}
	facts := SiteFacts{
		Start: "http://h/", Visited: []string{"http://h/", "http://h/down", "http://h/gone", "http://h/old"},
		Pages: 1, Links: 3, Failures: 1,
		Broken:    []Broken{{URL: "http://h/down", Err: "any", Referrers: from}, {URL: "http://h/gone", Status: 404, Referrers: from}},
		Redirects: []Redirect{{"http://h/old", "http://h/", 301}},
		Slow:      map[string]time.Duration{"http://h/": 50 * time.Millisecond},
	}
	return newReport(Done{Input: LinkInput{Start: "http://h/"}}, state), state, facts
}

func TestCheckLinkcheck(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*LinkReport, *LinkState)
		want  []string
	}{
		{"all well", func(*LinkReport, *LinkState) {}, nil},
		{"visit lost", func(_ *LinkReport, s *LinkState) { s.Visits = s.Visits[1:] },
			[]string{"lost: visit of http://h/"}},
		{"visit twice", func(_ *LinkReport, s *LinkState) { s.Visits, s.Fetched = append(s.Visits, s.Visits[2]), 5 },
			[]string{"repeated: visit of http://h/gone: 2 times, want 1", "state: fetched is 5, want 4"}},
		{"strayed", func(_ *LinkReport, s *LinkState) { s.Seen["http://x/"] = struct{}{} },
			[]string{"unexpected: seen http://x/"}},
		{"counters", func(_ *LinkReport, s *LinkState) { s.Pages, s.Links, s.Failures = 2, 4, 0 },
			[]string{"state: pages is 2, want 1", "state: links is 4, want 3", "state: failures is 0, want 1"}},
		{"broken link missed", func(r *LinkReport, _ *LinkState) { r.Broken = r.Broken[1:] },
			[]string{"lost: broken link http://h/down (status 0, given up true, from [http://h/] and 0 more)"}},
		{"false referrer", func(r *LinkReport, _ *LinkState) { r.Broken[1].Referrers = nil }, []string{
			"lost: broken link http://h/gone (status 404, given up false, from [http://h/] and 0 more)",
			"unexpected: broken link http://h/gone (status 404, given up false, from [] and 0 more)"}},
		{"redirect twice", func(r *LinkReport, _ *LinkState) { r.Redirects = append(r.Redirects, r.Redirects[0]) },
			[]string{"repeated: redirect {From:http://h/old To:http://h/ Status:301}: 2 times, want 1"}},
		{"too quick", func(_ *LinkReport, s *LinkState) { s.Visits[0].Ms = 3 },
			[]string{"visit of http://h/ took 4ms, want at least 50ms"}},
		{"cut short", func(r *LinkReport, _ *LinkState) { r.Left, r.Clipped = 2, true },
			[]string{"report: left is 2, want 0", "report: is clipped"}},
		{"another start", func(r *LinkReport, _ *LinkState) { r.Start = "http://x/" },
			[]string{"report: start is http://x/, want http://h/"}},
	} {
		report, state, facts := goodCrawl()
		tt.spoil(&report, &state)
		if got := CheckLinkcheck(report, state, facts); !slices.Equal(got, tt.want) {
			t.Errorf("%s: CheckLinkcheck =\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}
