package checker

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	// seriesLine is a series of a worker with its labels and its value.
	seriesLine = regexp.MustCompile(`(?m)^(flox_\w+)\{(.*)\} (\S+)$`)
	seriesPart = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// committing are the outcomes of attempts that lead to a commit.
var committing = []string{"next", "end", "deposit", "fan", "hold", "await", "fallback"}

// series is what all workers together have counted.
type series []struct {
	name   string
	labels map[string]string
	value  float64
}

func parseSeries(texts []string) series {
	var all series
	for _, m := range seriesLine.FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		labels := map[string]string{}
		for _, part := range seriesPart.FindAllStringSubmatch(m[2], -1) {
			labels[part[1]] = part[2]
		}
		all = append(all, struct {
			name   string
			labels map[string]string
			value  float64
		}{m[1], labels, value})
	}
	return all
}

// sum adds up the series of a name that fit, by the values of some labels.
func (s series) sum(name string, fits func(labels map[string]string) bool, by ...string) map[string]int {
	sums := map[string]int{}
	for _, one := range s {
		if one.name != name || fits != nil && !fits(one.labels) {
			continue
		}
		var key []string
		for _, label := range by {
			key = append(key, one.labels[label])
		}
		sums[strings.Join(key, " ")] += int(one.value)
	}
	return sums
}

func outcomes(names ...string) func(map[string]string) bool {
	return func(labels map[string]string) bool { return slices.Contains(names, labels["outcome"]) }
}

// JudgeMetrics judges of S12 that the workers' counters and the runs agree. Workers
// count a moment after the store has answered them, so at rest it holds soon.
//
// An attempt is counted when its node has ended. If its commit is refused then, or
// its lease was lost, it is counted again when it is done again, so the counters may
// exceed the runs; likewise if an answer was lost. If nothing of this was counted,
// all is equal.
func (s *Snapshot) JudgeMetrics(c Case) *Report {
	rep := &Report{}
	if len(c.Metrics) == 0 {
		return rep
	}
	all := parseSeries(c.Metrics)
	again := all.sum("flox_commit_duration_seconds_count", func(l map[string]string) bool { return l["outcome"] != "applied" })[""] +
		all.sum("flox_leases_lost_total", nil)[""] + all.sum("flox_leases_reclaimed_total", nil)[""]
	t := s.tally()
	judge := func(what string, counted, want map[string]int) {
		keys := maps.Clone(want)
		maps.Copy(keys, counted)
		for key := range keys {
			n, has := counted[key], want[key]
			if workflow, _, _ := strings.Cut(key, " "); t.unknown[workflow] {
				continue
			}
			rep.check("S12", n == has || n > has && again > 0, "the workers have counted %d %s of %q, the runs have %d; %d were counted again or lost",
				n, what, key, has, again)
		}
	}
	total := all.sum("flox_items_total", outcomes(committing...))[""]
	rep.check("S12", total == t.committed || total > t.committed && again > 0,
		"the workers have counted %d attempts that were committed, the runs %d; %d were counted again or lost", total, t.committed, again)
	judge("committed items", all.sum("flox_items_total", outcomes(committing...), "workflow", "node"), t.items)
	judge("retries", all.sum("flox_items_total", outcomes("retry"), "workflow", "node"), t.retries)
	if again == 0 { // who is not told of an end, or takes a join from another, does not count it
		judge("joins", all.sum("flox_joins_total", nil, "workflow", "node"), t.joins)
		judge("runs ended", all.sum("flox_run_duration_seconds_count", nil, "workflow", "status"), t.ended)
	}
	if c.Rest {
		hand := all.sum("flox_items_in_flight", nil)[""]
		rep.check("S12", hand == 0, "the workers say that they have %d items in hand", hand)
	}
	return rep
}

// tally is what the runs' keys say that workers must have counted, by workflow and
// node, or workflow and status.
type tally struct {
	committed                    int
	items, retries, joins, ended map[string]int
	unknown                      map[string]bool // workflows of which not all is known
}

func (s *Snapshot) tally() tally {
	t := tally{items: map[string]int{}, retries: map[string]int{}, joins: map[string]int{}, ended: map[string]int{}, unknown: map[string]bool{}}
	for _, p := range s.Parts {
		for _, r := range p.Runs {
			t.add(r)
		}
	}
	return t
}

func (t *tally) add(r *Run) {
	workflow := r.Fields["workflow"]
	t.committed += r.n("committed") + r.n("failed")
	if r.Status() == "completed" || r.Status() == "failed" {
		t.ended[workflow+" "+r.Status()]++
	}
	if !r.whole() {
		t.unknown[workflow] = true
	}
	for _, h := range r.History {
		t.items[workflow+" "+h.Node]++
		if h.Attempt > 1 {
			t.retries[workflow+" "+h.Node] += h.Attempt - 1
		}
		if strings.HasSuffix(h.Item, ".j.0") {
			t.joins[workflow+" "+h.Node]++
		}
	}
	// A retry of an item that is not committed yet is in its token.
	for _, token := range r.Tokens {
		if token.Attempt > 0 {
			t.retries[workflow+" "+token.Node] += token.Attempt
		}
	}
}
