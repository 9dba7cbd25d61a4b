package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

const (
	headerTimeout = 5 * time.Second // for a client to send its request
	writeTimeout  = 30 * time.Second
	storeTimeout  = 2 * time.Second // for the store to answer /readyz
	stopTimeout   = time.Second     // for requests in hand when the worker ends
)

// listen opens address, or returns nil for "off".
func listen(address string) (net.Listener, error) {
	if address == "off" {
		return nil, nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, flags.Usagef("--listen=%q: want host:port or off", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("--listen=%s: %v; choose another address, or \"off\"", address, err)
	}
	return l, nil
}

// handler answers health checks and scrapes. The worker takes work when ready
// says so, until life ends.
func handler(life context.Context, st flox.LivenessStore, ready func() bool, reg prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(rw, "ok")
	})
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, r *http.Request) {
		if reason := unready(r.Context(), life, st, ready); reason != "" {
			http.Error(rw, reason, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(rw, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
}

// unready says why the worker takes no work now, "" if it does.
func unready(ctx, life context.Context, st flox.LivenessStore, ready func() bool) string {
	switch {
	case life.Err() != nil:
		return "draining"
	case !ready():
		return "workflows not registered yet"
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if _, err := st.Workflows(ctx); err != nil {
		return "store unreachable"
	}
	return ""
}

// serve answers on l until stop is called, which returns when it has ended.
func serve(l net.Listener, h http.Handler, log *slog.Logger) (stop func()) {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: writeTimeout,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("http server ended", "error", err)
		}
	}()
	log.Info("http server started", "address", l.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			srv.Close()
		}
		<-done
	}
}
