package testredis

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Binaries that scripts/ensure-servers.sh puts into the user's cache, for
// Config.Binary and Cached.
const (
	Redis8  = "redis8"
	Valkey8 = "valkey8"
)

// EnvBinary is the environment variable that names the server to start where
// Config.Binary does not: a path, or a name that Cached knows.
const EnvBinary = "FLOX_TEST_REDIS"

// Cached is the path of a file that scripts/ensure-servers.sh has fetched; an error
// says that it is not there.
func Cached(name string) (string, error) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	path := filepath.Join(cache, "flox-servers", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not available: run scripts/ensure-servers.sh", name)
	}
	return path, nil
}

// binary is the path of the server to start.
func (cfg *Config) binary() (string, error) {
	name := cfg.Binary
	if name == "" {
		name = os.Getenv(EnvBinary)
	}
	switch name {
	case "":
		path, err := exec.LookPath("redis-server")
		if err != nil {
			return "", fmt.Errorf("redis-server is not in PATH: install it (Debian: apt-get install redis-server, macOS: brew install redis)")
		}
		return path, nil
	case Redis8, Valkey8:
		return Cached(name)
	}
	return name, nil
}
