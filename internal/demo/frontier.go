package demo

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// maxHops is the longest chain of redirects that is followed.
const maxHops = 10

// planCrawl makes the first level of an input, which it refuses if it is wrong.
func planCrawl(_ *flox.Context[LinkState], in LinkInput) (flox.Transition[Level], error) {
	in = in.withDefaults()
	if err := in.validate(); err != nil {
		return flox.Abort[Level](err), nil
	}
	start, ok := normalise(nil, in.Start)
	if !ok {
		return flox.Abort[Level](fmt.Errorf("start is %q: want a URL such as https://example.com/", in.Start)), nil
	}
	in.Start = start
	first := Target{URL: start, Resources: !in.SkipResources, Patience: in.patience()}
	return flox.Next(Level{Input: in, Started: time.Now(), Targets: []Target{first}}), nil
}

// Frontier hands out the URLs of a level and notes them as seen.
type Frontier struct{}

// Process yields the level's targets.
func (Frontier) Process(ctx *flox.Context[LinkState], in Level) (flox.Fanout[Target], error) {
	seen := make(flox.Set[string], len(in.Targets))
	for _, t := range in.Targets {
		seen[t.URL] = struct{}{}
	}
	ctx.Merge(LinkState{Seen: seen})
	return flox.NextAll(in.Targets), nil
}

// collectLevel decides where to go after a level is done. All its visits are
// in the state, because each was committed before the join fired.
func collectLevel(ctx *flox.Context[LinkState], in flox.Joined[Level, Fetched]) (flox.Transition[Crawl], error) {
	return flox.Next(nextLevel(in.Input, ctx.State())), nil
}

// nextLevel takes the nearest URLs that are not seen yet, all of one depth, so
// that every URL is reached on its shortest way whatever the level's size.
func nextLevel(last Level, state LinkState) Crawl {
	in := last.Input
	pending := pendingTargets(in, state)
	room := in.MaxPages - len(state.Seen)
	if len(pending) == 0 || room <= 0 {
		return Done{Input: in, Started: last.Started, Left: len(pending)}
	}
	n := 1
	for n < min(len(pending), room, in.Parallel) && pending[n].Depth == pending[0].Depth {
		n++
	}
	return Level{Input: in, Started: last.Started, Targets: pending[:n]}
}

// pendingTargets returns what the visits lead to and is not seen yet, nearest first.
func pendingTargets(in LinkInput, state LinkState) []Target {
	hosts := siteHosts(in.Start, state.Visits)
	found := make(map[string]Target)
	add := func(t Target) {
		if _, seen := state.Seen[t.URL]; seen {
			return
		}
		t.External = !hosts[hostOf(t.URL)]
		if t.External && in.SkipExternal {
			return
		}
		if old, ok := found[t.URL]; !ok || nearer(t, old) < 0 {
			t.Resources, t.Patience = !in.SkipResources, in.patience()
			found[t.URL] = t
		}
	}
	for _, v := range state.Visits {
		if v.To != "" && v.Hops < maxHops {
			add(Target{URL: v.To, Depth: v.Depth, Hops: v.Hops + 1})
		}
		if v.Depth < in.Depth {
			for _, link := range v.Links {
				add(Target{URL: link, Depth: v.Depth + 1})
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), nearer)
}

func nearer(a, b Target) int {
	return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Hops, b.Hops), cmp.Compare(a.URL, b.URL))
}

// siteHosts are the hosts that belong to the site: that of the start page, and
// those to which the start page itself is redirected (example.com to www.example.com).
func siteHosts(start string, visits []Visit) map[string]bool {
	redirects := make(map[string]string)
	for _, v := range visits {
		if v.To != "" {
			redirects[v.URL] = v.To
		}
	}
	hosts := map[string]bool{hostOf(start): true}
	for range maxHops {
		start = redirects[start]
		if start == "" {
			break
		}
		hosts[hostOf(start)] = true
	}
	return hosts
}

// hostOf is the host and port of a normalised URL.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
