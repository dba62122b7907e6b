package intercept

import (
	"context"
	"errors"

	"mydbg/mysqlwire"
)

// errReleased ends the pump of a server connection that the session has given away.
var errReleased = errors.New("server connection released")

// settle carries out what hooks have decided about the server connection, at a place where nothing
// of an answer is left on the one there is.
func (s *session) settle(ctx context.Context) error {
	if s.given == nil && s.taken == nil {
		return nil
	}
	given, taken := s.given, s.taken
	s.given, s.taken = nil, nil
	if given != nil {
		s.detach()
		s.proxy.park(given)
	}
	if taken == nil {
		return nil
	}
	if err := s.proxy.servers.claim(taken); err != nil {
		s.show(nil)
		return err
	}
	s.attach(ctx, taken.link)
	return nil
}

// attach makes k the session's server connection and, after the login, has it read.
func (s *session) attach(ctx context.Context, k *link) {
	s.link, s.server, s.dec, s.dbWas = k, k.leg, k.dec, k.dec.DB()
	s.types, s.reshaped = map[uint32][]mysqlwire.Param{}, map[uint32]bool{}
	tap{s.proxy.o.Tap}.connected(s, k)
	s.proxy.tapped(s.conn, s.timed(k.leg))
	s.socks.add(k.raw)
	s.show(k)
	if s.conn.Info().Phase != Ready {
		return
	}
	s.conn.status.Store(uint32(k.dec.Status()))
	s.socks.keep(k)
	if s.relaying {
		s.relay(ctx)
	}
}

// detach takes the server connection from the session, which goes on without one. Its pump ends
// once it has nothing to do any more.
func (s *session) detach() {
	k := s.link
	s.socks.remove(k.raw)
	k.leg.tap = nil
	k.leg.release()
	dec := &mysqlwire.Decoder{}
	dec.Agree(s.dec.Caps(), s.dec.MariaDB())
	dec.Ready()
	dec.SetDB(s.conn.Info().DB)
	s.link, s.server, s.dec, s.dbWas = nil, nil, dec, dec.DB()
}

// relay starts the pump of the server connection.
func (s *session) relay(ctx context.Context) {
	k := s.link
	stopped := make(chan struct{})
	k.stopped = stopped
	s.pumps.Go(func() { // ends with the session, or when the connection is released
		defer close(stopped)
		if err := s.pump(ctx, k.leg, s.fromServer); !errors.Is(err, errReleased) {
			s.cancel(err)
		}
	})
}

// unused gives back what was picked where it cannot be used after all.
func (s *session) unused() {
	if s.taken != nil {
		s.proxy.servers.back(s.taken)
		s.taken = nil
		s.show(s.link)
	}
}

// parting decides at the end of a session what becomes of its server connection. The pumps have
// ended; a hook at disconnect may have given it to the pool.
func (s *session) parting() {
	s.unused()
	k, given := s.link, s.given
	s.link, s.given = nil, nil
	if k == nil {
		return
	}
	s.socks.remove(k.raw)
	if given == nil {
		_ = k.raw.Close()
		s.proxy.servers.change(k.at.index, func(at *server) { at.clients-- })
		return
	}
	k.leg.tap = nil
	s.proxy.park(given)
}
