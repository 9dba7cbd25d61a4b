package testredis

import "testing"

// TestFreePorts asks for more ports than any run of tests has servers.
func TestFreePorts(t *testing.T) {
	seen := map[int]bool{}
	for range 1000 {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %d came twice", port)
		}
		seen[port] = true
	}
}
