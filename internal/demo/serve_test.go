package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestWorld checks that one address answers as the site, as the other host and as
// the gateway.
func TestWorld(t *testing.T) {
	const delay = 50 * time.Millisecond
	world, err := World("http://elsewhere:8080", delay)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(world)
	defer server.Close()
	get := func(host, path string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for _, tt := range []struct {
		host, path string
		code       int
		want       string
	}{
		{"site:8080", "/", 200, "<title>/</title>"},
		{"site:8080", "/ok", 404, ""},
		{"elsewhere:8080", "/ok", 200, "/never"},
		{"elsewhere:8080", "/", 404, ""},
		{"site:8080", GatewayPath + "/ledger", 200, "[]"},
	} {
		if code, body := get(tt.host, tt.path); code != tt.code || !strings.Contains(body, tt.want) {
			t.Errorf("GET http://%s%s = %d %q, want %d with %q", tt.host, tt.path, code, body, tt.code, tt.want)
		}
	}

	gateway, err := NewGatewayClient(server.URL+GatewayPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 3 { // some of the first calls of a key fail
		if _, err = gateway.Charge(t.Context(), "o", 100, "k"); err == nil {
			break
		}
	}
	if took := time.Since(began); err != nil || took < delay {
		t.Errorf("Charge = %v after %v, want nil after %v or more", err, took, delay)
	}
	var ledger Ledger
	_, body := get("site:8080", GatewayPath+"/ledger")
	if err := json.Unmarshal([]byte(body), &ledger); err != nil || len(ledger) != 1 || ledger[0].Cents != 100 {
		t.Errorf("ledger is %s (%v), want one charge of 100", body, err)
	}
	for _, url := range []string{"elsewhere", "ftp://elsewhere", "http://", "http://%"} {
		if _, err := World(url, 0); err == nil || !strings.Contains(err.Error(), "want a URL such as") {
			t.Errorf("World(%q) = %v, want an error that says what is wanted", url, err)
		}
	}
}
