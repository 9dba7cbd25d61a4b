package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

func TestRun(t *testing.T) {
	t.Setenv("FLOX_REDIS", "redis://"+miniredis.RunT(t).Addr())
	t.Setenv("FLOX_EMBEDDED", "true")
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	first, shares, _ := strings.Cut(out.String(), "\n")
	if want := "60 photos scaled, 60 different ones"; first != want {
		t.Errorf("run printed %q first, want %q", first, want)
	}
	sum := 0
	for share := range strings.SplitSeq(strings.TrimSpace(shares), ", ") {
		var worker, n int
		if _, err := fmt.Sscanf(share, "worker-%d did %d", &worker, &n); err != nil {
			t.Fatalf("share %q: %v", share, err)
		}
		sum += n
	}
	if sum != 60 {
		t.Errorf("shares are %q, want 60 in all", shares)
	}
}

func TestNoRedis(t *testing.T) {
	t.Setenv("FLOX_REDIS", "http://127.0.0.1/")
	if err := run(t.Context(), &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "redis URL") {
		t.Errorf("run = %v, want an error about the address", err)
	}
}
