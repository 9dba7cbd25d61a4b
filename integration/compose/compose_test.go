//go:build compose

package compose

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/pkg/flox"
)

const (
	password = "a-Password_of.its~own"
	// firstRun is how long `up` and the first run should take, with the images there;
	// a machine that others use, too, may need longer, but not for ever.
	firstRun     = 30 * time.Second
	firstRunMost = 4 * firstRun
	// lease is that of the workers.
	lease = 10 * time.Second
)

// TestStack brings the stack up, hurts it, scales it, stops it, and checks from
// outside that nothing was lost and nothing done twice.
func TestStack(t *testing.T) {
	s := newStack(t, "stack", "FLOX_REDIS_PASSWORD="+password,
		// Few slots, each of them busy for a while: so more workers do more.
		"FLOX_CONCURRENCY=4", "FLOX_DEMO_DELAY=50ms")
	st := &steps{}
	defer func() {
		fmt.Println("\nSTEP")
		for _, row := range st.rows {
			fmt.Println(row)
		}
	}()
	st.do("the image", s.image)

	began := time.Now()
	var c *client
	st.do("up with 4 workers, to the first completed run", func() string { return s.up(began) })
	c = s.connect()
	st.do("a link check from the command line", c.linkcheck)
	st.do("who may do what in the containers", s.confined)

	cases := demo.Orders(40_000)
	n := 0
	st.do("crashes, a cut network, a Redis that is killed", func() string { n = c.chaos(cases, n); return c.judged(cases[:n]) })
	st.do("1, 4, 2 workers under load", func() (said string) { n, said = c.scale(cases, n); return said })
	st.do("the same: nothing lost, nothing twice", func() string { return c.judged(cases[:n]) })
	st.do("every query of dashboards and alerts", func() string { return s.queries(began) })
	st.do("stop everything with work in hand", func() (said string) { n, said = c.stop(cases, n); return said })
	st.do("up again, and the rest is done", func() string {
		s.compose("up", "-d", "--no-recreate", "--scale", "worker=2", "redis", "worker")
		said := c.judged(cases[:n])
		s.compose("stop")
		s.exited("worker", "redis", "site")
		return said
	})
}

