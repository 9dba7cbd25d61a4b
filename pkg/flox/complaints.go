package flox

import (
	"errors"
	"sync"
	"time"
)

// complaintEvery is how often the log tells of failed calls that failed alike.
const complaintEvery = 10 * time.Second

// complaints keep a log short while the store is away: each item in hand, and each
// loop, fails for the same reason again and again.
type complaints struct {
	mu   sync.Mutex
	last map[complaint]*complained
}

// complaint is what makes two failures alike.
type complaint struct{ call, root string }

type complained struct {
	at    time.Time // when it was last told
	alike int       // since then
}

// say tells whether to log the failure, and how many like it were not logged.
func (c *complaints) say(call string, err error) (alike int, say bool) {
	for e := err; e != nil; e = errors.Unwrap(e) {
		err = e
	}
	now, key := time.Now(), complaint{call, err.Error()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.last[key]; before != nil && now.Sub(before.at) < complaintEvery {
		before.alike++
		return 0, false
	} else if before != nil {
		alike = before.alike
	}
	for k, old := range c.last { // errors may name what never comes again
		if now.Sub(old.at) >= complaintEvery {
			delete(c.last, k)
		}
	}
	if c.last == nil {
		c.last = map[complaint]*complained{}
	}
	c.last[key] = &complained{at: now}
	return alike, true
}
