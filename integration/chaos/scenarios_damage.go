package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(scenario{
		name:  "damage",
		row:   "payload corrupted, truncated or a bomb; record truncated, bit-flipped or of a newer format; keys of a wrong type or of another program",
		short: true, run: damage,
	})
}

// victim is a run that was hit.
type victim struct {
	injury
	at  stance
	id  string
	now string // what the field, or the key, holds since
}

// damage hits some runs, each in one of all ways, and puts keys and members of
// another program among flox's. The other runs go on as if nothing was, and so does
// every process.
func damage(ctx context.Context, t *trial) error {
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 30)
	if err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	foreign, err := t.litter(ctx)
	if err != nil {
		return err
	}
	var victims []*victim
	for _, in := range injuries {
		t.Fired(in.name, 0)
		for _, at := range in.stances {
			v := &victim{injury: in, at: at, id: fmt.Sprintf("hit-%d", len(victims))}
			victims = append(victims, v)
			if err := v.begin(ctx, t, ctl); err != nil {
				return err
			}
		}
	}
	for _, v := range victims {
		if err := v.hit(ctx, t, ctl); err != nil {
			return err
		}
	}
	hitAt := time.Now()
	err = t.Await(ctx, "the damaged runs have come to what they must", func() (bool, error) {
		for _, v := range victims {
			if ok, err := v.settled(ctx, t); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	})
	t.Judge("damage", err == nil, "%v", err)
	// Those that are left alone come back with each lease.
	if err := pause(ctx, time.Until(hitAt.Add(3*lease))); err != nil {
		return err
	}
	t.Calm()
	t.FinalCheck = func(ctx context.Context, snap *checker.Snapshot, _ []checker.Execution) error {
		ends := map[string]float64{}
		for _, v := range victims {
			r := snap.Run(v.id)
			if err := v.judge(ctx, t, ctl, r); err != nil {
				return err
			}
			if r != nil {
				ends[r.Status()]++
			}
		}
		t.Measure("damaged and failed", ends["failed"])
		t.Measure("damaged and left alone", ends["running"]+ends[""])
		t.Measure("damaged and completed", ends["completed"])
		for key, was := range foreign {
			now, err := t.clients[0].Dump(ctx, key).Result()
			t.Judge("damage", err == nil && now == was, "key %s of another program was changed: %q became %q (%v)", key, was, now, err)
		}
		t.Judge("workers", t.Fleet.Died() == 0, "%d workers died", t.Fleet.Died())
		return nil
	}
	return f.End()
}

// begin starts the run that is to be hit.
func (v *victim) begin(ctx context.Context, t *trial, ctl *flox.Control) error {
	t.Case.Spoilt = append(t.Case.Spoilt, v.id)
	for _, w := range t.watches {
		w.Leave(v.id)
	}
	run := v.at.run
	run.ID = v.id
	return run.Start(ctx, ctl)
}

// hit damages the run while it stands where it should. If it has gone past that, as
// on a machine that stood still, another one is taken in its place.
func (v *victim) hit(ctx context.Context, t *trial, ctl *flox.Control) error {
	for first, again := v.id, 1; ; again++ {
		var done bool
		err := t.Await(ctx, fmt.Sprintf("run %s is %s", v.id, v.at.name), func() (bool, error) {
			struck, passed, err := v.strike(ctx, t)
			done = struck
			return struck || passed, err
		})
		if err != nil {
			return err
		}
		if done {
			t.Fired(v.name, 1)
			return nil
		}
		v.id = fmt.Sprintf("%s-%d", first, again)
		if err := v.begin(ctx, t, ctl); err != nil {
			return err
		}
	}
}

// strike does the damage if the run stands where it should, all in one transaction:
// nobody has touched it since it was looked at. It says whether it did, or whether
// the run is over.
func (v *victim) strike(ctx context.Context, t *trial) (struck, passed bool, err error) {
	key := t.runKey(v.id)
	err = t.clients[0].Watch(ctx, func(tx *redis.Tx) error {
		fields, err := tx.HGetAll(ctx, key).Result()
		if err != nil {
			return err
		}
		passed = fields["status"] != "running"
		if passed || !v.at.holds(strings.Split(fields["t:0"]+"||", "|")) {
			return nil
		}
		_, err = tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			if v.field == "" {
				v.now = notOurs
				pipe.Set(ctx, key, v.now, 0)
				return nil
			}
			v.now = v.change(t.Random, fields[v.field])
			pipe.HSet(ctx, key, v.field, v.now)
			return nil
		})
		struck = err == nil
		return err
	}, key)
	if errors.Is(err, redis.TxFailedErr) {
		err = nil
	}
	return struck, passed, err
}

