package integration

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// TestCancelReachesNodes cancels runs whose nodes are at work in another
// process. Leases are renewed every 20 s here, so the news came by push.
func TestCancelReachesNodes(t *testing.T) {
	const runs = 20
	server := testredis.Start(t)
	fleet := newFleet(t, server.URL(), "cancel", 2, "FLOX_LEASE=1m")
	st, err := redisstore.Open(t.Context(), redisstore.Config{URL: server.URL(), Namespace: "cancel"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	ctl := flox.NewControl(st)
	begun := func() bool {
		_, err := ctl.Workflow(t.Context(), "sleeper")
		return !errors.Is(err, flox.ErrNotFound)
	}
	await(t, "a worker has registered", begun)
	for i := range runs {
		if _, err := ctl.Start(t.Context(), "sleeper", []byte(`{"number":1}`), flox.WithID(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	logged := func(event, err string) int {
		n := 0
		for _, e := range fleet.executions() {
			if e.Event == event && e.Err == err {
				n++
			}
		}
		return n
	}
	await(t, "all sleep", func() bool { return logged(checker.Start, "") == runs })
	began := time.Now()
	for i := range runs {
		if err := ctl.Cancel(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all know", func() bool { return logged(checker.End, flox.ErrCancelled.Error()) == runs })
	t.Logf("%d nodes knew %v after the first cancel was sent", runs, time.Since(began).Round(time.Millisecond))
}

// await waits for what other processes do; no event tells it.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 15s in vain until %s", what)
		}
	}
}
