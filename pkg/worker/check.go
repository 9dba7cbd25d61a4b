package worker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/floxrun/flox/internal/flags"
)

// checkTimeout is how long the process asked may take to answer.
const checkTimeout = 2500 * time.Millisecond

// check asks the process that listens at address on this machine whether it is
// ready. It is what a container without a shell is checked with.
func check(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return flags.Usagef("--listen=%q: want host:port to ask there", address)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return flags.Usagef("--listen=%q: want host:port to ask there", address)
	}
	res, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // no proxy, whatever the environment says
	if err != nil {
		return fmt.Errorf("nothing answers at %s: %w", address, err)
	}
	defer res.Body.Close()
	reason, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // the status has said the most
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", bytes.TrimSpace(reason))
	}
	return nil
}
