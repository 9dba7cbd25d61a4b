package redisstore

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Observer is told what a Store and its server say to each other, for metrics.
// Its methods are called from many goroutines and must not block.
type Observer interface {
	// Batch is called when the server has answered a pipeline of that many
	// commands.
	Batch(commands int, took time.Duration)
	// Failed is called when a command was not answered, or with an error that is
	// not one of flox's own answers; one that is repeated may fail again. Kind is
	// timeout, connection, loading, readonly, clusterdown, tryagain, masterdown,
	// busy, oom, misconf, noreplicas, noscript, nogroup, wrongtype, moved, auth,
	// maxclients or other.
	Failed(kind string)
}

// errorKinds maps how an error of the server begins to its kind.
var errorKinds = []struct{ prefix, kind string }{
	{"LOADING", "loading"},
	{"READONLY", "readonly"},
	{"CLUSTERDOWN", "clusterdown"},
	{"TRYAGAIN", "tryagain"},
	{"MASTERDOWN", "masterdown"},
	{"BUSY ", "busy"},
	{"OOM", "oom"},
	{"MISCONF", "misconf"},
	{"NOREPLICAS", "noreplicas"},
	{"NOSCRIPT", "noscript"},
	{"NOGROUP", "nogroup"},
	{"UNBLOCKED", "nogroup"}, // the stream was deleted while a read waited
	{"WRONGTYPE", "wrongtype"},
	{"MOVED", "moved"},
	{"ASK", "moved"},
	{"NOAUTH", "auth"},
	{"WRONGPASS", "auth"},
	{"NOPERM", "auth"},
	{"ERR AUTH", "auth"},
	{"ERR invalid password", "auth"},
	{"ERR Protocol error: unauthenticated", "auth"}, // a long command of who has not said who it is
	{"ERR max number of clients", "maxclients"},
	// What go-redis says about a cluster or sentinels that it cannot reach.
	{"redis: ", kindConnection},
	{"pool: ", kindConnection},
}

const (
	kindTimeout    = "timeout"    // it did not answer in time
	kindConnection = "connection" // there is no connection, or it broke
	kindOther      = "other"
)

// errorKind is the kind of an error that a command ended with, "" for what is none:
// no value, a group that is there already, the end of the store.
func errorKind(err error) string {
	switch {
	case err == nil, errors.Is(err, redis.Nil), errors.Is(err, context.Canceled), errors.Is(err, redis.ErrClosed):
		return ""
	case errors.Is(err, ErrNotReplicated):
		return "noreplicas"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrPoolTimeout):
		return kindTimeout
	}
	var network net.Error
	if errors.As(err, &network) {
		if network.Timeout() {
			return kindTimeout
		}
		return kindConnection
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return kindConnection
	}
	text := err.Error()
	if strings.HasPrefix(text, "BUSYGROUP") {
		return ""
	}
	for _, k := range errorKinds {
		if strings.HasPrefix(text, k.prefix) {
			return k.kind
		}
	}
	return kindOther
}

// failed tells the observer of an error that a command ended with.
func (s *Store) failed(err error) {
	if s.observer == nil || err == nil || s.ctx.Err() != nil {
		return
	}
	if kind := errorKind(err); kind != "" {
		s.observer.Failed(kind)
	}
}

// batch tells the observer of a pipeline that took that long, and of what failed
// in it.
func (s *Store) batch(messages []*message, took time.Duration) {
	if s.observer == nil {
		return
	}
	answered, calls := false, 0
	for _, m := range messages {
		calls += len(m.calls)
		err := m.cmd.Err()
		s.failed(err)
		var server redis.Error
		answered = answered || err == nil || errors.As(err, &server)
	}
	if answered {
		s.observer.Batch(calls, took)
	}
}
