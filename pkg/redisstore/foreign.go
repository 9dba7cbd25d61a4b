package redisstore

import (
	"context"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// dropForeign takes out of a stream what can be no entry of flox: it names no run of
// this partition. Left there it would be claimed again for ever. It returns the others.
func (s *Store) dropForeign(ctx context.Context, n int, entries []flox.Entry) []flox.Entry {
	return slices.DeleteFunc(entries, func(e flox.Entry) bool {
		if e.Token != "" && s.ownRun(n, e.Run) {
			return false
		}
		stream := s.keys.parts[n].queue(e.Queue)
		_, err := s.command(ctx, n, "XACK", stream, group, e.ID)
		if err == nil {
			_, err = s.command(ctx, n, "XDEL", stream, e.ID)
		}
		if ctx.Err() == nil {
			s.logger.Warn("entry of a queue is not flox's, removed", "key", stream, "entry", e.ID, "error", err)
		}
		return true
	})
}

// ownRun reports whether a run of that id would be in the partition.
func (s *Store) ownRun(n int, run string) bool {
	if flox.CheckName("run id", run) != nil {
		return false
	}
	at, _ := s.keys.of(run)
	return at == n
}
