package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a worker process: this program again, as "bench worker KIND ARGS". It
// prints one word per line for what has come, with the time when it came.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer // the process ends when it is closed, so also if this one dies
	stderr bytes.Buffer
	exited chan struct{}

	mu      sync.Mutex
	seen    map[string]time.Time
	changed chan struct{} // closed at the next line
}

// gogc is GOGC of all worker processes. It is what pkg/worker sets; a worker of
// another system would gain as much by it, and so has it, too.
const gogc = "400"

// launch starts a worker process.
func launch(kind string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{exited: make(chan struct{}), seen: map[string]time.Time{}, changed: make(chan struct{})}
	p.cmd = exec.Command(self, append([]string{"worker", kind}, args...)...)
	p.cmd.Env = append(os.Environ(), "GOGC="+gogc)
	p.cmd.Stderr = &p.stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.read(out)
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// read keeps what the process prints until it ends.
func (p *process) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, at, _ := strings.Cut(lines.Text(), " ")
		ns, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			continue
		}
		p.mu.Lock()
		p.seen[word] = time.Unix(0, ns)
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

// await waits until the process has said a word, and returns when that came.
func (p *process) await(ctx context.Context, word string) (time.Time, error) {
	for {
		p.mu.Lock()
		at, ok := p.seen[word]
		changed := p.changed
		p.mu.Unlock()
		if ok {
			return at, nil
		}
		select {
		case <-changed:
		case <-p.exited:
			return time.Time{}, fmt.Errorf("it ended before it said %q: %s", word, strings.TrimSpace(p.stderr.String()))
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("it did not say %q: %w", word, ctx.Err())
		}
	}
}

// cpu is the processor time that the process has used so far, by all its threads.
func (p *process) cpu() (time.Duration, error) {
	// A process's clock has the number of the process in it, see clock_getcpuclockid.
	const scheduled = 2
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &used); err != nil {
		return 0, fmt.Errorf("CPU of process %d: %w", p.cmd.Process.Pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// peak is the most memory in bytes that the process had resident so far.
func (p *process) peak() (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmHWM in its status")
}

// stop ends the process as an operator does and waits for it.
func (p *process) stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		return fmt.Errorf("worker did not end: %w", ctx.Err())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("worker ended with code %d: %s", code, strings.TrimSpace(p.stderr.String()))
	}
	return nil
}

// kill ends the process at once, if it still runs.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.stdin.Close()
	<-p.exited
}

// work is the worker process: it works until it is told to end by a signal, or by
// the end of its standard input.
func work(args []string) error {
	if len(args) == 0 || kinds[args[0]] == nil {
		return fmt.Errorf("worker %q: there is no such kind", args)
	}
	seen.on = true
	ctx, end := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer end()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	stop, err := profile(os.Getenv(profileEnv), args[0])
	if err != nil {
		return err
	}
	defer stop()
	return kinds[args[0]](ctx, args[1:])
}

// profileEnv names the directory where worker processes leave their profiles.
const profileEnv = "FLOX_BENCH_PROFILE"

// profile begins a CPU profile of this process, if there is a directory for it.
func profile(dir, kind string) (stop func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.pprof", kind, os.Getpid())))
	if err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, pprof.StartCPUProfile(f)
}

// say tells the parent of a worker process that something has come.
func say(word string) { fmt.Printf("%s %d\n", word, time.Now().UnixNano()) }

// counter counts what a worker process does, and says "begin" at the first item and
// "end" when want of them are done; 0 is for never.
type counter struct {
	on    bool // this is a worker process
	begin sync.Once
	mu    sync.Mutex
	done  int
	want  int
}

func (c *counter) started() {
	if c.on {
		c.begin.Do(func() { say("begin") })
	}
}

func (c *counter) finished() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if c.done == c.want {
		say("end")
	}
}
