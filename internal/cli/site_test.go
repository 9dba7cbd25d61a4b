package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSite checks that site serves until it is interrupted.
func TestSite(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address := freeAddress(t)
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, []string{"site", "--listen", address}, strings.NewReader(""), io.Discard, io.Discard)
	}()
	var res *http.Response
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if res, err = http.Get("http://" + address + "/"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), "<title>/</title>") {
		t.Errorf("GET / = %s %q, %v, want the site", res.Status, body, err)
	}
	cancel()
	if code := <-done; code != ExitOK {
		t.Errorf("site = %d, want 0", code)
	}
}

func TestSiteBadInput(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"--listen off", ExitUsage, `--listen="off": want host:port`},
		{"--listen 8080", ExitUsage, `--listen="8080": want host:port`},
		{"--listen " + taken.Addr().String(), ExitError, "bind: address already in use; choose another address"},
		{"--elsewhere elsewhere", ExitUsage, `--elsewhere="elsewhere": want a URL such as http://elsewhere:8080`},
		{"--delay -1s", ExitUsage, "--delay=-1s: want zero or more"},
		{"here", ExitUsage, "site"},
	} {
		var errOut strings.Builder
		code := Run(t.Context(), append([]string{"site"}, strings.Fields(tt.args)...), strings.NewReader(""), io.Discard, &errOut)
		if code != tt.code || !strings.Contains(errOut.String(), tt.want) || strings.Count(errOut.String(), "\n") != 1 {
			t.Errorf("site %s = %d %q, want %d and one line with %q", tt.args, code, errOut.String(), tt.code, tt.want)
		}
	}
}
