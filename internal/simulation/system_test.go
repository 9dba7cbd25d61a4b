package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/internal/proptest"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// lease is how long a worker of the simulation may be silent.
const lease = 4 * time.Second

// system is a server, its workers, and what happens to them.
type system struct {
	server *miniredis.Miniredis
	r      *rand.Rand // of the faults; one goroutine uses it
	seed   uint64
	defs   []flox.Definition
	fired  *tally
	ending sync.WaitGroup // of processes that are over

	mu      sync.Mutex
	workers []*process
	hired   int
	errs    []error
}

// process is a worker with its own connections.
type process struct {
	host  *host
	store *redisstore.Store
	stop  context.CancelFunc
	done  chan struct{}
}

func (s *system) report(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// open opens a store on a host of its own.
func (s *system) open() (*host, *redisstore.Store, error) {
	s.hired++
	h := newHost(s.server, s.fired, rand.New(rand.NewPCG(s.seed, uint64(100+s.hired))))
	st, err := redisstore.Open(context.Background(), redisstore.Config{
		// A name would be looked up, outside of the bubble.
		URL: "redis://127.0.0.1:6379", Namespace: "simulation", Embedded: true, Dial: h.dial,
		Logger: slog.New(slog.DiscardHandler),
	})
	return h, st, err
}

// hire starts a worker at a place.
func (s *system) hire(place int) error {
	h, st, err := s.open()
	if err != nil {
		return err
	}
	quantum := time.Second
	if s.r.IntN(3) == 0 {
		quantum = time.Nanosecond // hands its token back after each step
	}
	w, err := flox.NewWorker(st, &flox.WorkerConfig{
		Name: fmt.Sprint("w", place), Concurrency: 1 + s.r.IntN(4), Lease: lease, Quantum: quantum,
		DrainGrace: lease, CrashLimit: 1000, Logger: slog.New(slog.DiscardHandler),
	}, s.defs...)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &process{host: h, store: st, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		if err := w.Run(ctx); err != nil && ctx.Err() == nil {
			s.report(fmt.Errorf("worker %d: %w", place, err))
		}
	}()
	s.workers[place] = p
	return nil
}

// end waits until a process that was told to stop is gone.
func (p *process) end() {
	<-p.done
	_ = p.store.Close()
	p.host.end()
}

// kill ends a process as SIGKILL does: from now on nobody hears of it. What its
// nodes are at goes on to nowhere.
func (s *system) kill(p *process) {
	p.host.cut(true)
	p.stop()
	s.ending.Go(p.end)
}

// trouble does something to the system every now and then, until stop.
func (s *system) trouble(stop context.Context, times int, control *flox.Control, runs []string) error {
	for range times {
		select {
		case <-time.After(time.Duration(20+s.r.IntN(1500)) * time.Millisecond):
		case <-stop.Done():
			return nil
		}
		place := s.r.IntN(len(s.workers))
		p := s.workers[place]
		switch s.r.IntN(6) {
		case 0:
			s.fired.add("killed")
			s.kill(p)
			if err := s.hire(place); err != nil {
				return fmt.Errorf("hire: %w", err)
			}
		case 1:
			s.fired.add("frozen")
			p.host.freeze(lease/2 + time.Duration(s.r.Int64N(int64(2*lease))))
		case 2:
			s.fired.add("connections cut")
			p.host.cut(false)
		case 3:
			run := runs[s.r.IntN(len(runs))]
			s.ending.Go(func() { s.pause(control, run) })
		default:
			p.host.arm(fault(s.r.IntN(int(faults))))
		}
	}
	return nil
}

// pause pauses a run for a while. One that has ended refuses.
func (s *system) pause(control *flox.Control, run string) {
	ctx := context.Background()
	err := control.Pause(ctx, run)
	if errors.Is(err, flox.ErrRefused) || errors.Is(err, flox.ErrNotFound) {
		return
	}
	if err == nil {
		s.fired.add("paused")
		time.Sleep(lease / 2)
		err = control.Resume(ctx, run)
	}
	if err != nil && !errors.Is(err, flox.ErrRefused) {
		s.report(fmt.Errorf("pause or resume %s: %w", run, err))
	}
}

// simulate runs the cases on workers that are killed, frozen and cut off, within
// a synctest bubble, and returns what is wrong.
func simulate(seed uint64, cases []*proptest.Case, fired *tally) error {
	s := &system{
		server: miniredis.NewMiniRedis(), seed: seed, r: rand.New(rand.NewPCG(seed, 7)), fired: fired,
	}
	defer s.server.Close()
	for _, c := range cases {
		s.defs = append(s.defs, c.Definition())
	}
	s.workers = make([]*process, 2+s.r.IntN(3))
	for place := range s.workers {
		if err := s.hire(place); err != nil {
			return err
		}
	}
	clientHost, client, err := s.open()
	if err != nil {
		return err
	}
	for f := range faults {
		if s.r.IntN(2) == 0 {
			clientHost.arm(f)
		}
	}
	err = s.drive(client, cases)
	for _, p := range s.workers {
		p.stop()
		p.end()
	}
	s.ending.Wait()
	_ = client.Close()
	clientHost.end()
	time.Sleep(5 * time.Second) // what the library has in the background sees by then that it is closed
	return errors.Join(err, errors.Join(s.errs...))
}

// drive runs the cases, and judges what is left when they have ended.
func (s *system) drive(client *redisstore.Store, cases []*proptest.Case) error {
	// The end of a run is waited for as long as it may take: a lost lease takes one
	// and a quarter of them to be found, and each trouble may cost one.
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	over, calm := context.WithCancel(ctx)
	defer calm()
	var names []string
	for _, c := range cases {
		names = append(names, c.Name())
	}
	troubled := make(chan error, 1)
	go func() { troubled <- s.trouble(over, 4+s.r.IntN(20), flox.NewControl(client), names) }()
	errs := make([]error, len(cases))
	var runs sync.WaitGroup
	for i, c := range cases {
		runs.Go(func() {
			if err := c.Run(ctx, client); err != nil {
				errs[i] = fmt.Errorf("%w\n%s", err, c)
			}
		})
	}
	runs.Wait()
	calm()
	if err := <-troubled; err != nil {
		return err
	}
	for _, p := range s.workers {
		p.host.calm()
	}
	return errors.Join(errors.Join(errs...), s.atRest())
}
