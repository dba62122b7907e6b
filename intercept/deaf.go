package intercept

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"
)

// A server that refuses a command before it has read all of it (ERR 1153, a packet that is too large) says
// so and closes. Writing to it fails from then on, often before its last words have been read here: so a
// write that fails does not end the session, the end of what the server says does. And a client that is
// still sending must be read to the end of its command before its connection is closed, for the system
// would else throw away what the client has not read yet.

// unheard takes the error of a write to the server. Where that means that the server has hung up, what it
// said before comes first.
func (s *session) unheard(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrClosedPipe):
		s.server.out = s.server.out[:0]
		return nil
	}
	return s.left(s.server, err)
}

// flushServer sends what is queued for the server.
func (s *session) flushServer() error {
	if s.server == nil || s.server.broken.Load() {
		return nil
	}
	return s.unheard(s.server.flush())
}

// rested notes that the client has sent all of a long command.
func (s *session) rested() {
	if s.sending.Swap(false) {
		select {
		case s.sent <- struct{}{}:
		default: // nobody has listened to the last one
		}
	}
}

// lingerPatience is how long a client may go on sending to a server that has gone.
const lingerPatience = 5 * time.Second

// linger waits, when the server has gone, until the client has sent all of the command it is at.
func (s *session) linger(ctx context.Context) {
	if !s.sending.Load() {
		return
	}
	late := time.NewTimer(lingerPatience)
	defer late.Stop()
	for s.sending.Load() {
		select {
		case <-s.sent:
		case <-ctx.Done():
			return
		case <-late.C:
			return
		}
	}
}
