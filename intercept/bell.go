package intercept

import "sync"

// bells tells any number of listeners that something changed. A bell carries no data, so rings
// coalesce and none is lost.
type bells struct {
	mu   sync.Mutex
	subs []chan struct{}
}

// listen returns a new one-slot bell.
func (b *bells) listen() <-chan struct{} {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	b.subs = append(b.subs, c)
	b.mu.Unlock()
	return c
}

func (b *bells) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.subs {
		select {
		case c <- struct{}{}:
		default: // already rung: the listener will look anyway
		}
	}
}
