package dashboards

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// selector is a part of an expression that chooses series.
type selector struct {
	names  []string // of the series: one, or those of __name__=~"a|b"
	labels []string // that it matches
	text   string   // as it stands in the expression, without a range
}

// expression is what the checks need of one. It is found by reading tokens, not
// by a grammar: that it is PromQL at all, promtool says.
type expression struct {
	selectors []selector
	grouping  []string // labels of by, on and their like
}

var (
	token    = regexp.MustCompile(`[a-zA-Z_:][\w:]*|"(?:[^"\\]|\\.)*"|\$\w+|[0-9][\w.]*|\S`)
	word     = regexp.MustCompile(`^[a-zA-Z_:]`)
	operator = []string{"and", "or", "unless", "bool", "offset", "inf", "nan"}
	listing  = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
)

// parse reads an expression.
func parse(expr string) expression {
	var e expression
	at := token.FindAllStringIndex(expr, -1)
	text := func(i int) string {
		if i >= len(at) {
			return ""
		}
		return expr[at[i][0]:at[i][1]]
	}
	for i := 0; i < len(at); i++ {
		t := text(i)
		switch {
		case t == "[":
			for ; i < len(at) && text(i) != "]"; i++ {
			}
		case slices.Contains(listing, t) && text(i+1) == "(":
			for i += 2; i < len(at) && text(i) != ")"; i++ {
				if word.MatchString(text(i)) {
					e.grouping = append(e.grouping, text(i))
				}
			}
		case t == "{", word.MatchString(t) && !slices.Contains(operator, strings.ToLower(t)) && text(i+1) != "(" && !slices.Contains(listing, text(i+1)):
			s := selector{}
			start := i
			if t != "{" {
				s.names = []string{t}
				if text(i+1) == "{" {
					i++
				}
			}
			if text(i) == "{" {
				for i++; i < len(at) && text(i) != "}"; i++ {
					switch {
					case text(i) == "__name__":
						for ; !strings.HasPrefix(text(i), `"`); i++ {
						}
						s.names = strings.Split(strings.Trim(text(i), `"`), "|")
					case word.MatchString(text(i)):
						s.labels = append(s.labels, text(i))
					}
				}
			}
			if i < len(at) {
				s.text = expr[at[start][0]:at[i][1]]
				e.selectors = append(e.selectors, s)
			}
		}
	}
	return e
}

// substitute puts values in the place of a dashboard's variables, as Grafana does.
func substitute(expr string, values map[string]string) string {
	return regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(expr, func(v string) string {
		if value, ok := values[v[1:]]; ok {
			return value
		}
		return v
	})
}

// rateInterval is Grafana's $__rate_interval.
func rateInterval(scrape, step time.Duration) time.Duration {
	return max(4*scrape, step+scrape)
}

var placeholder = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// legendLabels are the labels that a legend shows.
func legendLabels(legend string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(legend, -1) {
		out = append(out, m[1])
	}
	return out
}

// legendOf is a legend of one series.
func legendOf(legend string, labels map[string]string) string {
	return placeholder.ReplaceAllStringFunc(legend, func(m string) string {
		return labels[placeholder.FindStringSubmatch(m)[1]]
	})
}
