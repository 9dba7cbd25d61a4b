package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
)

// clusterParts is how many partitions the namespace has on a cluster: a few for
// each master, so that each worker has not too many connections for one machine.
const clusterParts = 9

// clusterGap is how long the runs of a master that is gone may stand still.
const clusterGap = 5 * time.Second

func init() {
	register(
		scenario{
			name: "cluster-kill", row: "Cluster: a master killed", topologies: []string{cluster},
			run: func(ctx context.Context, t *trial) error { return loseNode(ctx, t, killed) },
		},
		scenario{
			name: "cluster-hang", row: "Cluster: a master stopped", topologies: []string{cluster},
			run: func(ctx context.Context, t *trial) error { return loseNode(ctx, t, hung) },
		},
		scenario{name: "cluster-move", row: "Cluster: slots migrated under load", topologies: []string{cluster}, run: moveSlots},
	)
}

// onCluster starts workers and the load.
func onCluster(ctx context.Context, t *trial) (*testredis.ClusterServer, *feed, error) {
	if err := t.Workers(ctx, 3, fmt.Sprintf("FLOX_PARTITIONS=%d", clusterParts)); err != nil {
		return nil, nil, err
	}
	f, err := t.Feed(ctx, 60)
	if err != nil {
		return nil, nil, err
	}
	return t.Site.Extra.(*testredis.ClusterServer), f, pause(ctx, 2*time.Second)
}

// loseNode takes a master away until its replica has its place. What it had not
// sent to the replica is lost with it, and counted.
func loseNode(ctx context.Context, t *trial, h harm) error {
	t.judgeAcknowledged(true)
	t.Case.Lost = true
	c, f, err := onCluster(ctx, t)
	if err != nil {
		return err
	}
	t.Fired("master "+h.fault, 0)
	victim := c.Nodes[t.Random.IntN(3)]
	own, err := t.partitionsAt(ctx, victim)
	if err != nil {
		return err
	}
	replica := c.Nodes[slices.Index(c.Nodes, victim)+3]
	began, stalled := time.Now(), t.stalls.sum()
	if err := h.do(ctx, victim, []*testredis.Server{replica}); err != nil {
		return err
	}
	if err := replica.AwaitInfo(ctx, "replication", "role:master"); err != nil {
		return errors.Join(err, f.End())
	}
	t.Measure("promoted", time.Since(began).Seconds())
	t.Fired("master "+h.fault, 1)
	ofVictim := func(run string) bool { return own[flox.Partition(run, clusterParts)] }
	if err := t.judgeGap(ctx, began, stalled, clusterGap, ofVictim); err != nil {
		return err
	}
	if err := h.undo(ctx, victim); err != nil {
		return err
	}
	if err := victim.AwaitInfo(ctx, "replication", "master_link_status:up"); err != nil {
		return err
	}
	if err := f.End(); err != nil {
		return err
	}
	if err := t.judgeStarts(ctx, true); err != nil {
		return err
	}
	t.Calm()
	return nil
}

// slotOf is the slot of a partition's keys.
func (t *trial) slotOf(ctx context.Context, part int) (int, error) {
	slot, err := t.Nodes()[1].ClusterKeySlot(ctx, fmt.Sprintf("flox:{%s:%d}:", t.Namespace, part)).Result()
	return int(slot), err
}

// partitionsAt are the partitions whose slots a server has.
func (t *trial) partitionsAt(ctx context.Context, s *testredis.Server) (map[int]bool, error) {
	own := map[int]bool{}
	for part := range clusterParts {
		slot, err := t.slotOf(ctx, part)
		if err != nil {
			return nil, err
		}
		if own[part], err = s.HasSlot(ctx, slot); err != nil {
			return nil, err
		}
	}
	return own, nil
}

// moveSlots moves the slots of partitions with work in them to other masters.
func moveSlots(ctx context.Context, t *trial) error {
	t.judgeAcknowledged(false)
	c, f, err := onCluster(ctx, t)
	if err != nil {
		return err
	}
	t.Fired("slots moved", 0)
	began, stalled, keys := time.Now(), t.stalls.sum(), 0
	for part := range clusterParts {
		slot, err := t.slotOf(ctx, part)
		if err != nil {
			return err
		}
		from := slices.IndexFunc(c.Nodes[:3], func(s *testredis.Server) bool {
			own, failed := t.partitionsAt(ctx, s)
			err = errors.Join(err, failed)
			return own[part]
		})
		if from < 0 {
			return errors.Join(err, fmt.Errorf("no master has the slot of partition %d", part))
		}
		moved, err := c.MoveSlot(ctx, slot, c.Nodes[from], c.Nodes[(from+1)%3])
		if err != nil {
			return err
		}
		if moved > 0 {
			t.Fired("slots moved", 1)
		}
		keys += moved
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	t.Measure("keys moved", float64(keys))
	if err := t.judgeGap(ctx, began, stalled, clusterGap, anyRun); err != nil {
		return err
	}
	t.Calm()
	return f.End()
}