// settled says whether the run has come to what it must, as far as that comes by
// itself.
func (v *victim) settled(ctx context.Context, t *trial) (bool, error) {
	if v.field == "" {
		return true, nil
	}
	status, err := t.clients[0].HGet(ctx, t.runKey(v.id), "status").Result()
	return slices.Contains(v.ends, status), err
}

// judge judges what the run has come to: it has failed with a recorded error, or it
// was left alone.
func (v *victim) judge(ctx context.Context, t *trial, ctl *flox.Control, r *checker.Run) error {
	what := fmt.Sprintf("run %s (%s, %s, now %.80q)", v.id, v.name, v.at.name, v.now)
	if v.field == "" {
		now, err := t.clients[0].Get(ctx, t.runKey(v.id)).Result()
		t.Judge("damage", err == nil && now == v.now, "%s was not left alone: it is %q (%v)", what, now, err)
		return nil
	}
	if r == nil || r.Fields == nil {
		t.Judge("damage", false, "%s is gone", what)
		return nil
	}
	t.Judge("damage", slices.Contains(v.ends, r.Status()), "%s is %s (%s), want %v", what, r.Status(), r.Fields["cause"], v.ends)
	switch r.Status() {
	case "failed":
		records, err := ctl.Errors(ctx, v.id)
		if err != nil {
			return err
		}
		final := slices.ContainsFunc(records, func(e flox.ErrorRecord) bool { return e.Final && e.Message != "" })
		t.Judge("error records", final && r.Fields["cause"] != "", "%s has failed because of %q, its errors are %+v", what, r.Fields["cause"], records)
	case "running":
		if !slices.Contains(v.ends, "completed") {
			t.Judge("damage", r.Fields[v.field] == v.now, "%s was not left alone: %q", what, r.Fields[v.field])
		}
	}
	if want := load.Want(v.at.run); slices.Equal(v.ends, goesOn) {
		committed := r.Fields["committed"]
		t.Judge("damage", committed == fmt.Sprint(want.Committed), "%s has committed %s items, want %d", what, committed, want.Committed)
	}
	return nil
}

func (t *trial) runKey(id string) string { return "flox:{" + t.Namespace + ":0}:run:" + id }

// litter puts keys of another program among flox's, which must stay as they are, and
// entries and timers, which must go. It returns what the keys hold.
func (t *trial) litter(ctx context.Context) (map[string]string, error) {
	c, part := t.clients[0], "flox:{"+t.Namespace+":0}:"
	t.Case.Foreign = []string{"junk", "queue:other", "run:other", "state:other", "runs:other"}
	foreign := map[string]string{}
	for _, name := range append([]string{"flox:{" + t.Namespace + "}:junk", "flox:{" + t.Namespace + ":7}:run:other"}, t.Case.Foreign...) {
		key := name
		if !strings.HasPrefix(name, "flox:") {
			key = part + name
		}
		if err := c.Set(ctx, key, notOurs, 0).Err(); err != nil {
			return nil, err
		}
		dump, err := c.Dump(ctx, key).Result()
		if err != nil {
			return nil, err
		}
		foreign[key] = dump
		t.Fired("keys of another program", 1)
	}
	for _, name := range []string{"nobody", "", "a b", "x/y", "\xff\xfe"} {
		_, err := c.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: part + "queue:" + load.ChainName, Values: []string{"r", name, "t", "0"}})
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: part + "queue:" + load.MeshName, Values: []string{"other", name}})
			pipe.ZAdd(ctx, part+"delayed", redis.Z{Member: name}, redis.Z{Member: name + "/0"}, redis.Z{Member: name + "/"})
			return nil
		})
		if err != nil {
			return nil, err
		}
		t.Fired("entries and timers of another program", 1)
	}
	return foreign, nil
}
