package redisstore

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
)

// muted is a connection that can stay open and bring nothing any more.
type muted struct {
	net.Conn
	mute atomic.Bool
}

func (c *muted) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.mute.Load() {
			return n, err
		}
	}
}

// line makes muted connections and knows them all.
type line struct {
	mu   sync.Mutex
	open []*muted
}

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, &muted{Conn: c})
	return l.open[len(l.open)-1], nil
}

func (l *line) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		c.mute.Store(true)
	}
}

// A subscription whose connection was lost, or brings nothing any more, is made anew,
// and its readers are told that they may have missed something.
func TestAlertsAfterALostConnection(t *testing.T) {
	t.Parallel()
	server, l := testredis.Start(t), &line{}
	s, err := Open(t.Context(), Config{URL: server.URL(), Partitions: 1, Dial: l.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.alerts.silence = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	alerts, err := s.Alerts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	defer client.Close()
	for name, lose := range map[string]func(){
		"closed": func() { client.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub") },
		"silent": l.mute,
	} {
		lose()
		if a, open := <-alerts; a != (flox.Alert{}) || !open {
			t.Fatalf("%s: alert %+v, %v, want that something may have been missed", name, a, open)
		}
		for _, news := range []string{"nonsense", "+x", "+-1", "run paused"} {
			if err := client.Publish(ctx, "flox:{default:0}:alerts", news).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for { // a slow server may have been taken for a silent one once more
			a := <-alerts
			if a == (flox.Alert{Run: "run", Status: flox.StatusPaused}) {
				break
			}
			if a != (flox.Alert{}) {
				t.Fatalf("%s: alert %+v, want that of the run", name, a)
			}
		}
	}
}
