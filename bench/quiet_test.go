package main

import (
	"strings"
	"testing"
)

func TestCPUTimes(t *testing.T) {
	got, err := parseCPUTimes("cpu  100 1 20 500 30 4 5 6 0 0")
	if want := (cpuTimes{total: 666, busy: 130, steal: 6}); err != nil || got != want {
		t.Errorf("times = %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu 1 2 3 4 5 6 7 x", "cpu0 1 2 3 4 5 6 7 8"} {
		if _, err := parseCPUTimes(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestVerdict(t *testing.T) {
	calm := quiet{cpu: []float64{2, 2.1, 2.2}, ping: []float64{3, 3.1, 3.2}, other: []float64{0, 0.02, 1.5}}
	if n := calm.verdict(); len(n.Words) > 0 && !strings.Contains(n.Words[0], "hypervisor") {
		t.Errorf("a calm machine: %q", n.Words)
	}
	tests := []struct {
		name string
		q    quiet
		want string
	}{
		{"slow loop", quiet{cpu: []float64{2, 2, 3}, ping: calm.ping, other: calm.other}, "a fixed loop took 2.0 to 3.0 ms"},
		{"slow Redis", quiet{cpu: calm.cpu, ping: []float64{3, 4}, other: calm.other}, "PINGs took 3.0 to 4.0 ms"},
		{"others", quiet{cpu: calm.cpu, ping: calm.ping, other: []float64{0.5, 0.6, 0}}, "others used 0.50 cores"},
	}
	for _, tt := range tests {
		if got := tt.q.verdict().String(); !strings.Contains(got, "noisy") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
