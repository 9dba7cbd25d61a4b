package testredis

import (
	"context"
	"syscall"
)

// Pause stops the process as it is: it keeps its connections and answers nothing,
// until Continue. A server that is ended while it is paused need not be continued.
func (s *Server) Pause() error { return syscall.Kill(s.PID(), syscall.SIGSTOP) }

// Continue lets a paused process go on.
func (s *Server) Continue() error { return syscall.Kill(s.PID(), syscall.SIGCONT) }

// Start starts a server again that was killed, on the same port with the same data,
// and waits until it answers.
func (s *Server) Start(ctx context.Context) error { return s.launch(ctx) }

// Port is the port on which the server listens.
func (s *Server) Port() int { return s.port }
