package integration

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// TestKilledWorkers kills workers at random moments while runs go on: every run
// completes, every delta is applied once.
func TestKilledWorkers(t *testing.T) {
	server := testredis.Start(t)
	killedWorkers(t, server.URL(), server.Client(), 1)
}

// TestKilledWorkersOnCluster is the same on a Cluster of three masters.
func TestKilledWorkersOnCluster(t *testing.T) {
	cluster := testredis.Cluster(t, 3)
	killedWorkers(t, cluster.URL(), cluster.Client(), 64)
}

func killedWorkers(t *testing.T, url string, raw redis.UniversalClient, parts int) {
	const (
		workers = 3
		runs    = 60
		width   = 12
		kills   = 10
		slots   = 16
	)
	t.Cleanup(func() { raw.Close() })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	namespace := fmt.Sprintf("kill-%d", seed)
	j := newJudge(t, namespace, parts, raw)
	fleet := newFleet(t, url, namespace, workers)
	ids := startRuns(t, url, namespace, runs, width)

	killed := 0
	for ; killed < kills; killed++ {
		// All within two leases: nothing is killed three times, which is the limit.
		time.Sleep(time.Duration(50+random.IntN(120)) * time.Millisecond)
		fleet.end(random.IntN(workers), syscall.SIGKILL)
		fleet.start()
	}
	awaitRuns(t, url, namespace, ids)
	awaitIdle(t, raw, namespace, parts)
	r := j.judge(checker.Case{Want: wants(ids, width), Starts: 2 + kills}, fleet.log)
	if n, _ := r.Of("L2"); n == 0 {
		t.Error("no lease was taken over")
	}

	repeated := -runs * retries(width)
	for line, n := range fleet.starts() {
		if repeated += n - 1; n > 2+kills {
			t.Errorf("%s was executed %d times with %d kills", line, n, kills)
		}
	}
	t.Logf("%d workers killed, %d executions repeated for it", killed, repeated)
	if repeated < 1 || repeated > kills*slots {
		t.Errorf("%d executions were repeated, want at least one, and at most those in hand: %d", repeated, kills*slots)
	}
}

// TestDrain stops workers by SIGTERM one by one while runs go on.
func TestDrain(t *testing.T) {
	server := testredis.Start(t)
	const runs, width = 40, 12
	raw := server.Client()
	t.Cleanup(func() { raw.Close() })
	j := newJudge(t, "drain", 1, raw)
	fleet := newFleet(t, server.URL(), "drain", 2)
	ids := startRuns(t, server.URL(), "drain", runs, width)
	for range 4 {
		if took := fleet.end(0, syscall.SIGTERM); took > 8*time.Second {
			t.Errorf("a worker took %v to drain, want at most its grace of 8s", took)
		}
		fleet.start()
	}
	awaitRuns(t, server.URL(), "drain", ids)
	j.judge(checker.Case{Want: wants(ids, width)}, fleet.log)
	for line, n := range fleet.starts() {
		if strings.HasSuffix(line, ".1") && n > 2 {
			t.Errorf("%s was executed %d times; a drain repeats nothing but its own retry", line, n)
		}
	}
}

func startRuns(t *testing.T, url, namespace string, runs, width int) []string {
	t.Helper()
	orch := orchestrator(t, url, namespace)
	ids := make([]string, runs)
	for i := range ids {
		ids[i] = fmt.Sprintf("run-%03d", i)
		if _, err := orch.Start(t.Context(), job{Width: width}, flox.WithID(ids[i])); err != nil {
			t.Fatalf("start %s: %v", ids[i], err)
		}
	}
	return ids
}

// wants is what runs of some width come to.
func wants(ids []string, width int) map[string]checker.Want {
	all := map[string]checker.Want{}
	for _, id := range ids {
		all[id] = checker.Want{Status: "completed", Committed: 2 + 2*width, Outputs: 1}
	}
	return all
}

func awaitRuns(t *testing.T, url, namespace string, ids []string) {
	t.Helper()
	orch := orchestrator(t, url, namespace)
	for _, id := range ids {
		if _, err := orch.Wait(t.Context(), id); err != nil {
			t.Errorf("run %s: %v", id, err)
		}
	}
}

func orchestrator(t *testing.T, url, namespace string) *flox.Orchestrator[tally, job, int] {
	t.Helper()
	st, err := redisstore.Open(t.Context(), redisstore.Config{URL: url, Namespace: namespace})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { st.Close() })
	wf, err := crunch()
	if err != nil {
		t.Fatal(err)
	}
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	return orch
}

// awaitIdle waits until no entry is left in the queues: strays of killed
// workers go when their leases have run out.
func awaitIdle(t *testing.T, raw redis.UniversalClient, namespace string, parts int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for p := 0; p < parts && time.Now().Before(deadline); {
		key := fmt.Sprintf("flox:{%s:%d}:queue:", namespace, p)
		if raw.XLen(t.Context(), key+"crunch").Val()+raw.XLen(t.Context(), key+"crunch-second").Val() == 0 {
			p++
			continue
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestStoppedWorkers stops workers for longer than a lease and lets them go on:
// what they commit then is another's, and refused.
func TestStoppedWorkers(t *testing.T) {
	server := testredis.Start(t)
	const runs, width = 200, 12
	raw := server.Client()
	t.Cleanup(func() { raw.Close() })
	j := newJudge(t, "zombie", 1, raw)
	fleet := newFleet(t, server.URL(), "zombie", 3)
	ids := startRuns(t, server.URL(), "zombie", runs, width)
	for i := range 6 {
		// Its leases last 1 s and are taken over soon after: it wakes up while
		// others are at the same items.
		zombie := fleet.procs[i%3]
		_ = zombie.Signal(syscall.SIGSTOP)
		time.Sleep(time.Duration(1150+50*i) * time.Millisecond)
		_ = zombie.Signal(syscall.SIGCONT)
		time.Sleep(100 * time.Millisecond)
	}
	awaitRuns(t, server.URL(), "zombie", ids)
	awaitIdle(t, raw, "zombie", 1)
	r := j.judge(checker.Case{Want: wants(ids, width), Starts: 6}, fleet.log)
	if n, _ := r.Of("S3"); n == 0 {
		t.Error("no zombie sent anything: no lease ran out")
	}
	repeated := -runs * retries(width)
	for _, n := range fleet.starts() {
		repeated += n - 1
	}
	t.Logf("%d executions repeated", repeated)
	if repeated < 1 {
		t.Error("no execution was repeated: no lease ran out")
	}
}
