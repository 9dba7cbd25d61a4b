package demo

import (
	"cmp"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Limits of a report, so that it stays below 1 MiB whatever the site.
const (
	maxListed    = 1000
	maxReferrers = 10
	maxSlowest   = 10
	// maxReport is how many bytes of URLs a report lists.
	maxReport = 600 << 10
)

// LinkReport is the output of workflow "linkcheck". Its lists are sorted by
// URL, Slowest by time.
type LinkReport struct {
	Start     string     `json:"start"`
	URLs      int        `json:"urls"`  // fetched, or given up
	Pages     int        `json:"pages"` // of these, pages of the site that were read
	Links     int        `json:"links"` // on the pages, each counted once a page
	Broken    []Broken   `json:"broken"`
	Redirects []Redirect `json:"redirects"`
	Slowest   []Timing   `json:"slowest"`
	TotalMs   int64      `json:"totalMs"`           // from start to report
	Left      int        `json:"left,omitempty"`    // URLs known but left out because of maxPages
	Clipped   bool       `json:"clipped,omitempty"` // findings were left out to keep the report small
}

// Broken is a link that leads nowhere.
type Broken struct {
	URL       string   `json:"url"`
	Status    int      `json:"status,omitempty"` // zero if there was no answer
	Err       string   `json:"err,omitempty"`    // set if it was given up
	Referrers []string `json:"referrers"`        // what links or redirects to it, at most 10
	More      int      `json:"more,omitempty"`   // further referrers
}

// Redirect is a link that leads elsewhere.
type Redirect struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Status int    `json:"status"`
}

// Timing is how long a URL took.
type Timing struct {
	URL string `json:"url"`
	Ms  int64  `json:"ms"`
}

func reportCrawl(ctx *flox.Context[LinkState], in Done) (flox.Transition[LinkReport], error) {
	r := newReport(in, ctx.State())
	r.TotalMs = time.Since(in.Started).Milliseconds()
	return flox.Next(r), nil
}

// newReport sums up the visits of a finished crawl.
func newReport(in Done, state LinkState) LinkReport {
	r := LinkReport{
		Start: in.Input.Start, URLs: int(state.Fetched), Pages: int(state.Pages), Links: int(state.Links), Left: in.Left,
		Broken: []Broken{}, Redirects: []Redirect{}, Slowest: slowest(state.Visits),
	}
	room := maxReport
	referrers := referrersOf(state.Visits)
	loops := endless(state.Visits)
	for _, v := range slices.SortedFunc(slices.Values(state.Visits), byURL) {
		if v.To != "" {
			r.Redirects, room = listed(r.Redirects, Redirect{v.URL, v.To, v.Status}, room-len(v.URL)-len(v.To), room)
		}
		if loops[v.URL] {
			v.Err = "redirects without end"
		}
		if v.Err == "" && v.Status < 400 {
			continue
		}
		b := Broken{URL: v.URL, Status: v.Status, Err: v.Err, Referrers: referrers[v.URL]}
		b.More = max(len(b.Referrers)-maxReferrers, 0)
		b.Referrers = b.Referrers[:len(b.Referrers)-b.More]
		r.Broken, room = listed(r.Broken, b, room-b.size(), room)
	}
	r.Clipped = len(r.Redirects)+len(r.Broken) < countFindings(state.Visits, loops)
	return r
}

// listed appends v if there is room left after it, and returns that room.
func listed[T any](list []T, v T, after, room int) ([]T, int) {
	if len(list) >= maxListed || after < 0 {
		return list, room
	}
	return append(list, v), after
}

func (b Broken) size() int {
	n := len(b.URL) + len(b.Err)
	for _, r := range b.Referrers {
		n += len(r)
	}
	return n
}

func countFindings(visits []Visit, loops map[string]bool) int {
	n := 0
	for _, v := range visits {
		if v.To != "" {
			n++
		}
		if v.Err != "" || v.Status >= 400 || loops[v.URL] {
			n++
		}
	}
	return n
}

// referrersOf returns, for every URL, what links or redirects to it, sorted.
func referrersOf(visits []Visit) map[string][]string {
	from := make(map[string][]string)
	for _, v := range slices.SortedFunc(slices.Values(visits), byURL) {
		for _, link := range v.Links {
			from[link] = append(from[link], v.URL)
		}
		if v.To != "" {
			from[v.To] = append(from[v.To], v.URL)
		}
	}
	return from
}

// endless returns the redirects that lead back into themselves, or through
// more redirects than are followed.
func endless(visits []Visit) map[string]bool {
	to := make(map[string]string)
	for _, v := range visits {
		if v.To != "" {
			to[v.URL] = v.To
		}
	}
	found := make(map[string]bool)
	for from := range to {
		at := from
		for range maxHops {
			at = to[at]
		}
		if to[at] != "" {
			found[from] = true
		}
	}
	return found
}

func slowest(visits []Visit) []Timing {
	all := make([]Timing, 0, len(visits))
	for _, v := range visits {
		all = append(all, Timing{URL: v.URL, Ms: v.Ms})
	}
	slices.SortFunc(all, func(a, b Timing) int {
		return cmp.Or(cmp.Compare(b.Ms, a.Ms), cmp.Compare(a.URL, b.URL))
	})
	return all[:min(len(all), maxSlowest)]
}

func byURL(a, b Visit) int { return cmp.Compare(a.URL, b.URL) }
