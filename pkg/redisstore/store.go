package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// Config says where the store is. Only URL is needed.
type Config struct {
	// URL of the server: redis://user:password@host:port/db, rediss:// for TLS,
	// redis+sentinel://user:password@host:port,host:port/master/db,
	// redis+cluster://user:password@host:port,host:port, and rediss+sentinel and
	// rediss+cluster for TLS. With TLS, ?ca=file names the certificates to trust
	// (default: the system's), ?cert=file&key=file those to show.
	URL string
	// Namespace keeps deployments on one server apart. Default: "default".
	Namespace string
	// Partitions is how many parts the namespace has. It is fixed when the
	// namespace is first used. Zero takes what the namespace has, else 1, and 64
	// on a Cluster.
	Partitions int
	// Embedded says that the server is miniredis: the checks that it cannot
	// answer are left out.
	Embedded bool
	// Lenient opens the store also where flox should not work: on a server with
	// wrong settings, in a namespace with keys that are not flox's. It is for
	// Examine, which then says what is wrong, and for what only reads or deletes.
	Lenient bool
	// Patience is how long Open waits for a server that is not there, or cannot
	// answer yet; it says so once to Logger. Negative: as long as its context lasts.
	// Zero: a few attempts, within a second if the server can be reached. What time
	// does not mend, such as a wrong password, is an error at once.
	Patience time.Duration
	// Durability says when a change counts as done. Default: DurabilityAsync. With
	// DurabilityWait what is not confirmed in time is sent again until the context
	// ends, or for 15 s without a deadline; the error is an ErrNotReplicated then.
	// Open refuses a server that has too few replicas.
	Durability Durability
	// Replicas is how many replicas of a master must have a change, with
	// DurabilityWait. Default: 1.
	Replicas int
	// ReplicaTimeout is how long one attempt waits for them, in whole milliseconds.
	// Default: 1 s. At most 2 s.
	ReplicaTimeout time.Duration
	// TLS overrides the settings that the URL makes. Default: nil.
	TLS *tls.Config
	// Dial, if set, opens the connections.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Observer is told about batches and errors. Default: none.
	Observer Observer
	// Logger is told about trouble that the store mends by itself. Default:
	// slog.Default().
	Logger *slog.Logger
}

// Store is a flox.Store in Redis. It is safe for concurrent use.
type Store struct {
	client   redis.UniversalClient
	blocking redis.UniversalClient // for reads that wait, so that nothing waits behind them
	links    *links                // of all clients
	address  string                // for messages, without credentials
	target   *target
	dial     dialer
	master   atomic.Pointer[string] // where Sentinels said last that the master is
	keys     keyspace
	cluster  bool
	embedded bool
	lenient  bool
	unfit    error    // why the namespace's configuration cannot be used, if lenient
	observer Observer // nil for none
	logger   *slog.Logger
	lanes    []*lane
	// With DurabilityWait durable are the lanes of what waits for so many replicas.
	durable        []*lane
	replicas       int
	replicaTimeout time.Duration

	// ctx ends at Close; background is everything that runs then.
	ctx        context.Context
	cancel     context.CancelFunc
	background sync.WaitGroup
	gate       sync.RWMutex
	closed     bool

	claims  sync.Mutex
	claimed map[string]*claimer // by consumer

	configured atomic.Bool   // a start has no need to do it again
	permitted  sync.Map      // scripts all of whose commands the user may run
	asking     chan struct{} // holds one while somebody asks whether he may

	events hub[flox.RunEvent]
	alerts hub[flox.Alert]

	beats      sync.Map // lastBeat by worker
	registered sync.Map // flox.WorkflowInfo by name
	unleased   sync.Map // time by stream, see nothingClaimed

	settled, rebuilt *rounds
	expired          expiry
}

var _ flox.Store = (*Store)(nil)

// Open connects to the server and checks that flox can work there. It writes
// nothing. Close the store after use.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	namespace := cmp.Or(cfg.Namespace, "default")
	if err := flox.CheckName("namespace", namespace); err != nil {
		return nil, err
	}
	if cfg.Partitions < 0 || cfg.Partitions > mostPartitions {
		return nil, fmt.Errorf("%d partitions: want 1 to %d, or 0 for the default", cfg.Partitions, mostPartitions)
	}
	replicas, timeout, err := cfg.durability()
	if err != nil {
		return nil, err
	}
	t, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.TLS != nil {
		t.tls = cfg.TLS
	}
	open := newLinks()
	dial := t.follow(open, cfg.Dial)
	s := &Store{
		client: t.connect(dial, 0, timeout), blocking: t.connect(dial, blockingConns, maxBlock), links: open, address: t.address(), target: t, dial: cfg.Dial,
		cluster: t.kind == kindCluster, embedded: cfg.Embedded, lenient: cfg.Lenient, observer: cfg.Observer, logger: cmp.Or(cfg.Logger, slog.Default()),
		claimed: map[string]*claimer{}, replicas: replicas, replicaTimeout: timeout,
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.checkPatiently(ctx, cfg, namespace); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.makeLanes()
	s.asking = make(chan struct{}, 1)
	s.makeHubs()
	if c, is := s.client.(*redis.ClusterClient); is {
		s.background.Go(func() { s.followLayout(c) })
	}
	s.settled = newRounds(len(s.keys.parts), settleRuns, partition.todo)
	s.rebuilt = newRounds(len(s.keys.parts), rebuildRuns, partition.active)
	return s, nil
}

// makeLanes makes those of the partitions and that of home, the last. The partitions
// of one server share one, so that what is ready goes together.
func (s *Store) makeLanes() {
	for n := range len(s.keys.parts) + 1 {
		if n > 0 && !s.cluster {
			s.lanes, s.durable = append(s.lanes, s.lanes[0]), append(s.durable, s.durable[0])
			continue
		}
		mark := s.keys.mark()
		if n < s.keys.home() {
			mark = s.keys.parts[n].mark()
		}
		s.lanes = append(s.lanes, &lane{s: s})
		s.durable = append(s.durable, &lane{s: s, durable: true, mark: mark})
	}
}

// Close ends all calls under way and closes the connections. It returns when
// nothing of the store runs any more.
func (s *Store) Close() error {
	s.gate.Lock()
	if s.closed {
		s.gate.Unlock()
		return nil
	}
	s.closed = true
	s.gate.Unlock()
	s.cancel()
	// Only closing its client ends a read that waits.
	err := s.blocking.Close()
	hangs := time.AfterFunc(closeGrace, func() {
		_ = s.client.Close()
		s.links.close() // the library's Close does not know of one that is not set up yet
	})
	s.background.Wait()
	hangs.Stop()
	if closed := s.client.Close(); !errors.Is(closed, redis.ErrClosed) {
		err = cmp.Or(closed, err)
	}
	return err
}

// closeGrace is how long Close waits for answers to what was sent.
const closeGrace = 250 * time.Millisecond

// enter keeps the store from closing until leave, so that work may be begun.
func (s *Store) enter() error {
	s.gate.RLock()
	if s.closed {
		s.gate.RUnlock()
		return errClosed
	}
	return nil
}

func (s *Store) leave() { s.gate.RUnlock() }

// Namespace implements flox.LivenessStore.
func (s *Store) Namespace() string { return s.keys.ns }
