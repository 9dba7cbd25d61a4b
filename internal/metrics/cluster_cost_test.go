package metrics

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
)

// many starts runs that stay as they are, quickly.
func (s *site) many(from, upto int) {
	s.t.Helper()
	var wg sync.WaitGroup
	const hands = 128
	errs := make([]error, hands)
	for hand := range hands {
		wg.Go(func() {
			for i := from + hand; i < upto && errs[hand] == nil; i += hands {
				errs[hand] = s.st.Start(s.t.Context(), flox.StartRequest{
					Run: fmt.Sprintf("run-%d", i), Nonce: strconv.Itoa(i), Workflow: "idle", Node: "n", Queue: "idle", Input: []byte{1, '1'},
				})
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		s.must(err)
	}
}

// work is what a server has done, besides what this test asks it.
type work struct {
	commands int64
	cpu      float64 // seconds
}

func (s *site) done(client *redis.Client) (w work) {
	s.t.Helper()
	info, err := client.Info(s.t.Context(), "stats", "cpu").Result()
	s.must(err)
	for line := range strings.Lines(info) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name {
		case "total_commands_processed":
			w.commands, err = strconv.ParseInt(value, 10, 64)
			s.must(err)
		case "used_cpu_user", "used_cpu_sys":
			seconds, err := strconv.ParseFloat(value, 64)
			s.must(err)
			w.cpu += seconds
		}
	}
	return w
}

// TestCostIsBounded compares what one interval's reading costs the server with
// 10,000 and with 100,000 runs, of which some are paused, so that all must be looked
// at. A scrape costs it nothing.
func TestCostIsBounded(t *testing.T) {
	server := testredis.Start(t)
	client := server.Client()
	defer client.Close()
	// What is done in the 5 s of the default is done in less, to be quick.
	const interval, faster = 250 * time.Millisecond, 20
	s := newSite(t, server.URL(), 1, interval)
	s.c.surveyRate, s.c.memoryRate = faster*surveyRate, faster*memoryRate
	s.must(s.st.Register(t.Context(), flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	s.many(0, 10)
	s.must(flox.NewControl(s.st).Pause(t.Context(), "run-0"))
	measure := func() work {
		unwatch := s.watch(server.URL())
		defer unwatch()
		time.Sleep(2 * interval)
		began, before := time.Now(), s.done(client)
		time.Sleep(8 * interval)
		after, intervals := s.done(client), float64(time.Since(began))/float64(interval)
		for try := 0; try < 10 && intervals > 9; try++ { // the machine stood still, and so did the readings
			began, before = time.Now(), s.done(client)
			time.Sleep(8 * interval)
			after, intervals = s.done(client), float64(time.Since(began))/float64(interval)
		}
		return work{int64(float64(after.commands-before.commands) / intervals), (after.cpu - before.cpu) / intervals}
	}
	few := measure()
	s.many(10, 10_000)
	some := measure()
	s.many(10_000, 100_000)
	many := measure()
	for _, m := range []struct {
		runs int
		work
	}{{10, few}, {10_000, some}, {100_000, many}} {
		t.Logf("%d runs: %d commands and %.1f ms of the server an interval", m.runs, m.commands, 1000*m.cpu)
	}
	if many.commands > some.commands*3/2 {
		t.Errorf("an interval takes %d commands with 100,000 runs, %d with 10,000, want no more", many.commands, some.commands)
	}
	if most := int64(5*(2*surveyRate+2*memoryRate) + 5*memorySample + 200); many.commands > most {
		t.Errorf("an interval takes %d commands, want at most %d", many.commands, most)
	}
	before := s.done(client)
	for range 100 {
		_, err := s.c.gatherer.Gather()
		s.must(err)
	}
	if after := s.done(client); after.commands != before.commands+1 {
		t.Errorf("100 scrapes took %d commands, want none", after.commands-before.commands-1)
	}
}
