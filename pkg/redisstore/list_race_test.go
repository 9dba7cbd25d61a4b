package redisstore_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// TestListMissesNone lists runs of a few moments while every other one of them
// leaves the index: those that stay are all listed.
func TestListMissesNone(t *testing.T) {
	const runs = 4000
	s := open(t, redisstore.Config{URL: testredis.Start(t).URL(), Partitions: 1})
	if err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}); err != nil {
		t.Fatal(err)
	}
	forEach := func(step int, do func(run string) error) {
		var all errgroup.Group
		all.SetLimit(64)
		for i := 0; i < runs; i += step {
			all.Go(func() error { return do(fmt.Sprintf("run-%d", i)) })
		}
		if err := all.Wait(); err != nil {
			t.Error(err)
		}
	}
	forEach(1, func(run string) error {
		return s.Start(t.Context(), flox.StartRequest{Run: run, Nonce: "n", Workflow: "wf", Node: "a", Queue: "q"})
	})
	var leaving errgroup.Group
	leaving.Go(func() error {
		forEach(2, func(run string) error {
			_, err := s.Control(t.Context(), flox.ControlRequest{Run: run, Op: flox.ControlCancel, Nonce: "n"})
			return err
		})
		return nil
	})
	left := make(chan error, 1)
	go func() { left <- leaving.Wait() }()
	active := flox.RunFilter{Statuses: flox.ActiveStatuses()}
	for done := false; !done; {
		select {
		case <-left:
			done = true
		default:
		}
		seen := map[string]bool{}
		for run, err := range flox.NewControl(s).Runs(t.Context(), active) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[run.ID] {
				t.Fatalf("run %s is listed twice", run.ID)
			}
			seen[run.ID] = true
		}
		for i := 1; i < runs; i += 2 {
			if run := fmt.Sprintf("run-%d", i); !seen[run] {
				t.Fatalf("run %s is not listed", run)
			}
		}
	}
}
