package demo

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Environment variables that ConfigFromEnv reads.
const (
	EnvGateway = "FLOX_DEMO_GATEWAY"
	EnvBackoff = "FLOX_DEMO_BACKOFF"
)

// Config says what the demo's workflows work with. Its zero value works.
type Config struct {
	// GatewayURL is where a gateway server (see Gateway.Handler) listens. Empty
	// is a gateway inside this process, which forgets everything at its end.
	GatewayURL string
	// GatewayTimeout ends a call of the gateway. Zero is 5 s.
	GatewayTimeout time.Duration
	// Backoff is the longest wait before the first retry of a gateway call; it
	// doubles up to 50 times that. Zero is 200 ms.
	Backoff time.Duration
	// Transport carries the link checker's requests. Nil is one of its own with
	// the net/http defaults.
	Transport http.RoundTripper
}

// ConfigFromEnv makes a Config of FLOX_DEMO_GATEWAY (a URL) and
// FLOX_DEMO_BACKOFF (a duration such as 10ms), both optional. getenv is
// os.Getenv or a stand-in.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	c := Config{GatewayURL: getenv(EnvGateway)}
	if c.GatewayURL != "" {
		if _, err := NewGatewayClient(c.GatewayURL, nil); err != nil {
			return Config{}, fmt.Errorf("%s: %w", EnvGateway, err)
		}
	}
	if s := getenv(EnvBackoff); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return Config{}, fmt.Errorf("%s=%q: want a duration above zero, such as 10ms", EnvBackoff, s)
		}
		c.Backoff = d
	}
	return c, nil
}

func (c Config) withDefaults() Config {
	c.GatewayTimeout = cmp.Or(c.GatewayTimeout, 5*time.Second)
	c.Backoff = cmp.Or(c.Backoff, 200*time.Millisecond)
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = maxParallel
		c.Transport = t
	}
	return c
}

// Workflows returns the demo's workflows for a worker to run.
func Workflows(cfg Config) ([]flox.Definition, error) {
	links, err := Linkcheck(cfg)
	if err != nil {
		return nil, err
	}
	orders, err := OrderWorkflow(cfg)
	if err != nil {
		return nil, err
	}
	return []flox.Definition{links, orders}, nil
}
