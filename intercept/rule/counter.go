package rule

import (
	"math/rand/v2"
	"sync"
)

// counterKeys bounds how many connections or digests a counter remembers; the one met first is
// forgotten first.
const counterKeys = 10_000

// A Counter counts a rule's hits and says which of them fire. It is safe for concurrent use.
type Counter struct {
	rule   *Rule
	chance func() float64

	mu    sync.Mutex
	total uint64
	fired uint64
	tally map[counterKey]*tally
	keys  []counterKey // a ring in the order they were met
	next  int          // place in keys of the oldest, once keys is full
}

type counterKey struct {
	conn   int
	digest string
}

type tally struct {
	hits uint64
	done bool // fired, and the rule says once
}

// NewCounter starts counting at zero. The rule must not change afterwards.
func NewCounter(r *Rule) *Counter {
	return &Counter{rule: r, chance: rand.Float64, tally: map[counterKey]*tally{}}
}

// Hit counts one event that satisfies the rule's condition. n is its number, from 1, counted per
// connection or digest if the rule says so; fires tells whether the rule acts on it.
func (c *Counter) Hit(conn int, digest string) (n uint64, fires bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.of(conn, digest)
	t.hits++
	c.total++
	switch {
	case c.rule.Off, t.done, !c.rule.Hit.Fires(t.hits):
		return t.hits, false
	case c.rule.Prob > 0 && c.chance() >= c.rule.Prob:
		return t.hits, false
	}
	t.done = c.rule.Once
	c.fired++
	return t.hits, true
}

// Total is the number of hits and how many of them fired.
func (c *Counter) Total() (hits, fired uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total, c.fired
}

// Spent reports whether the rule can never fire again: once, and it did.
func (c *Counter) Spent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rule.Once && c.rule.Hit.Per == PerRule && c.fired > 0
}

// Reset starts again at zero.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total, c.fired, c.next = 0, 0, 0
	clear(c.tally)
	c.keys = c.keys[:0]
}

func (c *Counter) of(conn int, digest string) *tally {
	var key counterKey
	switch c.rule.Hit.Per {
	case PerConn:
		key.conn = conn
	case PerDigest:
		key.digest = digest
	}
	t := c.tally[key]
	if t != nil {
		return t
	}
	t = &tally{}
	c.tally[key] = t
	if len(c.keys) < counterKeys {
		c.keys = append(c.keys, key)
		return t
	}
	delete(c.tally, c.keys[c.next])
	c.keys[c.next] = key
	c.next = (c.next + 1) % counterKeys
	return t
}
