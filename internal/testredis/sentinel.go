package testredis

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// StartSentinel starts a Sentinel that watches a master under a name, alone, so
// that its word is enough. It ends with the test.
func StartSentinel(t testing.TB, name string, master *Server) *Server {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	if err := os.WriteFile(conf, []byte(sentinelConf(name, master, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Config{Dir: dir, Sentinel: conf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// FreePort returns a port that nothing listens on, for a further listener of a
// server.
func FreePort(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}
