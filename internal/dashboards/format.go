package dashboards

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// scale is a unit with those above it, the least first.
type scale []struct {
	from   float64
	suffix string
}

var scales = map[string]scale{
	"s":     {{1e-6, " µs"}, {1e-3, " ms"}, {1, " s"}, {60, " min"}, {3600, " h"}, {86400, " d"}},
	"bytes": {{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}, {1 << 40, " TiB"}},
	"ops":   {{1, "/s"}, {1e3, " k/s"}, {1e6, " M/s"}},
	"short": {{1, ""}, {1e3, " k"}, {1e6, " M"}, {1e9, " G"}},
}

// format writes a value in a unit of Grafana's, with three digits or so.
func format(v float64, unit string) string {
	if math.IsNaN(v) {
		return "-"
	}
	if unit == "percentunit" {
		return digits(v*100) + " %"
	}
	s, ok := scales[unit]
	if !ok {
		return digits(v)
	}
	if v == 0 {
		return "0" + strings.TrimRight(s.of(1).suffix, " ")
	}
	of := s.of(math.Abs(v))
	return digits(v/of.from) + of.suffix
}

func (s scale) of(v float64) (out struct {
	from   float64
	suffix string
}) {
	out = s[0]
	for _, step := range s {
		// A hair of room: 59.9999 s are a minute.
		if v >= step.from*0.9999 {
			out = step
		}
	}
	return out
}

func digits(v float64) string {
	switch a := math.Abs(v); {
	case a == math.Trunc(a) && a < 1e15, a >= 100:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	case a >= 10:
		return trim(fmt.Sprintf("%.1f", v))
	case a >= 0.01:
		return trim(fmt.Sprintf("%.2f", v))
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

func trim(s string) string { return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") }

// ticks are round values from low to high, about n of them, that both ends lie
// within; bytes go by powers of two.
func ticks(low, high float64, n int, unit string) []float64 {
	if high <= low {
		high = low + 1
	}
	rough := (high - low) / float64(n)
	base, steps := math.Pow(10, math.Floor(math.Log10(rough))), []float64{1, 2, 5, 10}
	if unit == "bytes" && rough > 1 {
		base, steps = math.Pow(2, math.Floor(math.Log2(rough))), []float64{1, 2}
	}
	if unit == "s" && rough >= 60 {
		base, steps = 60, []float64{1, 2, 5, 10, 30, 60, 120, 360, 1440, 1e4, 1e5}
	}
	step := base * steps[len(steps)-1]
	for _, s := range steps {
		if base*s >= rough {
			step = base * s
			break
		}
	}
	var out []float64
	for i := math.Floor(low / step); ; i++ {
		out = append(out, i*step)
		if i*step >= high*(1-1e-9) {
			return out
		}
	}
}
