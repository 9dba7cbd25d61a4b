package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// servers looks at every server, and reports whether the rest can be looked at:
// a server that takes no writes runs no script.
func (e *examiner) servers(ctx context.Context) (able bool, err error) {
	if e.s.embedded {
		return true, nil
	}
	able = true
	err = e.s.servers(ctx, func(ctx context.Context, c *redis.Client) error {
		info, err := serverInfo(ctx, c, "server", "memory", "persistence", "replication", "stats")
		if err != nil {
			return e.s.explain(err)
		}
		server := &serverLook{e: e, info: info, at: e.s.address}
		if e.s.cluster {
			server.at = c.Options().Addr
		}
		server.settings()
		server.memory()
		server.persistence(ctx, c)
		if server.closed != "" {
			e.mu.Lock()
			able = false
			e.mu.Unlock()
			server.finding("not-examined", SeverityWarning, "the rest was not looked at: the server %s", server.closed)
		}
		return nil
	})
	return able, err
}

// serverLook is a look at one server.
type serverLook struct {
	e      *examiner
	at     string
	info   map[string]string
	closed string // why it takes no writes, if so
}

func (l *serverLook) finding(kind string, severity Severity, detail string, args ...any) {
	l.e.report(Finding{Kind: kind, Severity: severity, Subject: "server " + l.at, Detail: fmt.Sprintf(detail, args...)})
}

func (l *serverLook) number(name string) int64 {
	n, _ := strconv.ParseInt(l.info[name], 10, 64)
	return n
}

func (l *serverLook) settings() {
	if err := checkVersion(l.at, l.info); err != nil {
		l.finding("server-version", SeverityError, "%v", err)
	}
	if policy := l.info["maxmemory_policy"]; policy != "noeviction" {
		l.finding("eviction-policy", SeverityError,
			"maxmemory-policy is %s, which throws keys away when memory is short: set it to noeviction", policy)
	}
	if l.info["role"] == "slave" || l.info["role"] == "replica" {
		l.closed = "is a replica"
		l.finding("read-only", SeverityError, "it is a replica of %s:%s and takes no writes: use the master's address",
			l.info["master_host"], l.info["master_port"])
	}
}

func (l *serverLook) memory() {
	if most, used := l.number("maxmemory"), l.number("used_memory"); most > 0 && used >= most/10*9 {
		l.finding("memory-short", SeverityWarning,
			"%d MB of maxmemory %d MB are used; when it is full no run can be started: raise it, or let runs expire or delete them",
			used>>20, most>>20)
	}
	if evicted := l.number("evicted_keys"); evicted > 0 {
		l.finding("keys-evicted", SeverityWarning,
			"it has thrown %d keys away since it was started (or CONFIG RESETSTAT): what runs have lost by that is named below", evicted)
	}
}

func (l *serverLook) persistence(ctx context.Context, c *redis.Client) {
	if l.info["aof_last_write_status"] == "err" {
		l.closed = "cannot write its append-only file"
		l.finding("aof-failed", SeverityError, "its append-only file could not be written: look at its disk and its log")
	}
	if l.info["rdb_last_bgsave_status"] == "err" {
		l.finding("snapshot-failed", SeverityError, "its last snapshot could not be written: look at its disk and its log")
		if save := l.setting(ctx, c, "save"); save != "" && save != unknownSetting &&
			l.setting(ctx, c, "stop-writes-on-bgsave-error") == "yes" {
			l.closed = "refuses writes until a snapshot succeeds"
		}
	}
	if l.info["aof_enabled"] == "1" {
		return
	}
	switch l.setting(ctx, c, "save") {
	case "":
		l.finding("persistence-off", SeverityWarning,
			"neither an append-only file nor snapshots are kept: its restart loses everything; set appendonly to yes")
	case unknownSetting:
		l.finding("persistence-unknown", SeverityInfo,
			"no append-only file is kept, and the user may not ask CONFIG whether snapshots are")
	default:
		l.finding("persistence-snapshots", SeverityInfo,
			"only snapshots are kept: a crash loses what came after the last; set appendonly to yes")
	}
}

const unknownSetting = "unknown"

func (l *serverLook) setting(ctx context.Context, c *redis.Client, name string) string {
	all, err := c.ConfigGet(ctx, name).Result()
	if err != nil {
		return unknownSetting
	}
	return strings.TrimSpace(all[name])
}
