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

// reader goes through the tokens of an expression.
type reader struct {
	expr string
	at   [][]int // where each token is
	i    int     // the token that is read now
}

// token is the one that is so many after that which is read now, "" past the end.
func (r *reader) token(ahead int) string {
	if r.i+ahead >= len(r.at) {
		return ""
	}
	return r.expr[r.at[r.i+ahead][0]:r.at[r.i+ahead][1]]
}

// parse reads an expression.
func parse(expr string) expression {
	var e expression
	r := &reader{expr: expr, at: token.FindAllStringIndex(expr, -1)}
	for ; r.i < len(r.at); r.i++ {
		switch {
		case r.token(0) == "[":
			r.skip("]")
		case slices.Contains(listing, r.token(0)) && r.token(1) == "(":
			e.grouping = append(e.grouping, slices.DeleteFunc(r.skip(")"), func(t string) bool { return !word.MatchString(t) })[1:]...)
		case r.token(0) == "{", r.name():
			e.selectors = append(e.selectors, r.selector())
		}
	}
	return e
}

// skip goes to a token, or to the end, and returns those before it.
func (r *reader) skip(to string) (passed []string) {
	for ; r.i < len(r.at) && r.token(0) != to; r.i++ {
		passed = append(passed, r.token(0))
	}
	return passed
}

// name tells whether the token is the name of a series.
func (r *reader) name() bool {
	t := r.token(0)
	return word.MatchString(t) && !slices.Contains(operator, strings.ToLower(t)) &&
		r.token(1) != "(" && !slices.Contains(listing, r.token(1))
}

// selector reads a name, matchers in braces, or both.
func (r *reader) selector() selector {
	var s selector
	start := r.i
	if r.token(0) != "{" {
		s.names = []string{r.token(0)}
		if r.token(1) != "{" {
			s.text = r.token(0)
			return s
		}
		r.i++
	}
	of := ""
	for _, t := range r.skip("}") {
		switch {
		case strings.HasPrefix(t, `"`) && of == "__name__":
			s.names = strings.Split(strings.Trim(t, `"`), "|")
		case word.MatchString(t):
			if of = t; t != "__name__" {
				s.labels = append(s.labels, t)
			}
		}
	}
	s.text = r.expr[r.at[start][0]:r.at[min(r.i, len(r.at)-1)][1]]
	return s
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
