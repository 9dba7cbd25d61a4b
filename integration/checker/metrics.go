package checker

import (
	"regexp"
	"strconv"
	"strings"
)

// itemsTotal is a line of the counter of attempts, by how their node ended.
var itemsTotal = regexp.MustCompile(`(?m)^flox_items_total\{[^}]*outcome="(\w+)"[^}]*\} (\S+)$`)

// committing are the outcomes of attempts that lead to a commit.
var committing = map[string]bool{
	"next": true, "end": true, "deposit": true, "fan": true, "hold": true, "await": true, "fallback": true,
}

// judgeMetrics judges of S12 that the workers' counters and the runs agree.
func judgeMetrics(rep *Report, s *Snapshot, c *Case) {
	if len(c.Metrics) == 0 {
		return
	}
	counted, committed := 0.0, 0
	for _, m := range itemsTotal.FindAllStringSubmatch(strings.Join(c.Metrics, "\n"), -1) {
		if n, err := strconv.ParseFloat(m[2], 64); err == nil && committing[m[1]] {
			counted += n
		}
	}
	for _, p := range s.Parts {
		for _, r := range p.Runs {
			committed += r.n("committed") + r.n("failed")
		}
	}
	rep.check("S12", int(counted) == committed, "the workers have counted %.0f attempts that were committed, the runs %d", counted, committed)
}
