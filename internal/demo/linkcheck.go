package demo

import (
	"net/http"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// LinkState is what a run of "linkcheck" has gathered.
type LinkState struct {
	Fetched  flox.Sum             `json:"fetched"`  // URLs fetched, or given up
	Pages    flox.Sum             `json:"pages"`    // of these, pages of the site that were read
	Links    flox.Sum             `json:"links"`    // links found on them
	Failures flox.Sum             `json:"failures"` // URLs given up after their last attempt
	Seen     flox.Set[string]     `json:"seen"`     // URLs handed to a fetch
	Visits   flox.EventLog[Visit] `json:"visits"`   // one for each URL in Seen
}

// Visit is what came of one URL.
type Visit struct {
	URL    string   `json:"url"`
	Depth  int      `json:"depth"`            // links away from the start page
	Hops   int      `json:"hops,omitempty"`   // redirects that led here
	Status int      `json:"status,omitempty"` // HTTP status, zero if there was no answer
	To     string   `json:"to,omitempty"`     // where a redirect leads
	Err    string   `json:"err,omitempty"`    // why it was given up
	Page   bool     `json:"page,omitempty"`   // an HTML page of the site
	Links  []string `json:"links,omitempty"`  // what the page links to, each once
	Ms     int64    `json:"ms,omitempty"`     // milliseconds the last attempt took
}

// Level is one turn of the crawl: URLs equally far from the start page.
type Level struct {
	Input   LinkInput `json:"input"`
	Started time.Time `json:"started"`
	Targets []Target  `json:"targets"`
}

// Target is a URL to fetch.
type Target struct {
	URL       string   `json:"url"`
	Depth     int      `json:"depth"`
	Hops      int      `json:"hops,omitempty"`
	External  bool     `json:"external,omitempty"`  // of another host: checked, not read
	Resources bool     `json:"resources,omitempty"` // its images, scripts and so on are links too
	Patience  Patience `json:"patience"`
}

// Fetched says that a URL is done. What was found is in the state, so that a
// level's join stays small.
type Fetched struct {
	URL    string `json:"url"`
	Status int    `json:"status,omitempty"`
}

// Crawl is what a finished level leads to: another Level, or Done.
type Crawl interface{ VariantOf(Crawl) }

// Done ends the crawl.
type Done struct {
	Input   LinkInput `json:"input"`
	Started time.Time `json:"started"`
	Left    int       `json:"left,omitempty"` // URLs left out because of MaxPages
}

// VariantOf makes Level a Crawl.
func (Level) VariantOf(Crawl) {}

// VariantOf makes Done a Crawl.
func (Done) VariantOf(Crawl) {}

// maxSteps is above what the largest input needs: two steps for each URL, and
// two for each level, of which there is at most one for each URL.
const maxSteps = 4*maxPages + 100

// Linkcheck builds workflow "linkcheck".
func Linkcheck(cfg Config) (*flox.Workflow[LinkState, LinkInput, LinkReport], error) {
	cfg = cfg.withDefaults()
	client := &http.Client{Transport: cfg.Transport, CheckRedirect: keepRedirect}

	b := flox.New[LinkState]("linkcheck").MaxSteps(maxSteps)
	plan := flox.AddFunc(b, "plan", planCrawl)
	frontier := flox.AddFanout(b, "frontier", Frontier{})
	fetch := flox.Add(b, "fetch", &Fetch{Client: client}).Timeout(fetchTimeout).Retry(flox.RetryPolicy{MaxAttempts: maxAttempts})
	giveUp := flox.AddFunc(b, "give-up", giveUpOn)
	collect := flox.AddFunc(b, "collect", collectLevel)
	report := flox.AddFunc(b, "report", reportCrawl)
	flox.Variants[Crawl](b, Level{}, Done{})

	plan.To(frontier)
	fetch.OnFailure(giveUp)
	frontier.To(fetch)
	flox.JoinWith(frontier, fetch, collect)
	flox.JoinWith(frontier, giveUp, collect)
	collect.Route(flox.Case(frontier), flox.Case(report))
	return flox.Build(b, plan, report)
}
