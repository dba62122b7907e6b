package intercept

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"
)

// sockets are closed in one place, when the session's context ends. A server connection that a hook
// at disconnect may give to the pool is only woken there.
type sockets struct {
	mu     sync.Mutex
	conns  []net.Conn
	kept   *link
	closed bool
}

func (s *sockets) add(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return
	}
	s.conns = append(s.conns, c)
}

// remove leaves a connection to somebody else.
func (s *sockets) remove(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(have net.Conn) bool { return have == c })
}

// keep names the connection that close may spare.
func (s *sockets) keep(k *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = k
}

// replace has tc, which runs over plain, be closed in its place, so that the other side is told.
func (s *sockets) replace(plain net.Conn, tc *tls.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	instead := &secure{tc, plain}
	for i := range s.conns {
		if s.conns[i] == plain {
			s.conns[i] = instead
		}
	}
	return instead
}

// close closes all; if spare is set, all but the connection to keep, whose pump is woken.
func (s *sockets) close(spare bool) {
	s.mu.Lock()
	defer s.mu.Unlock() // whoever closes them a second time waits for the first
	s.closed = true
	var all sync.WaitGroup
	var left []net.Conn
	for _, c := range s.conns {
		if spare && s.kept != nil && s.kept.raw == c {
			s.kept.leg.wake()
			left = append(left, c)
			continue
		}
		all.Go(func() { _ = c.Close() }) // nothing to lose any more
	}
	all.Wait()
	s.conns = left
}

// farewell is how long a side that does not read may keep us from leaving with TLS's close_notify.
const farewell = 2 * time.Second

// secure is a connection with TLS that is closed in little time.
type secure struct {
	*tls.Conn
	plain net.Conn
}

// Close says so to the other side, and closes all the same if that does not listen.
func (c *secure) Close() error {
	late := time.AfterFunc(farewell, func() { _ = c.plain.Close() })
	defer late.Stop()
	return c.Conn.Close()
}
