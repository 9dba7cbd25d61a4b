//go:build compose

package compose

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCluster runs the stack on three Redis masters, stops it, and brings it back
// with what it had.
func TestCluster(t *testing.T) {
	s := newStack(t, "cluster", "FLOX_REDIS_PASSWORD="+password, "COMPOSE_PROFILES=cluster")
	s.files = append(s.files, "--env-file", path(t, "deploy/cluster.env"))
	began := time.Now()
	s.compose("up", "-d", "--scale", "worker=2", "site", "worker", "orchestrator")
	s.orchestrator("start", "linkcheck", "--id", "first", "--wait", "--input", `{"start": "`+siteURL+`/"}`)
	fmt.Printf("three masters and two workers, to the first completed run: %.1f s\n", time.Since(began).Seconds())
	if len(s.containers("redis")) != 0 {
		t.Error("there is the Redis of its own too, want the masters alone")
	}
	masters := 0
	for _, n := range []string{"redis-1", "redis-2", "redis-3"} {
		if said := s.docker("exec", s.only(n).ID, "redis-cli", "dbsize"); strings.TrimSpace(said) != "0" {
			masters++
		}
	}
	if masters != 3 {
		t.Errorf("%d of 3 masters have keys", masters)
	}
	// Other addresses than before, maybe.
	s.compose("down", "--timeout", "15")
	s.compose("up", "-d", "--scale", "worker=2", "site", "worker")
	s.workers(2)
	if said := s.orchestrator("show", "first", "-o", "json"); !strings.Contains(said, `"completed"`) {
		t.Errorf("after down and up: %s", said)
	}
	s.orchestrator("start", "linkcheck", "--wait", "--input", `{"start": "`+siteURL+`/", "depth": 1}`)
}
