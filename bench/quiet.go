package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

// What a machine may do and still count as quiet.
const (
	mostSpread = 0.15 // of a fixed work's time, between the looks
	mostOthers = 0.10 // cores that others use while this program waits
	mostSteal  = 0.02 // share of the time that the hypervisor took
)

// noise says how quiet the machine was.
type noise struct {
	CPU    spread   `json:"cpuLoopMs"`   // a fixed loop, at each look
	Ping   spread   `json:"redisPingMs"` // a fixed pipeline of PINGs
	Others spread   `json:"otherCores"`  // used by others, at each look
	Steal  float64  `json:"steal"`
	Load   float64  `json:"loadAtStart"`
	Words  []string `json:"noisy,omitempty"` // why it was noisy; none if it was not
}

// quiet looks at the machine between measurements.
type quiet struct {
	server           *testredis.Server
	client           *redis.Client
	cpu, ping, other []float64
	load             float64
	before           cpuTimes
}

func newQuiet(ctx context.Context) (*quiet, error) {
	q := &quiet{load: loadAverage()}
	var err error
	if q.before, err = readCPUTimes(); err != nil {
		return nil, err
	}
	if q.server, err = testredis.New(ctx, testredis.Config{}); err != nil {
		return nil, err
	}
	q.client = q.server.Client()
	return q, nil
}

func (q *quiet) close() {
	_ = q.client.Close()
	q.server.Stop()
}

// look does the fixed works and sees what others do. It takes a sixth of a second.
func (q *quiet) look(ctx context.Context) error {
	before, err := readCPUTimes()
	if err != nil {
		return err
	}
	const wait = 100 * time.Millisecond
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	after, err := readCPUTimes()
	if err != nil {
		return err
	}
	if passed := after.total - before.total; passed > 0 {
		q.other = append(q.other, (after.busy-before.busy)/passed*float64(runtime.NumCPU()))
	}
	q.cpu = append(q.cpu, milliseconds(loopCPU()))
	ping, err := q.pings(ctx)
	q.ping = append(q.ping, milliseconds(ping))
	return err
}

// loopCPU is how long a fixed loop takes: the best of three, so that a short
// interruption is not taken for a slow machine.
func loopCPU() time.Duration {
	best := time.Hour
	block := make([]byte, 4<<20)
	for range 3 {
		began := time.Now()
		block[0] = sha256.Sum256(block)[0]
		best = min(best, time.Since(began))
	}
	return best
}

// pings is how long Redis takes for pipelines of PINGs: the best of three.
func (q *quiet) pings(ctx context.Context) (time.Duration, error) {
	best := time.Hour
	for range 3 {
		began := time.Now()
		for range 50 {
			pipe := q.client.Pipeline()
			for range 100 {
				pipe.Ping(ctx)
			}
			if _, err := pipe.Exec(ctx); err != nil {
				return 0, err
			}
		}
		best = min(best, time.Since(began))
	}
	return best, nil
}

// verdict is what the looks came to.
func (q *quiet) verdict() noise {
	n := noise{CPU: spreadOf(q.cpu), Ping: spreadOf(q.ping), Others: spreadOf(q.other), Load: q.load}
	if after, err := readCPUTimes(); err == nil && after.total > q.before.total {
		n.Steal = (after.steal - q.before.steal) / (after.total - q.before.total)
	}
	wide := func(what string, s spread) {
		if by := (s.Max - s.Min) / s.Median; by > mostSpread {
			n.Words = append(n.Words, fmt.Sprintf("%s took %.1f to %.1f ms, a spread of %.0f %%", what, s.Min, s.Max, 100*by))
		}
	}
	wide("a fixed loop", n.CPU)
	wide("a fixed pipeline of PINGs", n.Ping)
	if n.Others.Median > mostOthers {
		n.Words = append(n.Words, fmt.Sprintf("others used %.2f cores in the median of the looks, %.2f at most", n.Others.Median, n.Others.Max))
	}
	if n.Steal > mostSteal {
		n.Words = append(n.Words, fmt.Sprintf("the hypervisor took %.1f %% of the time", 100*n.Steal))
	}
	return n
}

// cpuTimes are sums over all cores, in ticks.
type cpuTimes struct{ total, busy, steal float64 }

func readCPUTimes() (cpuTimes, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuTimes{}, err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return parseCPUTimes(line)
}

// parseCPUTimes reads the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq, steal.
func parseCPUTimes(line string) (cpuTimes, error) {
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return cpuTimes{}, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var t cpuTimes
	for i, s := range f[1:9] {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return cpuTimes{}, fmt.Errorf("/proc/stat: %w", err)
		}
		t.total += v
		switch i {
		case 3, 4: // idle
		case 7:
			t.steal += v
		default:
			t.busy += v
		}
	}
	return t, nil
}

// loadAverage is that of the last minute; 0 if it cannot be read.
func loadAverage() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return v
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
