package redisstore_test

import (
	"fmt"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// TestSettlePassesOverWhatWaits marks more runs that have to wait for a worker
// than one Settle takes: what is behind them gets its turn, and janitors rest.
func TestSettlePassesOverWhatWaits(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	for i := range 6 {
		fan := fanJoin(s.begin(fmt.Sprint("waits", i)), "q")
		fan.Undo = &flox.Undo{Node: "undo", Queue: "q"}
		s.commit(fan, flox.VerdictReleased)
		fails := s.take("q")
		s.take("q")
		s.commit(flox.Commit{Lease: fails.Lease, Op: flox.OpFail, Read: -1, Cause: "boom"}, flox.VerdictReleased)
	}
	l := s.begin("parked")
	if _, err := s.Control(ctx, flox.ControlRequest{Run: "parked", Op: flox.ControlPause, Nonce: "1"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Handback(ctx, l.Lease, false); err != nil || got != flox.VerdictParked {
		t.Fatalf("Handback = verdict %d, %v, want it parked", got, err)
	}
	if _, err := s.Control(ctx, flox.ControlRequest{Run: "parked", Op: flox.ControlResume, Nonce: "2"}); err != nil {
		t.Fatal(err)
	}
	done := flox.Settled{More: true}
	for round := 0; done.More && round < 10; round++ {
		var err error
		if done, err = s.Settle(ctx, ""); err != nil {
			t.Fatal(err)
		}
	}
	info, err := s.Info(ctx, "parked")
	if err != nil || done.More || info.Counts.Parked != 0 {
		t.Errorf("Settle = %+v and leaves %d parked, %v, want all done that can be", done, info.Counts.Parked, err)
	}
}

// TestCancelUnmarks cancels a run whose join has fired early. Once its tokens are
// dropped nothing is left to do, and no janitor looks at it again.
func TestCancelUnmarks(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	fan := fanJoin(s.begin("r"), "q")
	fan.Fan.Frame.Quorum = 1
	s.commit(fan, flox.VerdictReleased)
	s.commit(flox.Commit{Lease: s.take("q").Lease, Op: flox.OpDeposit, JoinQueue: "q", Read: -1}, flox.VerdictReleased)
	if _, err := s.Control(ctx, flox.ControlRequest{Run: "r", Op: flox.ControlCancel, Nonce: "1"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Settle(ctx, "r"); err != nil {
			t.Fatal(err)
		}
	}
	marks, err := s.client.ZCard(ctx, fmt.Sprintf("flox:{%s:0}:runs:todo", s.Namespace())).Result()
	if err != nil || marks != 0 {
		t.Errorf("%d runs are marked, %v, want none", marks, err)
	}
	if info, err := s.Info(ctx, "r"); err != nil || info.Counts.Live != 0 {
		t.Errorf("Info = %+v, %v, want no token left", info.Counts, err)
	}
}
