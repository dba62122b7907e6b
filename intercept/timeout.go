package intercept

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// limits are how patient a session is with its legs. The zero value is without end.
type limits struct {
	write time.Duration
	moved *atomic.Int64 // when a leg has last read something, in Unix nanoseconds; nil where nobody asks
}

// timed gives a leg the session's limits.
func (s *session) timed(l *leg) *leg {
	l.limits = s.limits
	return l
}

// patience starts the session's limits, as the options say. The goroutine ends with ctx.
func (s *session) patience(ctx context.Context) {
	s.limits.write = s.proxy.o.WriteTimeout
	limit := s.proxy.o.ReadTimeout
	if limit <= 0 {
		return
	}
	s.limits.moved = new(atomic.Int64)
	s.limits.moved.Store(time.Now().UnixNano())
	s.proxy.sessions.Go(func() {
		t := time.NewTimer(limit)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			quiet := time.Since(time.Unix(0, s.limits.moved.Load()))
			switch {
			case s.holds():
				t.Reset(limit) // a person is at it
			case quiet >= limit:
				s.cancel(fmt.Errorf("neither side has sent anything for %v (--proxy-read-timeout)", limit))
				return
			default:
				t.Reset(limit - quiet)
			}
		}
	})
}

// holds reports whether an event of the session is held.
func (s *session) holds() bool {
	return slices.ContainsFunc(s.proxy.Gate.Pending(), func(h Held) bool { return h.Conn == s.conn })
}

// writing gives the write that comes its time.
func (l *leg) writing() {
	if l.limits.write <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.woken {
		_ = l.conn.SetWriteDeadline(time.Now().Add(l.limits.write)) // fails on a closed connection only
	}
}
