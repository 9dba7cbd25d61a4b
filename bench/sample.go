package main

import (
	"math"
	"slices"
)

// Sample is one measured number of one repetition.
type Sample struct {
	Workload string  `json:"workload"`
	System   string  `json:"system"`
	Metric   string  `json:"metric"`
	Unit     string  `json:"unit"`
	Value    float64 `json:"value"`
	Rep      int     `json:"rep"` // from 0; set by the runner
}

// spread is what the repetitions of one number came to.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// median returns the middle of values, and the mean of the two middle ones if there
// are two; NaN for none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// percentile returns the smallest value that is not below p of all; p is in (0, 1].
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{Median: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	}
	return spread{Median: median(values), Min: slices.Min(values), Max: slices.Max(values), N: len(values)}
}

// samples are all that were measured, in order.
type samples []Sample

// values returns one metric by repetition.
func (s samples) values(workload, system, metric string) map[int]float64 {
	values := map[int]float64{}
	for _, one := range s {
		if one.Workload == workload && one.System == system && one.Metric == metric {
			values[one.Rep] = one.Value
		}
	}
	return values
}

// ratios divides what was measured in the same repetition: what drifts over a run
// falls out of them.
func ratios(over, under map[int]float64) []float64 {
	var all []float64
	for rep, v := range over {
		if u, ok := under[rep]; ok && u != 0 {
			all = append(all, v/u)
		}
	}
	slices.Sort(all)
	return all
}

func list(values map[int]float64) []float64 {
	var all []float64
	for _, v := range values {
		all = append(all, v)
	}
	return all
}
