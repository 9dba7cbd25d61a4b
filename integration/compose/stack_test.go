//go:build compose

package compose

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// testImage keeps the image of a person who uses flox here.
const testImage = "flox-compose-test"

// What the image is built with.
var buildArgs = []string{"FLOX_BUILD_VERSION=v0.0.0-compose", "FLOX_BUILD_REVISION=0123456789abcdef", "FLOX_BUILD_CREATED=2026-01-02T03:04:05Z"}

func TestMain(m *testing.M) {
	began := time.Now()
	file, err := filepath.Abs("../../deploy/docker-compose.yml")
	if err == nil {
		s := &stack{project: "flox-test-build", files: []string{"-f", file}, env: append(environment(), buildArgs...)}
		var out, errs string
		if out, errs, err = s.composeWithin(15*time.Minute, nil, "build", "worker"); err != nil {
			err = fmt.Errorf("build the image: %w\n%s%s", err, out, errs)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("built the image in %.1f s\n", time.Since(began).Seconds())
	code := m.Run()
	docker("image", "rm", "-f", testImage)
	os.Exit(code)
}

// environment is what docker compose runs with.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FLOX_") && !strings.HasPrefix(v, "COMPOSE_") {
			env = append(env, v)
		}
	}
	return append(env, "FLOX_IMAGE="+testImage, "COMPOSE_PROFILES=", "COMPOSE_PROGRESS=plain", "COMPOSE_BAKE=false")
}

// stack is a project of the real compose file, with a name, ports and variables of
// its own.
type stack struct {
	t       *testing.T
	project string
	env     []string // beside what the process has
	files   []string // arguments that select the files
}

// newStack makes a stack with the variables given as NAME=value. Nothing of it is
// left after the test.
func newStack(t *testing.T, name string, vars ...string) *stack {
	t.Helper()
	project := cmp.Or(os.Getenv("FLOX_COMPOSE_PROJECT"), fmt.Sprintf("flox-test-%d", os.Getpid()))
	s := &stack{t: t, project: project + "-" + name, files: []string{"-f", path(t, "deploy/docker-compose.yml")}}
	s.env = append(environment(), "FLOX_PROMETHEUS_PORT="+freePort(t), "FLOX_GRAFANA_PORT="+freePort(t))
	s.env = append(s.env, buildArgs...)
	s.env = append(s.env, vars...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last that %s said:\n%s", s.project, s.logs("--tail", "15"))
		}
		s.composeWithin(time.Minute, nil, "--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")
	})
	return s
}

// path is that of a file of the repository.
func path(t *testing.T, name string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// variable is the value of one of the stack's variables.
func (s *stack) variable(name string) string {
	for i := len(s.env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(s.env[i], name+"="); ok {
			return v
		}
	}
	return ""
}

// composeWithin runs docker compose and returns what it printed.
func (s *stack) composeWithin(d time.Duration, stdin []byte, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	command := strings.Fields(cmp.Or(os.Getenv("FLOX_COMPOSE_COMMAND"), "docker compose"))
	command = append(command, s.files...)
	command = append(append(command, "-p", s.project), args...)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.env, bytes.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// compose runs docker compose, which must succeed, and returns its standard output.
func (s *stack) compose(args ...string) string {
	s.t.Helper()
	out, errs, err := s.composeWithin(5*time.Minute, nil, args...)
	if err != nil {
		s.t.Fatalf("docker compose %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// orchestrator runs the command line as its users do.
func (s *stack) orchestrator(args ...string) string {
	s.t.Helper()
	return s.compose(append([]string{"run", "--rm", "-T", "--no-deps", "orchestrator"}, args...)...)
}

// logs is what the containers said, one line each, without the containers' names.
func (s *stack) logs(args ...string) string {
	out, _, _ := s.composeWithin(time.Minute, nil, append([]string{"logs", "--no-log-prefix", "--no-color"}, args...)...)
	return out
}

// lines are the log lines of a service that have text.
func (s *stack) lines(service, text string) []string {
	var found []string
	for line := range strings.Lines(s.logs(service)) {
		if strings.Contains(line, text) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// container is what docker inspect says of one.
type container struct {
	ID, Name     string
	RestartCount int
	State        struct {
		Status    string
		ExitCode  int
		Pid       int
		OOMKilled bool
		Health    *struct{ Status string }
	}
	Config     struct{ User string }
	HostConfig struct {
		ReadonlyRootfs bool
		CapDrop        []string
		SecurityOpt    []string
		Memory         int64
		NanoCpus       int64
		PortBindings   map[string][]struct{ HostIp string }
	}
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress, Gateway string }
	}
}

// ip is the container's address, "" if it has none.
func (c container) ip() string {
	for _, n := range c.NetworkSettings.Networks {
		return n.IPAddress
	}
	return ""
}

func (c container) healthy() bool { return c.State.Health != nil && c.State.Health.Status == "healthy" }

// containers are those of a service, "" for all, those of `run` left out.
func (s *stack) containers(service string) []container {
	filter := []string{"ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project=" + s.project,
		"--filter", "label=com.docker.compose.oneoff=False"}
	if service != "" {
		filter = append(filter, "--filter", "label=com.docker.compose.service="+service)
	}
	out, err := docker(filter...)
	if err != nil || strings.TrimSpace(out) == "" {
		return nil
	}
	out, err = docker(append([]string{"inspect"}, strings.Fields(out)...)...)
	if err != nil {
		return nil // one of them has just gone
	}
	var all []container
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// only is the one container of a service.
func (s *stack) only(service string) container {
	s.t.Helper()
	all := s.containers(service)
	if len(all) != 1 {
		s.t.Fatalf("%s has %d containers, want 1", service, len(all))
	}
	return all[0]
}

// workers waits until n workers, and no more, are running and healthy.
func (s *stack) workers(n int) []container {
	s.t.Helper()
	var all []container
	s.until(fmt.Sprintf("%d workers are healthy", n), time.Minute, func() bool {
		all = s.containers("worker")
		for _, c := range all {
			if c.State.Status != "running" || !c.healthy() {
				return false
			}
		}
		return len(all) == n
	})
	return all
}

// until waits for what.
func (s *stack) until(what string, d time.Duration, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(d); !ok(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// docker runs the command line of the engine.
func docker(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return string(out), err
}

// docker runs the command line of the engine, which must succeed.
func (s *stack) docker(args ...string) string {
	s.t.Helper()
	out, err := docker(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// steps is the table of what was done and how long it took.
type steps struct {
	rows []string
}

func (st *steps) done(what string, took time.Duration, result string) {
	row := fmt.Sprintf("%-52s %7.1f s  %s", what, took.Seconds(), result)
	fmt.Println(row)
	st.rows = append(st.rows, row)
}

// do runs a step, which says what came of it.
func (st *steps) do(what string, step func() string) {
	started := time.Now()
	result := step()
	st.done(what, time.Since(started), result)
}
