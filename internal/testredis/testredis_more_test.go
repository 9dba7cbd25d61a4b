package testredis_test

import (
	"testing"

	"github.com/floxrun/flox/internal/testredis"
)

func TestSentinelsPromoteAReplica(t *testing.T) {
	t.Parallel()
	s, err := testredis.NewSentinel(t.Context(), 1, 3, testredis.Config{Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	old, err := s.Master(t.Context())
	if err != nil || old != s.Nodes[0] {
		t.Fatalf("Master = %v, %v, want the first node", old, err)
	}
	old.Kill()
	if now, err := s.Promoted(t.Context(), old); err != nil || now != s.Nodes[1] {
		t.Errorf("Promoted = %v, %v, want the replica", now, err)
	}
}

func TestClusterReplicaAndSlots(t *testing.T) {
	t.Parallel()
	c, err := testredis.NewCluster(t.Context(), 3, 1, testredis.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	client := c.Client()
	defer client.Close()
	if err := client.Set(t.Context(), "a", "1", 0).Err(); err != nil { // slot 15495: of the third master
		t.Fatal(err)
	}
	if moved, err := c.MoveSlot(t.Context(), 15495, c.Nodes[2], c.Nodes[0]); err != nil || moved != 1 {
		t.Fatalf("MoveSlot = %d, %v, want 1 key", moved, err)
	}
	one := c.Nodes[0].Client()
	defer one.Close()
	if got, err := one.Get(t.Context(), "a").Result(); err != nil || got != "1" {
		t.Errorf("Get from the new owner = %q, %v, want 1", got, err)
	}
	c.Nodes[1].Kill()
	if err := c.Nodes[4].AwaitInfo(t.Context(), "replication", "role:master"); err != nil {
		t.Errorf("replica of the killed master: %v", err)
	}
	masters, err := c.Masters(t.Context())
	if err != nil || len(masters) == 0 {
		t.Errorf("Masters = %v, %v", masters, err)
	}
}

// TestOtherServers starts what scripts/ensure-servers.sh has fetched.
func TestOtherServers(t *testing.T) {
	for _, name := range []string{testredis.Redis8, testredis.Valkey8} {
		if _, err := testredis.Cached(name); err != nil {
			t.Logf("NOT TESTED: %v", err)
			continue
		}
		s, err := testredis.New(t.Context(), testredis.Config{Binary: name})
		if err != nil {
			t.Errorf("New(%s) = %v", name, err)
			continue
		}
		defer s.Stop()
		if err := s.AwaitInfo(t.Context(), "server", "_version:8."); err != nil {
			t.Errorf("version of %s: %v", name, err)
		}
	}
}