// image looks at what was built.
func (s *stack) image() string {
	var images []struct {
		Size   int64
		Config struct {
			User, StopSignal string
			Labels           map[string]string
			Healthcheck      struct{ Test []string }
		}
	}
	if err := json.Unmarshal([]byte(s.docker("image", "inspect", testImage)), &images); err != nil {
		s.t.Fatal(err)
	}
	img := images[0]
	if img.Config.User != "65532:65532" || img.Config.StopSignal != "SIGTERM" || len(img.Config.Healthcheck.Test) == 0 {
		s.t.Errorf("the image has %+v, want a numeric user, SIGTERM and a health check", img.Config)
	}
	for label, want := range map[string]string{
		"title": "flox", "licenses": "MIT", "version": s.variable("FLOX_BUILD_VERSION"), "revision": s.variable("FLOX_BUILD_REVISION"),
		"created": s.variable("FLOX_BUILD_CREATED"), "source": "https://github.com/floxrun/flox",
	} {
		if got := img.Config.Labels["org.opencontainers.image."+label]; got != want {
			s.t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	said := s.docker("run", "--rm", testImage, "/usr/local/bin/worker", "--version")
	if !strings.Contains(said, s.variable("FLOX_BUILD_VERSION")) || !strings.Contains(said, s.variable("FLOX_BUILD_REVISION")) {
		s.t.Errorf("worker --version says %q, want the version and revision of the build", said)
	}
	return fmt.Sprintf("%.1f MB", float64(img.Size)/1e6)
}

// up starts the stack and a run, and returns when it has completed.
func (s *stack) up(began time.Time) string {
	s.compose("up", "-d", "--scale", "worker=4", "redis", "site", "worker", "orchestrator", "prometheus")
	up := time.Since(began)
	s.orchestrator("start", "linkcheck", "--id", "first", "--wait", "--input", `{"start": "`+siteURL+`/"}`)
	took := time.Since(began)
	said := fmt.Sprintf("up after %.1f s, first run completed after %.1f s", up.Seconds(), took.Seconds())
	switch {
	case took > firstRunMost:
		s.t.Errorf("the first run completed after %v, want %v at most", took, firstRunMost)
	case took > firstRun:
		said += fmt.Sprintf(": slower than the %v that it should be", firstRun)
	}
	s.workers(4)
	return said
}

// linkcheck starts a link check as a user does and checks all that it found.
func (c *client) linkcheck() string {
	input, err := json.Marshal(c.site.Input(siteURL))
	if err != nil {
		c.s.t.Fatal(err)
	}
	c.s.orchestrator("start", "linkcheck", "--id", "links", "--wait", "--input", string(input))
	c.judgeLinks("links")
	var report demo.LinkReport
	if err := json.Unmarshal([]byte(c.s.orchestrator("output", "links")), &report); err != nil {
		c.s.t.Fatal(err)
	}
	return fmt.Sprintf("%d URLs, %d broken links, as the site has them", report.URLs, len(report.Broken))
}

// confined checks what the containers may do.
func (s *stack) confined() string {
	all := s.containers("")
	for _, c := range all {
		if !c.HostConfig.ReadonlyRootfs || !slices.Equal(c.HostConfig.CapDrop, []string{"ALL"}) ||
			!slices.Contains(c.HostConfig.SecurityOpt, "no-new-privileges:true") || c.HostConfig.Memory == 0 || c.HostConfig.NanoCpus == 0 {
			s.t.Errorf("%s: %+v: want a read-only file system, no capabilities, no new privileges and limits", c.Name, c.HostConfig)
		}
		for port, bindings := range c.HostConfig.PortBindings {
			for _, b := range bindings {
				if b.HostIp != "127.0.0.1" {
					s.t.Errorf("%s: port %s is published at %q, want 127.0.0.1", c.Name, port, b.HostIp)
				}
			}
		}
		processes := strings.Split(strings.TrimSpace(s.docker("top", c.ID, "-eo", "pid,uid,args")), "\n")[1:]
		for _, p := range processes {
			if uid := strings.Fields(p)[1]; uid == "0" {
				s.t.Errorf("%s runs as root: %s", c.Name, p)
			}
			if strings.Contains(p, password) {
				s.t.Errorf("%s shows the password in its list of processes", c.Name)
			}
		}
		// From outside, as there is no shell inside.
		file := filepath.Join(s.t.TempDir(), "file")
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			s.t.Fatal(err)
		}
		if out, err := docker("cp", file, c.ID+":/file"); err == nil || !strings.Contains(out, "read-only") {
			s.t.Errorf("write to %s: %v %s; want a refusal: read-only", c.Name, err, out)
		}
	}
	if out, err := docker("exec", s.only("redis").ID, "sh", "-c", "echo x >/file"); err == nil {
		s.t.Errorf("write to the root of redis: %s; want a refusal", out)
	}
	return fmt.Sprintf("%d containers: no root, read-only, no capabilities", len(all))
}

// chaos hurts the stack while orders keep coming, and returns how many there are.
func (c *client) chaos(cases []demo.OrderCase, from int) int {
	s, t := c.s, c.s.t
	if _, err := c.links.Start(t.Context(), c.site.Input(siteURL), flox.WithID("links-in-chaos")); err != nil {
		t.Fatal(err)
	}
	stop := c.feed(cases, from, 25*time.Millisecond)
	time.Sleep(2 * time.Second)
	workers := s.workers(4)

	s.docker("kill", "--signal", "KILL", workers[0].ID) // stays away, as docker kill wants it
	crash(t, workers[1])                                // comes back, by the restart policy
	time.Sleep(2 * time.Second)
	s.docker("start", workers[0].ID)
	s.until("the crashed worker was restarted", 20*time.Second, func() bool {
		for _, w := range s.containers("worker") {
			if w.ID == workers[1].ID {
				return w.RestartCount == 1 && w.State.Status == "running"
			}
		}
		return false
	})

	network := s.project + "_default"
	s.docker("network", "disconnect", network, workers[2].ID)
	time.Sleep(lease + 2*time.Second) // what it has in hand is taken over by others
	s.docker("network", "connect", network, workers[2].ID)
	s.until("others took over what the lost workers had", lease, func() bool { return s.reclaimed() > 0 })

	redis := s.only("redis").ID
	s.docker("kill", "--signal", "KILL", redis)
	time.Sleep(2 * time.Second)
	s.docker("start", redis)
	time.Sleep(3 * time.Second)
	s.docker("restart", redis)

	s.workers(4)
	n := stop()
	c.judgeLinks("links-in-chaos")
	return n
}

// reclaimed is how many tokens the workers have taken over from lost ones.
func (s *stack) reclaimed() (sum float64) {
	for _, w := range s.containers("worker") {
		res, err := http.Get("http://" + w.ip() + ":9464/metrics")
		if err != nil {
			continue // it is one that was just lost
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		for line := range strings.Lines(string(body)) {
			if strings.HasPrefix(line, "flox_leases_reclaimed_total{") {
				v, _ := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 64)
				sum += v
			}
		}
	}
	return sum
}

// crash ends the container's process as a crash does, if it is on this machine;
// else the engine ends it, and starts it again.
func crash(t *testing.T, c container) {
	t.Helper()
	if err := syscall.Kill(c.State.Pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill process %d of %s: %v; this test runs as root, beside the engine", c.State.Pid, c.Name, err)
	}
}

// judged compares everything with what had to come of it.
func (c *client) judged(cases []demo.OrderCase) string {
	retries := c.judgeOrders(cases)
	c.counted(len(cases))
	return fmt.Sprintf("%d orders: 0 lost, 0 twice; %d attempts repeated", len(cases), retries)
}

// counted compares the numbers that the command line shows with what was started.
func (c *client) counted(orders int) {
	c.s.t.Helper()
	var listed struct {
		Workflows []struct {
			Name string
			Runs map[string]int
		}
	}
	if err := json.Unmarshal([]byte(c.s.orchestrator("workflows", "-o", "json")), &listed); err != nil {
		c.s.t.Fatal(err)
	}
	for _, w := range listed.Workflows {
		for status, n := range w.Runs {
			if n > 0 && status != "completed" {
				c.s.t.Errorf("%d runs of %s are %s, want all completed", n, w.Name, status)
			}
		}
		if w.Name == "order" && w.Runs["completed"] != orders {
			c.s.t.Errorf("%d orders completed, want %d", w.Runs["completed"], orders)
		}
	}
}

// scale changes the number of workers under load and measures what they do.
func (c *client) scale(cases []demo.OrderCase, from int) (n int, said string) {
	s := c.s
	const (
		backlog = 75              // orders in hand, all the time, for each worker
		settle  = 4 * time.Second // until a new number of workers has its pace
		window  = 8 * time.Second
	)
	s.compose("up", "-d", "--no-deps", "--no-recreate", "--scale", "worker=1", "worker")
	s.workers(1)
	var inHand atomic.Int64
	inHand.Store(backlog)
	stop := c.supply(cases, from, &inHand)
	rates := map[int]float64{}
	var parts []string
	for _, count := range []int{1, 4, 2} {
		s.compose("up", "-d", "--no-deps", "--no-recreate", "--scale", "worker="+strconv.Itoa(count), "worker")
		s.workers(count)
		inHand.Store(int64(count * backlog))
		time.Sleep(settle)
		before, at := c.ended(), time.Now()
		time.Sleep(window)
		rates[count] = float64(c.ended()-before) / time.Since(at).Seconds()
		parts = append(parts, fmt.Sprintf("%d: %.0f", count, rates[count]))
	}
	n = stop()
	if rates[4] <= rates[1] {
		s.t.Errorf("4 workers did %.0f orders a second, 1 did %.0f: want more", rates[4], rates[1])
	}
	return n, fmt.Sprintf("orders a second by workers: %s; 4 do %.1f times as much as 1", strings.Join(parts, ", "), rates[4]/rates[1])
}

// stop stops everything while there is work in hand, and checks how it ended.
func (c *client) stop(cases []demo.OrderCase, from int) (n int, said string) {
	s := c.s
	n = from + 500
	c.burst(cases[from:n])
	left := int64(n) - c.ended()
	if left == 0 {
		s.t.Error("there was no work in hand any more")
	}
	s.compose("stop", "worker", "orchestrator", "prometheus", "redis")
	s.exited("worker", "orchestrator", "prometheus", "redis")
	return n, fmt.Sprintf("with %d orders to do; all ended by themselves, with exit code 0", left)
}

// exited checks that n containers of the services ended by themselves.
func (s *stack) exited(services ...string) {
	for _, service := range services {
		for _, ct := range s.containers(service) {
			if ct.State.Status != "exited" || ct.State.ExitCode != 0 || ct.State.OOMKilled {
				s.t.Errorf("%s: %+v: want it to have exited with 0", ct.Name, ct.State)
			}
		}
	}
}
