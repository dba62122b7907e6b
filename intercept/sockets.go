package intercept

import (
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// sockets are closed in one place, when the session's context ends.
type sockets struct {
	mu     sync.Mutex
	conns  []net.Conn
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

// replace has tc, which runs over plain, be closed in its place, so that the other side is told.
func (s *sockets) replace(plain net.Conn, tc *tls.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.conns {
		if s.conns[i] == plain {
			s.conns[i] = &secure{tc, plain}
		}
	}
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock() // whoever closes them a second time waits for the first
	s.closed = true
	var all sync.WaitGroup
	for _, c := range s.conns {
		all.Go(func() { _ = c.Close() }) // nothing to lose any more
	}
	all.Wait()
	s.conns = nil
}

// farewell is how long a side that does not read may keep us from leaving with TLS's close_notify.
const farewell = 200 * time.Millisecond

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
