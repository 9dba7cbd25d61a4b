package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 9}, 3},
	}
	for _, tt := range tests {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v, want NaN", got)
	}
}

func TestPercentile(t *testing.T) {
	var values []float64
	for i := range 200 {
		values = append(values, float64(200-i))
	}
	for p, want := range map[float64]float64{0.001: 1, 0.5: 100, 0.95: 190, 0.99: 198, 1: 200} {
		if got := percentile(values, p); got != want {
			t.Errorf("percentile(1..200, %v) = %v, want %v", p, got, want)
		}
	}
}

func TestRatiosAreOfOneRepetition(t *testing.T) {
	over := map[int]float64{0: 10, 1: 30, 2: 7, 3: 5}
	under := map[int]float64{0: 5, 1: 10, 3: 0, 4: 1}
	if got, want := ratios(over, under), []float64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v", got, want)
	}
}

func TestSpread(t *testing.T) {
	if got, want := spreadOf([]float64{5, 1, 3}), (spread{3, 1, 5, 3}); got != want {
		t.Errorf("spread = %+v, want %+v", got, want)
	}
	for s, want := range map[spread]string{
		{Median: 12345.6, N: 1}:                "12,346",
		{Median: 1.2345, Min: 1, Max: 2, N: 3}: "1.23 (1.00 to 2.00)",
		{Median: 0.0123, N: 1}:                 "0.012",
		{Median: -1234, N: 1}:                  "-1,234",
		{Median: 999, N: 1}:                    "999",
	} {
		if got := s.String(); got != want {
			t.Errorf("%+v prints as %q, want %q", [3]float64{s.Median, s.Min, s.Max}, got, want)
		}
	}
}
