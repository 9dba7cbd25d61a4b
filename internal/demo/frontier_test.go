package demo

import (
	"fmt"
	"slices"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// crawled is the state after visits; their URLs are seen.
func crawled(visits ...Visit) LinkState {
	s := LinkState{Visits: visits, Seen: flox.Set[string]{}}
	for _, v := range visits {
		s.Seen[v.URL] = struct{}{}
	}
	return s
}

func TestNextLevel(t *testing.T) {
	home := Visit{URL: "http://h/", Links: []string{"http://h/b", "http://h/a", "http://h/", "http://x/out"}}
	for _, tt := range []struct {
		name  string
		in    LinkInput
		state LinkState
		want  []string // depth and URL; nil is Done
		left  int
	}{
		{"links, sorted, each once", LinkInput{}, crawled(home), []string{"1 http://h/a", "1 http://h/b", "1 http://x/out external"}, 0},
		{"no external", LinkInput{SkipExternal: true}, crawled(home), []string{"1 http://h/a", "1 http://h/b"}, 0},
		{"parallel", LinkInput{Parallel: 2}, crawled(home), []string{"1 http://h/a", "1 http://h/b"}, 0},
		{"room for one", LinkInput{MaxPages: 2}, crawled(home), []string{"1 http://h/a"}, 0},
		{"no room", LinkInput{MaxPages: 1}, crawled(home), nil, 3},
		{"deep enough", LinkInput{Depth: 1}, crawled(
			Visit{URL: "http://h/", Links: []string{"http://h/a"}}, Visit{URL: "http://h/a", Depth: 1, Links: []string{"http://h/b"}}), nil, 0},
		{"nearest first", LinkInput{}, crawled(
			Visit{URL: "http://h/", Links: []string{"http://h/z"}}, Visit{URL: "http://h/a", Depth: 1, Links: []string{"http://h/b"}}),
			[]string{"1 http://h/z"}, 0},
		{"redirect costs no depth", LinkInput{Depth: 1}, crawled(home, Visit{URL: "http://h/a", Depth: 1, To: "http://h/c"}, Visit{URL: "http://h/b", Depth: 1}, Visit{URL: "http://x/out", Depth: 1}),
			[]string{"1 http://h/c"}, 0},
		{"too many redirects", LinkInput{}, crawled(Visit{URL: "http://h/", Hops: maxHops, To: "http://h/c"}), nil, 0},
		{"the start moves the site", LinkInput{}, crawled(
			Visit{URL: "http://h/", To: "https://www.h/"}, Visit{URL: "https://www.h/", Hops: 1, Links: []string{"https://www.h/a"}}),
			[]string{"1 https://www.h/a"}, 0},
	} {
		tt.in.Start = "http://h/"
		switch next := nextLevel(Level{Input: tt.in.withDefaults()}, tt.state).(type) {
		case Level:
			var got []string
			for _, target := range next.Targets {
				s := fmt.Sprint(target.Depth, " ", target.URL)
				if target.External {
					s += " external"
				}
				got = append(got, s)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: next level is %v, want %v", tt.name, got, tt.want)
			}
		case Done:
			if tt.want != nil || next.Left != tt.left {
				t.Errorf("%s: done with %d left, want %v and %d left", tt.name, next.Left, tt.want, tt.left)
			}
		}
	}
}

func TestValidateLinkInput(t *testing.T) {
	if err := (LinkInput{}).withDefaults().validate(); err != nil {
		t.Errorf("defaults: %v, want none", err)
	}
	for _, in := range []LinkInput{{Depth: -1}, {MaxPages: maxPages + 1}, {Parallel: 1000}, {TimeoutMs: -5}, {Attempts: 99}, {BackoffMs: -1}, {MaxBackoffMs: 1 << 30}} {
		if err := in.withDefaults().validate(); err == nil {
			t.Errorf("validate(%+v) = nil, want an error", in)
		}
	}
}
