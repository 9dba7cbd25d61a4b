package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// TestErrorKind has what TestObserverOfFailures cannot make a server say.
func TestErrorKind(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	read := &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	for _, c := range []struct {
		err  error
		kind string
	}{
		{nil, ""},
		{redis.Nil, ""},
		{context.Canceled, ""},
		{redis.ErrClosed, ""},
		{errors.New("BUSYGROUP Consumer Group name already exists"), ""},
		{dial, "connection"},
		{fmt.Errorf("wrapped: %w", read), "timeout"},
		{redis.ErrPoolTimeout, "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{io.EOF, "connection"},
		{&net.DNSError{Err: "no such host", Name: "redis", IsNotFound: true}, "connection"},
		{errors.New("redis: all sentinels specified in configuration are unreachable"), "connection"},
		{errors.New("LOADING Redis is loading the dataset in memory"), "loading"},
		{errors.New("BUSY Redis is busy running a script."), "busy"},
		{errors.New("MISCONF Redis is configured to save RDB snapshots"), "misconf"},
		{errors.New("CLUSTERDOWN Hash slot not served"), "clusterdown"},
		{errors.New("TRYAGAIN Multiple keys request during rehashing of slot"), "tryagain"},
		{errors.New("MOVED 3999 127.0.0.1:6381"), "moved"},
		{errors.New("NOREPLICAS Not enough good replicas to write."), "noreplicas"},
		{errors.New("NOAUTH Authentication required."), "auth"},
		{errors.New("WRONGPASS invalid username-password pair"), "auth"},
		{errors.New("ERR AUTH <password> called without any password configured for the default user."), "auth"},
		{errors.New("ERR invalid password"), "auth"},
		{errors.New("ERR Protocol error: unauthenticated multibulk length"), "auth"},
		{errors.New("ERR max number of clients reached"), "maxclients"},
		{errors.New("UNBLOCKED the stream key no longer exists"), "nogroup"},
		{errors.New("ERR unknown command"), "other"},
	} {
		if got := errorKind(c.err); got != c.kind {
			t.Errorf("errorKind(%v) = %q, want %q", c.err, got, c.kind)
		}
	}
}

// TestRunbookHasKinds checks that who is alerted finds what to do about each kind.
func TestRunbookHasKinds(t *testing.T) {
	text, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok {
			for kind := range strings.SplitSeq(cell, ", ") {
				listed[kind] = true
			}
		}
	}
	for _, k := range append(errorKinds, struct{ prefix, kind string }{"", kindTimeout}, struct{ prefix, kind string }{"", kindOther}) {
		if !listed[k.kind] {
			t.Errorf("docs/runbook.md says nothing of errors of kind %s", k.kind)
		}
	}
}
