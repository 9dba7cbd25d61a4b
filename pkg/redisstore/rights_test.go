package redisstore_test

import (
	"context"
	"strings"
	"testing"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// A command that the user may not run is named before anything is written: Redis
// would stop the script in its middle, and keep what came before.
func TestMissingPermissionLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	admin := server.Client()
	defer admin.Close()
	ctx := t.Context()
	limited := func(ns string, without ...string) *redisstore.Store {
		t.Helper()
		rules := []any{"ACL", "SETUSER", "limited", "reset", "on", ">canary-1", "~flox:{*", "&flox:{*", "+@all"}
		for _, command := range without {
			rules = append(rules, "-"+command)
		}
		if err := admin.Do(ctx, rules...).Err(); err != nil {
			t.Fatal(err)
		}
		return open(t, redisstore.Config{URL: "redis://limited:canary-1@" + server.Addr(), Namespace: ns})
	}
	wf := flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}
	for _, command := range []string{"publish", "zadd", "hset", "time", "xadd", "hincrby", "eval"} {
		ns := "without-" + command
		err := limited(ns, command).Start(ctx, request("r"))
		if err == nil || !strings.Contains(err.Error(), "the user lacks a permission") || !strings.Contains(err.Error(), command) {
			t.Errorf("Start without %s = %v, want that it lacks that permission", command, err)
		}
		if keys := admin.Keys(ctx, "flox:{"+ns+"*").Val(); len(keys) > 0 {
			t.Errorf("Start without %s left %v", command, keys)
		}
	}
	for _, command := range []string{"xclaim", "xreadgroup", "xgroup", "hdel", "unlink"} {
		ns := "worker-without-" + command
		err := limited(ns, command).Register(ctx, wf)
		if err == nil || !strings.Contains(err.Error(), "the user lacks a permission: "+command) {
			t.Errorf("Register without %s = %v, want that it lacks that permission", command, err)
		}
		if keys := admin.Keys(ctx, "flox:{"+ns+"*").Val(); len(keys) > 0 {
			t.Errorf("Register without %s left %v", command, keys)
		}
	}
}

// Who may not wait is told so, in place of waiting for ever.
func TestMissingPermissionToWait(t *testing.T) {
	t.Parallel()
	master, _ := replicated(t)
	admin := master.Client()
	defer admin.Close()
	rules := []any{"ACL", "SETUSER", "limited", "on", ">canary-1", "~flox:{*", "&flox:{*", "+@all", "-wait"}
	if err := admin.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	s := open(t, redisstore.Config{
		URL: "redis://limited:canary-1@" + master.Addr(), Durability: redisstore.DurabilityWait,
	})
	err := s.Start(t.Context(), request("a"))
	if err == nil || !strings.Contains(err.Error(), "the user lacks a permission: wait") {
		t.Errorf("Start without WAIT = %v, want that it lacks that permission", err)
	}
	if n := admin.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("keys after that = %d, want 0", n)
	}
	// If it is taken away while the store is open, the call ends with that, too.
	allow := func(rule string) {
		t.Helper()
		if err := admin.Do(t.Context(), "ACL", "SETUSER", "limited", rule).Err(); err != nil {
			t.Fatal(err)
		}
	}
	allow("+wait")
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Fatal(err)
	}
	allow("-wait")
	err = s.Start(t.Context(), request("b"))
	if err == nil || !strings.Contains(err.Error(), "NOPERM") || !strings.Contains(err.Error(), "replicas have the change") {
		t.Errorf("Start without WAIT = %v, want that the replicas may lack it, and why", err)
	}
}

// What stands where the mark goes is named, and left as it is.
func TestMarkOfAnotherProgram(t *testing.T) {
	t.Parallel()
	master, _ := replicated(t)
	admin := master.Client()
	defer admin.Close()
	ctx := t.Context()
	cfg := redisstore.Config{URL: master.URL(), Durability: redisstore.DurabilityWait}
	s := open(t, cfg)
	if err := s.Start(ctx, request("a")); err != nil {
		t.Fatal(err)
	}
	cfg.Namespace = s.Namespace()
	key := "flox:{" + cfg.Namespace + ":0}:mark"
	admin.HSet(ctx, key, "theirs", "1")
	if err := s.Start(ctx, request("b")); err != nil {
		t.Fatal(err)
	}
	if got := admin.HGetAll(ctx, key).Val(); len(got) != 1 || got["theirs"] != "1" {
		t.Errorf("another program's hash is %v after a start, want it as it was", got)
	}
	admin.Del(ctx, key)
	admin.Set(ctx, key, "theirs", 0)
	refused(t, cfg, key+" is a string, flox keeps a hash")
	seen := &refusals{}
	cfg.Observer, cfg.Lenient = seen, true
	err := seen.repeated(t, func(ctx context.Context) error { return open(t, cfg).Start(ctx, request("c")) })
	if !strings.Contains(err.Error(), key) {
		t.Errorf("Start with a string where the mark goes = %v, want it named", err)
	}
	if got := admin.Get(ctx, key).Val(); got != "theirs" {
		t.Errorf("another program's string is %q after a start, want it as it was", got)
	}
}
