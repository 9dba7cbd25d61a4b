package simulation

import (
	"errors"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// client lets somebody outside do something about a run.
func (s *stepper) client(p *plan) {
	info, err := s.st.Info(s.ctx, p.run)
	if errors.Is(err, flox.ErrNotFound) {
		s.start(p)
		return
	}
	s.must(err)
	switch n := s.r.IntN(12); {
	case n == 0 && !s.calm:
		s.start(p)
	case n == 1 && !s.calm:
		s.control(p, flox.ControlPause)
	case n == 2 && !s.calm && s.r.IntN(8) == 0:
		s.control(p, flox.ControlCancel)
	case n == 3:
		s.compact(p)
	case n < 8:
		s.signal(p)
	case info.Status == flox.StatusPaused:
		s.control(p, flox.ControlResume)
	case info.Status == flox.StatusFailed && info.Counts.Live > 0:
		s.control(p, flox.ControlRetry)
	}
}

func (s *stepper) start(p *plan) {
	s.call(true, func() {
		err := s.st.Start(s.ctx, p.start())
		s.say("start %s = %v", p.run, err)
		s.must(err) // the same nonce every time
	})
	s.judgeRun(p.run)
}

// control sends an operation, sometimes twice with the same nonce.
func (s *stepper) control(p *plan, op flox.ControlOp) {
	s.nonces++
	req := flox.ControlRequest{Run: p.run, Op: op, Nonce: fmt.Sprint("c", s.nonces)}
	for heard := false; !heard; {
		heard = s.call(true, func() {
			status, err := s.st.Control(s.ctx, req)
			s.say("%s %s = %s, %v", op, p.run, status, err)
			if !errors.Is(err, flox.ErrRefused) {
				s.must(err)
			}
			if op == flox.ControlCancel && err == nil {
				p.cancelled = true
			}
			s.judge.controlled(req, err)
		})
	}
	s.judgeRun(p.run)
}

func (s *stepper) signal(p *plan) {
	s.nonces++
	req := flox.SignalRequest{Run: p.run, Name: planSignal, ID: fmt.Sprint("s", s.nonces), Payload: []byte("yes")}
	s.call(true, func() {
		delivered, err := s.st.Signal(s.ctx, req)
		s.say("signal %s = %t, %v", p.run, delivered, err)
		if _, refused := errors.AsType[*flox.SignalError](err); !refused {
			s.must(err)
		}
	})
	s.judgeRun(p.run)
}

// compact folds some deltas of a run into a snapshot, which is their text.
func (s *stepper) compact(p *plan) {
	log, err := s.st.State(s.ctx, p.run, 0)
	s.must(err)
	if len(log.Deltas) == 0 {
		return
	}
	n := 1 + s.r.IntN(len(log.Deltas))
	snapshot := append([]byte(nil), log.Snapshot...)
	for _, d := range log.Deltas[:n] {
		snapshot = append(append(snapshot, d...), '\n')
	}
	req := flox.CompactRequest{Run: p.run, Folded: log.Folded, Deltas: int64(n), Snapshot: snapshot}
	s.call(true, func() {
		done, err := s.st.Compact(s.ctx, req)
		s.must(err)
		s.say("compact %s: %d from %d = %t", p.run, n, log.Folded, done)
	})
	s.judgeRun(p.run)
}
