package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// logged is one server whose AOF holds every command, from the first on.
const logged = "aof"

func init() {
	topologies[logged] = alone("--aof-use-rdb-preamble", "no", "--auto-aof-rewrite-percentage", "0")
	register(scenario{
		name: "power-loss", row: "power loss: AOF cut at random bytes", short: true, topologies: []string{logged}, run: losePower,
	})
}

// losePower lets a load come to its end, then starts servers with the beginning of
// its AOF, cut at random bytes: in each the keys are as the rules want them at one
// moment, and in some workers bring all that is there to its end.
func losePower(ctx context.Context, t *trial) error {
	cuts, finished := 100, 10
	if t.Short {
		cuts, finished = 20, 2
	}
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	if err := pause(ctx, 3*time.Second); err != nil {
		return err
	}
	w, err := t.Busy(ctx) // a reclaim is in the AOF, too
	if err != nil {
		return err
	}
	t.Fleet.Kill(w)
	if err := pause(ctx, 2*lease); err != nil {
		return err
	}
	if err := f.End(); err != nil {
		return err
	}
	aof, err := readAOF(t.Site.Nodes[0].Dir())
	if err != nil {
		return err
	}
	t.Fired("cuts", 0)
	for i := range cuts {
		at := 1 + t.Random.IntN(len(aof))
		if err := t.cut(ctx, aof[:at], i%(cuts/finished) == 0); err != nil {
			return fmt.Errorf("AOF of %d bytes cut at %d: %w", len(aof), at, err)
		}
		t.Fired("cuts", 1)
	}
	t.Measure("AOF bytes", float64(len(aof)))
	t.Calm()
	return nil
}

// aofDir is where a server keeps its AOF, in its own directory; aofName is the file
// of its commands, aofList the list of its files.
const (
	aofDir  = "appendonlydir"
	aofName = "appendonly.aof.1.incr.aof"
	aofList = "appendonly.aof.manifest"
)

// readAOF returns what a server has written, whole commands alone.
func readAOF(dir string) ([]byte, error) {
	if n, err := filepath.Glob(filepath.Join(dir, aofDir, "*.incr.aof")); err != nil || len(n) != 1 {
		return nil, fmt.Errorf("its AOF is %q, %w, want one file of commands", n, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, aofDir, aofName))
	if err != nil {
		return nil, err
	}
	if len(b) < 1000 || !bytes.HasPrefix(b, []byte("*")) {
		return nil, errors.New("its AOF has hardly any commands")
	}
	return b, nil
}

// cut starts a server on the beginning of an AOF, and judges it; with finish also
// when workers have ended what is there.
func (t *trial) cut(ctx context.Context, aof []byte, finish bool) error {
	dir, err := os.MkdirTemp(t.dir, "cut-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files := filepath.Join(dir, aofDir)
	err = errors.Join(os.Mkdir(files, 0o700), os.WriteFile(filepath.Join(files, aofName), aof, 0o600),
		os.WriteFile(filepath.Join(files, aofList), []byte("file "+aofName+" seq 1 type i\n"), 0o600))
	if err != nil {
		return err
	}
	cfg, err := servers[t.job.server]()
	if err != nil {
		return err
	}
	cfg.Dir = dir
	cfg.Args = append(cfg.Args, "--aof-use-rdb-preamble", "no", "--aof-load-truncated", "yes")
	server, err := testredis.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer server.Stop()
	c := server.Client()
	defer c.Close()
	made, err := c.Exists(ctx, "flox:{"+t.Namespace+"}:config").Result()
	if err != nil || made == 0 { // cut before the namespace was there
		return err
	}
	if err := t.judgeCut(ctx, c, checker.Case{Merges: load.Merges}); err != nil || !finish {
		return err
	}
	return t.finishCut(ctx, server, c)
}

// judgeCut judges the keys of a server; S13 counts the cuts in which all was right.
func (t *trial) judgeCut(ctx context.Context, c *redis.Client, as checker.Case) error {
	snap, err := checker.Read(ctx, checker.Namespace{Name: t.Namespace, Masters: []*redis.Client{c}})
	if err != nil {
		return err
	}
	rep := snap.Judge(as)
	t.mu.Lock()
	t.report.Add(rep)
	t.mu.Unlock()
	t.Judge("S13", rep.Violations() == 0, "a cut AOF: %s", rep.Details())
	return nil
}

// finishCut lets workers of its own end the runs of a cut server.
func (t *trial) finishCut(ctx context.Context, server *testredis.Server, c *redis.Client) error {
	dir, err := os.MkdirTemp(t.dir, "fleet-")
	if err != nil {
		return err
	}
	fleet, err := load.NewFleet(load.FleetConfig{Binary: t.binary, URL: server.URL(), Namespace: t.Namespace, Dir: dir})
	if err != nil {
		return err
	}
	defer fleet.Close()
	for range 2 {
		if _, err := fleet.Start(); err != nil {
			return err
		}
	}
	st, err := redisstore.Open(ctx, redisstore.Config{URL: server.URL(), Namespace: t.Namespace, Patience: patience})
	if err != nil {
		return err
	}
	defer st.Close()
	ctl, wants := flox.NewControl(st), map[string]checker.Want{}
	err = t.Await(ctx, "all runs of a cut AOF have ended", func() (bool, error) {
		page, err := ctl.List(ctx, flox.ListRequest{Limit: 10_000})
		ended := !slices.ContainsFunc(page.Runs, func(r flox.RunInfo) bool { return !r.Status.Terminal() })
		all := t.Wants()
		for _, r := range page.Runs {
			wants[r.ID] = all[r.ID]
		}
		return err == nil && ended && page.Next == "", err
	})
	if err != nil {
		return err
	}
	for _, w := range fleet.Workers() {
		fleet.Kill(w)
	}
	t.Fired("cuts finished", 1)
	return t.judgeCut(ctx, c, checker.Case{Want: wants, Merges: load.Merges, Rest: true, Lost: true})
}
