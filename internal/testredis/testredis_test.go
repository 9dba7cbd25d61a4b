package testredis_test

import (
	"testing"

	"github.com/floxrun/flox/internal/testredis"
)

func TestServerKeepsItsDataOverARestart(t *testing.T) {
	s := testredis.Start(t, testredis.Password("secret"))
	c := s.Client()
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Get(t.Context(), "k").Result(); err != nil || got != "v" {
		t.Errorf("Get after restart = %q, %v, want v", got, err)
	}
}

func TestClusterServesEverySlot(t *testing.T) {
	c := testredis.Cluster(t, 3)
	client := c.Client()
	defer client.Close()
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		if err := client.Set(t.Context(), key, key, 0).Err(); err != nil {
			t.Errorf("Set(%q) = %v, want nil", key, err)
		}
	}
}
