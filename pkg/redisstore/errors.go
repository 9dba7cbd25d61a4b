package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

var errClosed = errors.New("the redis store is closed")

// Answers of a server that cannot serve just now. MOVED and ASK are followed by
// go-redis; what is left of them means that the slots are on the move.
var passing = []string{
	"LOADING", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "BUSY ", "NOGROUP",
	"MISCONF", "WRONGKEY ", "MOVED", "ASK", "NOREPLICAS", "UNBLOCKED", "NOSCRIPT", "ERR max number of clients",
}

// transient reports whether the same command may succeed later.
func transient(err error) bool {
	var network net.Error
	var doubt *unreplicated
	switch {
	case errors.Is(err, errClosed), errors.Is(err, redis.ErrClosed), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &doubt) && doubt.cause != nil:
		return transient(doubt.cause)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrNotReplicated), errors.As(err, &network), errors.Is(err, redis.ErrPoolTimeout):
		return true
	}
	for ; err != nil; err = errors.Unwrap(err) {
		text := err.Error()
		// go-redis has no types for what it says about a lost cluster or sentinel.
		if strings.HasPrefix(text, "redis: ") || strings.HasPrefix(text, "pool: ") ||
			slices.ContainsFunc(passing, func(p string) bool { return strings.HasPrefix(text, p) }) {
			return true
		}
	}
	return false
}

// explain says where an error comes from and, if it is known, how to mend it.
func (s *Store) explain(err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, errClosed), errors.Is(err, context.Canceled):
		return err
	case strings.HasPrefix(text, "NOAUTH"), strings.HasPrefix(text, "ERR Protocol error: unauthenticated"):
		return fmt.Errorf("redis at %s wants a password: put it in the URL as redis://user:password@host", s.address)
	case strings.HasPrefix(text, "WRONGPASS"), strings.Contains(text, "invalid password"),
		strings.Contains(text, "called without any password configured"):
		return fmt.Errorf("redis at %s refuses the user or password: correct it in the URL (user \"default\" if none is named)", s.address)
	case strings.HasPrefix(text, "NOPERM"), strings.Contains(text, "The user executing the script can't"):
		return fmt.Errorf("redis at %s: the user lacks a permission: %w", s.address, err)
	case strings.HasPrefix(text, "WRONGTYPE"):
		return errSpoilt
	case strings.HasPrefix(text, "READONLY"):
		return fmt.Errorf("redis at %s is a replica, or becomes one: use the master's address if that stays so: %w", s.address, err)
	case strings.HasPrefix(text, "OOM"):
		return fmt.Errorf("redis at %s is out of memory: raise maxmemory or let runs finish: %w", s.address, err)
	}
	return fmt.Errorf("redis at %s: %w", s.address, err)
}
