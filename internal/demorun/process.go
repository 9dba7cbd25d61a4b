package demorun

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// process is a worker that this program has started and ends.
type process struct {
	name string
	cmd  *exec.Cmd
	log  tail
	done chan struct{} // closed when it has ended
	err  error         // how, once done is closed
}

// spawn starts the worker program at path with these settings alone: what the
// caller's environment says of flox is for another worker.
func spawn(path, name string, settings map[string]string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(path), done: make(chan struct{})}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FLOX_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	for k, v := range settings {
		p.cmd.Env = append(p.cmd.Env, k+"="+v)
	}
	p.cmd.Env = append(p.cmd.Env, "FLOX_NAME="+name)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	p.cmd.Process.Kill() // an error says that it has ended already
	<-p.done
}

// stop lets the process drain, for as long as grace; then it is killed.
func (p *process) stop(grace time.Duration) {
	p.cmd.Process.Signal(os.Interrupt) // an error says that it has ended already
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.kill()
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// failure says how an ended process ended, and the last it said.
func (p *process) failure() error {
	said := p.log.last()
	if said == "" {
		said = "it said nothing"
	}
	return fmt.Errorf("worker %s ended (%v): %s", p.name, p.cmd.ProcessState, said)
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailSize = 16 << 10

// Write keeps b and forgets the beginning of what does not fit.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	t.buf.Next(max(0, t.buf.Len()-tailSize))
	return len(b), nil
}

// last returns the last line written.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(t.buf.String()), "\n")
	return lines[len(lines)-1]
}
