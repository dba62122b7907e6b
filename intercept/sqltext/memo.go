package sqltext

import (
	"container/list"
	"strings"
	"sync"
)

// memo remembers what was worked out for the texts used last, up to a number of bytes of text.
type memo[V any] struct {
	limit int

	mu    sync.Mutex
	size  int
	byKey map[string]*list.Element
	order list.List // of *memoEntry[V], used last in front
}

type memoEntry[V any] struct {
	key string
	val V
}

// entryCost stands for what an entry takes beside its text.
const entryCost = 256

func newMemo[V any](limit int) *memo[V] {
	return &memo[V]{limit: limit, byKey: map[string]*list.Element{}}
}

// get is make(key), remembered. Two callers may both work it out at the same time.
func (m *memo[V]) get(key string, make func(string) V) V {
	if len(key) > parseLimit {
		return make(key)
	}
	m.mu.Lock()
	if e, ok := m.byKey[key]; ok {
		m.order.MoveToFront(e)
		v := e.Value.(*memoEntry[V]).val
		m.mu.Unlock()
		return v
	}
	m.mu.Unlock()
	key = strings.Clone(key) // results point into it, and the caller's may be part of a buffer
	v := make(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.byKey[key]; ok {
		return v
	}
	m.byKey[key] = m.order.PushFront(&memoEntry[V]{key, v})
	m.size += len(key) + entryCost
	for m.size > m.limit {
		last := m.order.Back()
		old := m.order.Remove(last).(*memoEntry[V]).key
		delete(m.byKey, old)
		m.size -= len(old) + entryCost
	}
	return v
}
