package demo

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// SiteFacts is what a link check of a Site must find.
type SiteFacts struct {
	Start     string
	Visited   []string // every URL to be visited, sorted
	Pages     int      // of these, HTML pages of the site
	Links     int      // on the pages, each once a page
	Failures  int      // URLs that must be given up
	Broken    []Broken // sorted by URL; Err is only set or not
	Redirects []Redirect
	Slow      map[string]time.Duration // how long a URL takes at least
}

// Input is the input with which Expected holds when the site is served at
// base. It is patient enough for every page that answers in the end.
func (s *Site) Input(base string) LinkInput {
	return LinkInput{Start: base + "/", Depth: siteDepth - 1, TimeoutMs: 1000, Attempts: 6, BackoffMs: 50, MaxBackoffMs: 2000}
}

// Expected is what a link check with Input(base) must find. It comes from the
// site's own table: no link is parsed or followed to know it.
func (s *Site) Expected(base string) SiteFacts {
	facts := SiteFacts{Start: base + "/", Slow: make(map[string]time.Duration)}
	tooDeep := fmt.Sprintf("/deep/%d", siteDepth)
	visited := make(map[string]bool)
	referrers := make(map[string][]string)
	for _, p := range sitePages(s.Elsewhere) {
		if p.path == tooDeep {
			continue
		}
		visited[at(base, p.path)] = true
		for target := range facts.addPage(base, p) {
			referrers[target] = append(referrers[target], base+p.path)
			if target != tooDeep {
				visited[at(base, target)] = true
			}
		}
	}
	for path, b := range brokenURLs(s.Elsewhere) {
		b.URL, b.Referrers = at(base, path), slices.Sorted(slices.Values(referrers[path]))
		facts.Broken = append(facts.Broken, b)
		if b.Status == 0 || b.Status >= 500 {
			facts.Failures++
		}
	}
	facts.Visited = slices.Sorted(maps.Keys(visited))
	slices.SortFunc(facts.Broken, func(a, b Broken) int { return cmp.Compare(a.URL, b.URL) })
	slices.SortFunc(facts.Redirects, func(a, b Redirect) int { return cmp.Compare(a.From, b.From) })
	return facts
}

// addPage counts one page and returns what it links or redirects to.
func (f *SiteFacts) addPage(base string, p sitePage) map[string]bool {
	targets := make(map[string]bool)
	for _, l := range p.links {
		targets[l.target] = true
	}
	if p.links != nil {
		f.Pages, f.Links = f.Pages+1, f.Links+len(targets)
	}
	if p.moved.target != "" {
		targets[p.moved.target] = true
		f.Redirects = append(f.Redirects, Redirect{From: base + p.path, To: base + p.moved.target, Status: p.status})
	}
	if p.lag > 0 {
		f.Slow[base+p.path] = p.lag
	}
	return targets
}

// brokenURLs is what must be found broken, by path or URL.
func brokenURLs(elsewhere string) map[string]Broken {
	const failed = "failed"
	broken := map[string]Broken{
		"/missing":           {Status: http.StatusNotFound},
		"/moved-and-lost":    {Status: http.StatusNotFound},
		"/files/missing.png": {Status: http.StatusNotFound},
		"/gone":              {Status: http.StatusGone},
		"/flaky/always":      {Status: http.StatusInternalServerError, Err: failed},
		"/loop/a":            {Status: http.StatusFound, Err: failed},
		"/loop/b":            {Status: http.StatusFound, Err: failed},
		deadHost:             {Err: failed},
	}
	if elsewhere != "" {
		broken[elsewhere+"/missing"] = Broken{Status: http.StatusNotFound}
	}
	return broken
}

// at makes a URL of a path; a URL stays one.
func at(base, path string) string {
	if strings.HasPrefix(path, "/") {
		return base + path
	}
	return path
}
