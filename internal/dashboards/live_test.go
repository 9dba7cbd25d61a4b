package dashboards

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLive checks what a running Prometheus server answers, if FLOX_PROMETHEUS is
// its URL, of the last FLOX_PROMETHEUS_RANGE, and draws it into the folder
// FLOX_PICTURES. integration/compose does so with a stack of its own.
func TestLive(t *testing.T) {
	url := os.Getenv("FLOX_PROMETHEUS")
	if url == "" {
		t.Skip("FLOX_PROMETHEUS is not set: make compose-test runs this check")
	}
	span, err := time.ParseDuration(os.Getenv("FLOX_PROMETHEUS_RANGE"))
	if err != nil {
		span = 10 * time.Minute
	}
	live := Live{URL: url, Start: time.Now().Add(-span), End: time.Now()}
	results, err := live.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if t.Log(r); r.Problem != "" {
			t.Fail()
		}
	}
	dir := os.Getenv("FLOX_PICTURES")
	if dir == "" {
		return
	}
	pictures, err := live.Pictures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range pictures {
		if err := os.WriteFile(filepath.Join(dir, name), svg, 0o644); err != nil {
			t.Error(err)
		}
	}
}
