package redisstore

import (
	"context"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// layoutEvery is how often the masters of a Cluster are asked who they are.
const layoutEvery = 250 * time.Millisecond

// shunned is for how long a master that was replaced is connected to in vain: until
// go-redis has heard of it, calls go there still.
const shunned = 5 * time.Second

// links are a store's connections by the address of their server, so that those to
// one that hangs can be given up: nothing else interrupts who waits for it.
type links struct {
	mu   sync.Mutex
	open map[string]map[*link]bool
	shun map[string]time.Time // servers whose connections are cut, and until when
}

func newLinks() *links {
	return &links{open: map[string]map[*link]bool{}, shun: map[string]time.Time{}}
}

// link is one connection. It ends like any other.
type link struct {
	net.Conn
	of   *links
	addr string
}

// rawLink is a link whose state go-redis can look at before it uses it.
type rawLink struct {
	*link
	syscall.Conn
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.of.mu.Lock()
	delete(l.of.open[l.addr], l)
	l.of.mu.Unlock()
	return l.Conn.Close()
}

// dialer opens connections with dial and keeps them in mind.
func (ls *links) dialer(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l := &link{Conn: conn, of: ls, addr: addr}
		ls.mu.Lock()
		if ls.open[addr] == nil {
			ls.open[addr] = map[*link]bool{}
		}
		ls.open[addr][l] = true
		ls.mu.Unlock()
		if raw, is := conn.(syscall.Conn); is {
			return rawLink{l, raw}, nil
		}
		return l, nil
	}
}

// replace says that a server is to be shunned from now on. It reports whether that
// is news.
func (ls *links) replace(addr string) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	_, known := ls.shun[addr]
	ls.shun[addr] = time.Now().Add(shunned)
	return !known
}

// cut closes all connections to servers that are to be shunned, but for those that
// are named: they are masters again.
func (ls *links) cut(named map[string]bool) {
	ls.mu.Lock()
	var all []*link
	for addr, until := range ls.shun {
		if named[addr] || time.Now().After(until) {
			delete(ls.shun, addr)
			continue
		}
		for l := range ls.open[addr] {
			all = append(all, l)
		}
	}
	ls.mu.Unlock()
	for _, l := range all {
		_ = l.Close()
	}
}

// close closes all connections, those that are just being set up, too.
func (ls *links) close() {
	ls.mu.Lock()
	var all []*link
	for _, open := range ls.open {
		for l := range open {
			all = append(all, l)
		}
	}
	ls.mu.Unlock()
	for _, l := range all {
		_ = l.Close()
	}
}

// followLayout gives up the connections to masters of a Cluster that are no longer
// masters, until the store closes. One that was stopped, or whose host is gone, does
// not say so itself, and what waits for it would learn it when its time is over.
func (s *Store) followLayout(cluster *redis.ClusterClient) {
	tick := time.NewTicker(layoutEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		masters := s.keyMasters(cluster)
		for _, c := range masters {
			// Not waited for: one that hangs is to hold up none of the others.
			s.background.Go(func() { s.compareLayout(c, masters) })
		}
	}
}

// keyMasters are those that the store takes for the masters of its keys, by address.
func (s *Store) keyMasters(cluster *redis.ClusterClient) map[string]*redis.Client {
	masters := map[string]*redis.Client{}
	for _, l := range s.durable {
		if c, err := cluster.MasterForKey(s.ctx, l.mark); err == nil {
			masters[c.Options().Addr] = c
		}
	}
	return masters
}

// compareLayout asks one master for the layout and gives up those that it does not
// name. If it is the one that has not heard the news, they are connected to again.
func (s *Store) compareLayout(c *redis.Client, masters map[string]*redis.Client) {
	// As go-redis asks, so that the names are the same.
	ranges, err := c.Do(s.ctx, "CLUSTER", "SLOTS").Slice()
	if err != nil {
		return
	}
	named := map[string]bool{}
	for _, r := range ranges { // first slot, last slot, master, replicas
		if r := list(r); len(r) > 2 {
			master := list(r[2])
			named[net.JoinHostPort(text(master, 0), strconv.FormatInt(integer(master, 1), 10))] = true
		}
	}
	if !named[c.Options().Addr] {
		return // it is none itself, or goes by another name here
	}
	for addr := range masters {
		if !named[addr] && s.links.replace(addr) {
			s.logger.Info("a master of the cluster was replaced", "address", addr)
		}
	}
	s.links.cut(named)
	for addr := range masters {
		if !named[addr] {
			s.client.(*redis.ClusterClient).ReloadState(s.ctx)
			s.blocking.(*redis.ClusterClient).ReloadState(s.ctx)
			return
		}
	}
}
