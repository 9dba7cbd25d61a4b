package redisstore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// aclServer starts a server with the users that are shipped; prefix replaces the
// keys that they may touch, if it is not "".
func aclServer(t *testing.T, prefix string) (server *testredis.Server, url func(user string) string) {
	t.Helper()
	raw, err := os.ReadFile("../../deploy/redis/flox.acl")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if strings.Count(text, " off ") != strings.Count(text, "\n") || strings.Contains(text, " nopass") {
		t.Fatal("flox.acl: a user may log in before it has a password")
	}
	text = strings.ReplaceAll(text, " off ", " on >canary-1 ")
	if prefix != "" {
		text = strings.ReplaceAll(text, "flox:{*", prefix)
	}
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte("user default on nopass ~* &* +@all\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	server = testredis.Start(t, testredis.Args("--aclfile", file, "--enable-debug-command", "yes"))
	return server, func(user string) string { return "redis://" + user + ":canary-1@" + server.Addr() }
}

// denied lists what the server has refused.
func denied(t *testing.T, c *redis.Client) (all []string) {
	t.Helper()
	log, err := c.ACLLog(context.Background(), 100).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range log {
		all = append(all, e.Username+" "+e.Reason+" "+e.Object)
	}
	return all
}

// TestACLRefuses: it is enough for nothing else.
func TestACLRefuses(t *testing.T) {
	t.Parallel()
	server, url := aclServer(t, "")
	admin := server.Client()
	defer admin.Close()
	admin.Set(t.Context(), "other", "secret", 0)
	forbidden := [][]any{
		{"FLUSHALL"}, {"FLUSHDB"}, {"KEYS", "*"}, {"CONFIG", "GET", "*"}, {"CONFIG", "SET", "maxmemory", "1"},
		{"DEBUG", "SLEEP", "0"}, {"ACL", "LIST"}, {"MONITOR"}, {"SHUTDOWN", "NOSAVE"}, {"REPLICAOF", "NO", "ONE"},
		{"SCRIPT", "FLUSH"}, {"FUNCTION", "LIST"}, {"CLIENT", "LIST"}, {"SAVE"}, {"RENAME", "flox:{a}:x", "flox:{a}:y"},
		{"GET", "other"}, {"HGETALL", "other"}, {"TYPE", "other"}, {"HSET", "other", "a", "b"},
		{"HSET", "flox:a", "a", "b"}, {"PUBLISH", "other", "x"}, {"SUBSCRIBE", "other"},
		{"EVAL", "return redis.call('GET', 'other')", 0}, {"EVAL", "return redis.call('FLUSHALL')", 0},
		{"EVAL", "return redis.call('HGETALL', KEYS[1])", 1, "other"},
	}
	writes := [][]any{
		{"HSET", "flox:{a}:x", "a", "b"}, {"DEL", "flox:{a}:x"}, {"XADD", "flox:{a}:x", "*", "a", "b"}, {"ZADD", "flox:{a}:x", 1, "a"},
		{"EVAL", "return redis.call('HSET', KEYS[1], 'a', 'b')", 1, "flox:{a}:x"}, {"PUBLISH", "flox:{a}:x", "y"},
	}
	for user, more := range map[string][][]any{
		"flox-worker": {{"SCAN", 0}, {"MEMORY", "USAGE", "flox:{a}:x"}}, "flox-operator": nil, "flox-reader": writes,
	} {
		opts, err := redis.ParseURL(url(user))
		if err != nil {
			t.Fatal(err)
		}
		opts.Protocol, opts.DisableIdentity = 2, true
		c := redis.NewClient(opts)
		for _, args := range append(more, forbidden...) {
			err := c.Do(t.Context(), args...).Err()
			if err == nil || !strings.Contains(err.Error(), "NOPERM") && !strings.Contains(err.Error(), "The user executing the script can't") {
				t.Errorf("%s: %v = %v, want it refused", user, args, err)
			}
		}
		_ = c.Close()
	}
	if n := admin.DBSize(t.Context()).Val(); n != 1 {
		t.Errorf("keys = %d, want the one there was", n)
	}
}

// TestACLByUser: each user can do what it is for, and is told clearly what it may not.
func TestACLByUser(t *testing.T) {
	t.Parallel()
	server, url := aclServer(t, "")
	admin := server.Client()
	defer admin.Close()
	ctx := t.Context()
	namespaced := func(user, ns string) *redisstore.Store {
		t.Helper()
		s, err := redisstore.Open(ctx, redisstore.Config{URL: url(user), Namespace: ns})
		if err != nil {
			t.Fatalf("Open as %s = %v", user, err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	worker, operator, reader := namespaced("flox-worker", "a"), namespaced("flox-operator", "a"), namespaced("flox-reader", "a")
	if err := worker.Register(ctx, flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}); err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(ctx, request("r")); err != nil {
		t.Fatal(err)
	}
	if err := worker.Beat(ctx, flox.WorkerInfo{ID: "w", Name: "w"}); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(s *redisstore.Store) error{
		"Info":      func(s *redisstore.Store) error { _, err := s.Info(ctx, "r"); return err },
		"List":      func(s *redisstore.Store) error { _, err := s.List(ctx, flox.ListRequest{Limit: 10}); return err },
		"Stats":     func(s *redisstore.Store) error { _, err := s.Stats(ctx); return err },
		"Queues":    func(s *redisstore.Store) error { _, err := s.Queues(ctx, []string{"wf"}); return err },
		"Streams":   func(s *redisstore.Store) error { _, err := s.Streams(ctx, []string{"q"}); return err },
		"Workers":   func(s *redisstore.Store) error { _, err := s.Workers(ctx); return err },
		"Workflows": func(s *redisstore.Store) error { _, err := s.Workflows(ctx); return err },
		"History":   func(s *redisstore.Store) error { _, err := s.History(ctx, "r", 0, 10); return err },
		"Outputs":   func(s *redisstore.Store) error { _, err := s.Outputs(ctx, "r"); return err },
		"Survey": func(s *redisstore.Store) error {
			_, err := s.Survey(ctx, func(context.Context, int) error { return nil })
			return err
		},
		"Usage": func(s *redisstore.Store) error {
			_, err := s.Usage(ctx, redisstore.UsageConfig{Sample: 10})
			return err
		},
		"Health":     func(s *redisstore.Store) error { all, err := s.Health(ctx); return cmpErr(err, all) },
		"Namespaces": func(s *redisstore.Store) error { _, err := s.Namespaces(ctx); return err },
		"Moved":      func(s *redisstore.Store) error { _, err := s.Moved(ctx); return err },
		"Watch":      func(s *redisstore.Store) error { _, err := s.Watch(ctx); return err },
		"Alerts":     func(s *redisstore.Store) error { _, err := s.Alerts(ctx); return err },
	} {
		for user, s := range map[string]*redisstore.Store{"flox-operator": operator, "flox-reader": reader} {
			if err := read(s); err != nil {
				t.Errorf("%s as %s = %v", name, user, err)
			}
		}
	}
	for f, err := range operator.Examine(ctx, redisstore.ExamineConfig{Deep: true}) {
		if err != nil || f.Kind == "not-examined" {
			t.Errorf("Examine as flox-operator = %+v, %v", f, err)
		}
	}
	if _, err := reader.Control(ctx, flox.ControlRequest{Run: "r", Op: flox.ControlCancel, Nonce: "n"}); err == nil ||
		!strings.Contains(err.Error(), "the user lacks a permission") || strings.Contains(err.Error(), "canary-1") {
		t.Errorf("Control as flox-reader = %v, want that it lacks a permission", err)
	}
	if _, err := operator.Control(ctx, flox.ControlRequest{Run: "r", Op: flox.ControlCancel, Nonce: "n"}); err != nil {
		t.Errorf("Control as flox-operator = %v", err)
	}
	if all := denied(t, admin); len(all) > 3 {
		t.Errorf("refused: %v", all)
	}
}

func cmpErr(err error, all []redisstore.ServerHealth) error {
	for _, h := range all {
		if h.Err != nil {
			return h.Err
		}
	}
	return err
}

// TestACLOfOneNamespace: with the keys of one namespace alone others are closed.
func TestACLOfOneNamespace(t *testing.T) {
	t.Parallel()
	_, url := aclServer(t, "flox:{shop[:}]*")
	s, err := redisstore.Open(t.Context(), redisstore.Config{URL: url("flox-worker"), Namespace: "shop", Partitions: 2})
	if err != nil {
		t.Fatalf("Open of its namespace = %v", err)
	}
	defer s.Close()
	if err := s.Start(t.Context(), request("r")); err != nil {
		t.Errorf("Start in its namespace = %v", err)
	}
	if _, err := s.Watch(t.Context()); err != nil {
		t.Errorf("Watch of its namespace = %v", err)
	}
	for _, other := range []string{"other", "shop2", "default"} {
		refused(t, redisstore.Config{URL: url("flox-worker"), Namespace: other}, "the user lacks a permission")
	}
}
