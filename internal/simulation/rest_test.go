package simulation

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// restLimit is how long the system may take to come to rest when the last run has
// ended: leases of those that died must run out, and janitors come round.
const restLimit = 2 * time.Minute

// atRest waits until nothing is left in queues, timers and marks, and returns what
// stays.
func (s *system) atRest() error {
	began := time.Now()
	for {
		left := s.left()
		if left == nil {
			return nil
		}
		if time.Since(began) > restLimit {
			return fmt.Errorf("%v after the runs had ended:\n%w", restLimit, errors.Join(left...))
		}
		time.Sleep(time.Second)
	}
}

// left reads the server's keys, not through flox.
func (s *system) left() []error {
	var left []error
	for _, key := range s.server.Keys() {
		switch {
		case strings.Contains(key, "}:queue:"):
			// Miniredis takes a deleted entry out of the pending ones, too.
			if entries, err := s.server.Stream(key); err != nil || len(entries) > 0 {
				left = append(left, fmt.Errorf("%s: %v, %w", key, entries, err))
			}
		case strings.HasSuffix(key, "}:delayed"):
			due, err := s.server.SortedSet(key)
			for member, at := range due {
				// A run that failed keeps what it waits for, be it for hours.
				if wait := time.Until(time.UnixMilli(int64(at))); wait < restLimit {
					left = append(left, fmt.Errorf("%s: %s, due in %v", key, member, wait))
				}
			}
			if err != nil {
				left = append(left, err)
			}
		case strings.HasSuffix(key, "}:runs:todo"), strings.HasSuffix(key, "}:todo"),
			strings.HasSuffix(key, "}:runs:active"):
			if members, err := s.server.ZMembers(key); err != nil || len(members) > 0 {
				left = append(left, fmt.Errorf("%s: %v, %w", key, members, err))
			}
		}
	}
	return left
}
