package worker

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/floxrun/flox/pkg/flox"
)

// storeTimeout is how long the store may take to answer /readyz.
const storeTimeout = 2 * time.Second

// taker is what takes work, once the store is there.
type taker struct {
	st    flox.LivenessStore
	ready func() bool
}

// handler answers health checks and scrapes, until life ends. /readyz says whether
// the worker takes work; there is none while Redis is waited for.
func handler(life context.Context, worker *atomic.Pointer[taker], reg prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(rw, "ok")
	})
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, r *http.Request) {
		if reason := unready(r.Context(), life, worker.Load()); reason != "" {
			http.Error(rw, reason, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(rw, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
}

// unready says why the worker takes no work now, "" if it does.
func unready(ctx, life context.Context, worker *taker) string {
	switch {
	case life.Err() != nil:
		return "draining"
	case worker == nil:
		return "waiting for redis"
	case !worker.ready():
		return "workflows not registered yet"
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if _, err := worker.st.Workflows(ctx); err != nil {
		return "store unreachable"
	}
	return ""
}
