package proptest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Case is a random workflow and the input of its run.
type Case struct {
	Seed int64
	Size int

	input   V
	root    block
	mends   bool // a run of it that failed is mended and retried
	unit    time.Duration
	flow    flow
	signals map[string]string // payloads by the node that asks
	undos   map[string]bool   // nodes whose items can be undone
	armed   atomic.Bool
	ends    int // of its run, by now
	chaos   *rand.Rand

	drops bool // branches may be dropped while they are under way

	mu         sync.Mutex
	complaints []string        // of nodes
	effects    map[string]bool // what was done, by the entry of what undoes it
}

// New makes the case of a seed and a size, which is about how many blocks it
// has. What waits in it does so for a few units.
func New(seed int64, size int, unit time.Duration) (c *Case, err error) {
	defer func() {
		switch broken := recover().(type) {
		case nil:
		case buildError:
			err = fmt.Errorf("seed %d, size %d does not build: %w", seed, size, broken.error)
		default:
			panic(broken)
		}
	}()
	r := rand.New(rand.NewPCG(uint64(seed), uint64(size)))
	g := &generator{r: r, left: size, sagas: r.IntN(2) == 0}
	g.mends = !g.sagas && r.IntN(2) == 0
	c = &Case{
		Seed: seed, Size: size, mends: g.mends, unit: unit, signals: map[string]string{},
		undos: map[string]bool{}, effects: map[string]bool{},
		input: V{N: r.Int64N(1000)}, chaos: rand.New(rand.NewPCG(uint64(seed), 1)),
	}
	at := place{times: 1}
	list := g.chance(20)
	body := g.seq(at)
	if list {
		at.last = true
		body = append(body, g.scatter(at))
	}
	c.root = body
	c.armed.Store(true)
	w := &wirer{c: c, b: newBuilder(c.Name()).Queue("cases")}
	w.b.Retry(flox.RetryPolicy{MaxAttempts: maxAttempts, Backoff: func(int) time.Duration { return unit }})
	p := c.root.wire(w)
	if list {
		c.flow = flowOf(encloseAll(w, p), func(outs []V) []V { return outs })
	} else {
		c.flow = flowOf(enclose(w, p), func(out V) []V { return []V{out} })
	}
	return c, nil
}

// Asked returns the seed and the size that FLOX_SEED and FLOX_SIZE ask for, to
// repeat a case; the size is 0 if they do not.
func Asked() (seed int64, size int) {
	seed, err := strconv.ParseInt(os.Getenv("FLOX_SEED"), 10, 64)
	if err != nil {
		return 0, 0
	}
	size, err = strconv.Atoi(os.Getenv("FLOX_SIZE"))
	if err != nil || size < 1 {
		size = 1
	}
	return seed, size
}

// newBuilder makes the builder of a workflow that may have cycles.
func newBuilder(name string) *flox.Builder[State] {
	return flox.New[State](name).MaxSteps(1_000_000)
}

// Name is that of the case's workflow, and its run's id.
func (c *Case) Name() string { return fmt.Sprintf("case-%d-%d", c.Seed, c.Size) }

// Definition is the workflow, for workers.
func (c *Case) Definition() flox.Definition { return c.flow.def }

// String draws the case.
func (c *Case) String() string {
	return fmt.Sprintf("seed %d, size %d, input %d, mends %v\n%s", c.Seed, c.Size, c.input.N, c.mends, c.flow.drawing())
}

func (c *Case) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complaints = append(c.complaints, fmt.Sprintf(format, args...))
}

// effect notes that something was done that is to be undone if the run fails,
// committed or not.
func (c *Case) effect(undoing string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.effects[undoing] = true
}

func (c *Case) complained() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.complaints) > 3 {
		return append(c.complaints[:3:3], "...")
	}
	return c.complaints
}
