package worker

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestCheck checks what --check says of workers that are ready, that are not, and
// that are not there.
func TestCheck(t *testing.T) {
	wf := workflow(t, newGate())
	s := start(t, wf)
	address := strings.TrimPrefix(s.url, "http://")
	ask := func(address string) error {
		return Run(t.Context(), []string{"--check", "--listen", address}, io.Discard, io.Discard, wf)
	}
	_, port, _ := net.SplitHostPort(address)
	for _, at := range []string{address, "0.0.0.0:" + port, ":" + port} {
		if err := ask(at); err != nil {
			t.Errorf("--check --listen %s = %v, want nil", at, err)
		}
	}
	s.redis.SetError("LOADING Redis is loading the dataset in memory")
	if err := ask(address); err == nil || err.Error() != "not ready: store unreachable" {
		t.Errorf("--check of a worker without Redis = %v, want not ready: store unreachable", err)
	}
	s.redis.SetError("")
	s.stop()
	<-s.done
	if err := ask(address); err == nil || !strings.HasPrefix(err.Error(), "nothing answers at "+address) || exitCode(err) != 1 {
		t.Errorf("--check where nothing listens = %v, want exit code 1 and that nothing answers", err)
	}
	for _, at := range []string{"off", "9464", "host:not a port"} {
		if err := ask(at); exitCode(err) != 2 {
			t.Errorf("--check --listen %q = %v, want exit code 2", at, err)
		}
	}
}

// TestCheckEnds checks that a process that hangs is found out within the time that
// a container's check has.
func TestCheckEnds(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hang.Close()
	began := time.Now()
	err := check(t.Context(), strings.TrimPrefix(hang.URL, "http://"))
	if took := time.Since(began); err == nil || took > 3*time.Second {
		t.Errorf("check = %v after %v, want an error within 3s", err, took)
	}
}
