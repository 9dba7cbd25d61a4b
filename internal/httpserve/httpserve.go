// Package httpserve answers HTTP requests of health checks and of Prometheus, for
// workers and for orchestrator serve.
package httpserve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/floxrun/flox/internal/flags"
)

const (
	headerTimeout = 5 * time.Second // for a client to send its request
	writeTimeout  = 30 * time.Second
	stopTimeout   = 500 * time.Millisecond // for requests in hand when the process ends
	maxHeader     = 16 << 10
	maxBody       = 16 << 10 // no route has one to read
)

// Listen opens the address that the flag --listen gives. The error names the flag;
// it is a flags.ErrUsage if the address is malformed.
func Listen(address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, flags.Usagef("--listen=%q: want host:port", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("--listen=%s: %v; choose another address", address, err)
	}
	return l, nil
}

// Serve answers requests on l in the background until stop is called, which
// returns when it has ended and l is closed.
func Serve(l net.Listener, h http.Handler, log *slog.Logger) (stop func()) {
	srv := &http.Server{
		Handler: http.MaxBytesHandler(h, maxBody), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: writeTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
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
