package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// scanned is one token that a scan of a run found.
type scanned struct {
	token  string
	record tokenRecord
}

// scan reads some of a run's tokens from a cursor on; "0" is the first and, as
// next, the end. A small run comes whole, however little was asked for.
func (s *Store) scan(ctx context.Context, run, cursor string, count int) (tokens []scanned, next string, err error) {
	return s.scanWith(ctx, run, cursor, count, parseToken)
}

// scanWith is scan with a way of its own to read records.
func (s *Store) scanWith(
	ctx context.Context, run, cursor string, count int, parse func(raw string) (tokenRecord, error),
) (tokens []scanned, next string, err error) {
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, "HSCAN", p.run(run), cursor, "MATCH", "t:*", "COUNT", max(count, 10))
	if err != nil {
		return nil, "", err
	}
	r := list(reply)
	if len(r) != 2 {
		return nil, "", fmt.Errorf("HSCAN: %w", errDecode)
	}
	pairs := list(r[1])
	for i := 0; i+1 < len(pairs); i += 2 {
		record, err := parse(text(pairs, i+1))
		if err != nil {
			return nil, "", err
		}
		tokens = append(tokens, scanned{strings.TrimPrefix(text(pairs, i), "t:"), record})
	}
	return tokens, text(r, 0), nil
}

// Checkpoint implements flox.CheckpointStore. A cursor is one of the server's
// and how many of its tokens were returned already.
func (s *Store) Checkpoint(ctx context.Context, run, cursor string, limit int) ([]flox.TokenInfo, string, error) {
	at, skip, err := splitCursor(cursor)
	if err != nil {
		return nil, "", fmt.Errorf("checkpoint of run %s: %w", run, err)
	}
	if cursor == "" {
		if _, err := s.Info(ctx, run); err != nil {
			return nil, "", err
		}
	}
	var tokens []flox.TokenInfo
	for {
		page, next, err := s.scan(ctx, run, at, limit)
		if err != nil {
			return nil, "", fmt.Errorf("checkpoint of run %s: %w", run, err)
		}
		page = page[min(skip, len(page)):]
		if room := limit - len(tokens); len(page) > room {
			return appendTokens(tokens, page[:room]), fmt.Sprintf("%s:%d", at, skip+room), nil
		}
		tokens, at, skip = appendTokens(tokens, page), next, 0
		if at == "0" {
			return tokens, "", nil
		}
		if len(tokens) == limit {
			return tokens, at + ":0", nil
		}
	}
}

func splitCursor(cursor string) (at string, skip int, err error) {
	if cursor == "" {
		return "0", 0, nil
	}
	at, number, ok := strings.Cut(cursor, ":")
	skip, err = strconv.Atoi(number)
	if _, bad := strconv.ParseUint(at, 10, 64); !ok || err != nil || bad != nil || skip < 0 {
		return "", 0, fmt.Errorf("cursor %q is not one that a checkpoint returned", cursor)
	}
	return at, skip, nil
}

func appendTokens(tokens []flox.TokenInfo, page []scanned) []flox.TokenInfo {
	for _, t := range page {
		tokens = append(tokens, t.record.info(t.token))
	}
	return tokens
}
