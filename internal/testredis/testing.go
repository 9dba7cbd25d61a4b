package testredis

import "testing"

// Option changes how Start starts a server.
type Option func(*Config)

// Password protects the server.
func Password(p string) Option { return func(c *Config) { c.Password = p } }

// Args adds arguments of redis-server.
func Args(args ...string) Option {
	return func(c *Config) { c.Args = append(c.Args, args...) }
}

// Start starts a server that ends with the test. The test fails if there is no
// redis-server: it is never skipped.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	var cfg Config
	for _, o := range opts {
		o(&cfg)
	}
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Cluster starts a Redis Cluster that ends with the test.
func Cluster(t testing.TB, masters int) *ClusterServer {
	t.Helper()
	c, err := NewCluster(t.Context(), masters, 0, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}
