package intercept

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"mydbg/intercept/compress"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// connect opens the server leg.
// It is retry with an error that another choice may mend.
func (s *session) connect(ctx context.Context, want int, a *attempts) (retry bool, err error) {
	at, err := s.chosen(want, a)
	if err != nil {
		return false, err
	}
	s.conn.change(func(i *ConnInfo) { i.Backend, i.BackendIndex = at.Address, at.index })
	dctx, cancel := context.WithTimeout(ctx, s.proxy.o.ConnectTimeout)
	defer cancel()
	stop := s.client.watch(s.gone(s.client))
	nc, err := at.dial(dctx)
	stop()
	announced := ""
	if err == nil && at.Dial == nil {
		if announced, err = s.announce(dctx, nc); err != nil {
			_ = nc.Close() // unused
		}
	}
	if ctx.Err() != nil {
		if err == nil {
			_ = nc.Close() // unused
		}
		return false, context.Cause(ctx)
	}
	s.proxy.servers.tried(at.index, err)
	if err != nil {
		a.tried = append(a.tried, at.index)
		s.note(Warning, "connection %d: connect(%s) failed: %v", s.conn.ID, at.Address, err)
		a.last = refuse(codeNoServer, "HY000", "cannot connect to the server %s: %w. Is it running, and is the address right? Set it with --backend", at.Address, err)
		s.show(nil)
		return true, a.last
	}
	k := &link{leg: newLeg(nc, mysqlwire.ToClient), raw: nc, dec: s.dec, at: at, announced: announced}
	s.attach(ctx, k)
	return false, nil
}

// attempts are what a session has tried in order to get a server.
type attempts struct {
	tried []int
	last  error // why the last one failed
}

// chosen is the server to connect to: the one asked for, unless that has failed already, or the one
// with the fewest clients. Where scripts choose, servers that are down are left alone for a while, as
// in MySQL Proxy; otherwise they are tried before a client is turned away.
func (s *session) chosen(want int, a *attempts) (*server, error) {
	scripted := s.chain().scripted(rule.ConnectServer)
	if want > 0 && !slices.Contains(a.tried, want) {
		at := s.proxy.servers.get(want)
		switch {
		case at == nil && scripted:
			return nil, s.allDown()
		case at == nil:
			return nil, refuse(1105, "HY000", "there is no backend %d, only %d", want, len(s.proxy.Backends()))
		case !scripted || !s.proxy.servers.down(at):
			return at, nil
		}
	}
	at := s.proxy.servers.choose(a.tried, !scripted)
	switch {
	case at != nil:
		return at, nil
	case scripted && s.proxy.servers.get(1) != nil:
		return nil, s.allDown()
	case a.last != nil:
		return nil, a.last
	}
	return nil, refuse(1105, "HY000", "no server is configured: set one with --backend HOST:PORT")
}

// allDown is what MySQL Proxy tells clients for which there is no server.
func (s *session) allDown() error {
	s.note(Error, "Cannot connect, all backends are down.")
	return &refusal{code: 1105, err: errors.New("(proxy) all backends are down"), plain: true}
}

// greet carries the greeting over.
func (s *session) greet(ctx context.Context) (*mysqlwire.Greeting, error) {
	packet, err := s.serverGreeting(ctx)
	if err != nil {
		return nil, err
	}
	// What hooks see of the server comes from its own greeting, whatever they make of it.
	if g := new(mysqlwire.Greeting); g.Decode(packet, nil) == nil {
		s.link.greeting = g
		s.show(s.link)
	}
	ev := s.event(rule.ReadHandshake)
	ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToClient, mysqlwire.KindGreeting, packet, len(packet)
	isERR := len(packet) > 0 && packet[0] == 0xff
	if isERR {
		ev.Kind = mysqlwire.KindERR
		s.refusedBy([][]byte{packet})
	}
	packet, v, err := s.loginEvent(ctx, ev)
	if err != nil {
		return nil, err
	}
	if v.Action == Reply || isERR {
		if err := s.client.writePacket(packet); err != nil {
			return nil, s.left(s.client, err)
		}
		if isERR && v.Action != Reply {
			return nil, errRefused
		}
		return nil, errClosed
	}
	g, err := s.greeted(packet)
	if err != nil {
		return nil, err
	}
	return g, s.sendGreeting(g)
}

// serverGreeting reads the first packet of a new server connection.
func (s *session) serverGreeting(ctx context.Context) ([]byte, error) {
	s.server.deadline(time.Now().Add(s.proxy.o.ConnectTimeout))
	packet, err := s.read(s.server)
	s.server.deadline(time.Time{})
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(codeNoServer, "HY000", "the server at %s sent no greeting for %v: %w. Is it a MySQL server?", s.conn.Info().Backend, s.proxy.o.ConnectTimeout, err)
	case err != nil:
		return nil, refuse(codeNoServer, "HY000", "the server at %s sent no greeting: %w", s.conn.Info().Backend, err)
	}
	return packet, nil
}

// greeted takes the greeting that is in force for the server connection.
func (s *session) greeted(packet []byte) (*mysqlwire.Greeting, error) {
	g := &mysqlwire.Greeting{}
	if err := g.Decode(packet, nil); err != nil {
		return nil, refuse(codeNoServer, "HY000", "%s does not greet as a MySQL server: %w: %w", s.conn.Info().Backend, err, foreign(packet, "its greeting is unreadable"))
	}
	s.attempt.serverCaps, s.attempt.serverPlugin = g.Caps, g.PluginName
	if s.link.greeting == nil {
		s.link.greeting = g
	}
	s.link.scramble = g.Scramble
	s.show(s.link)
	s.conn.change(func(i *ConnInfo) { i.Phase = LoggingIn })
	return g, nil
}

// sendGreeting offers the client what the server offers. TLS and compression are each leg's own:
// they are offered as the options say.
func (s *session) sendGreeting(g *mysqlwire.Greeting) error {
	offer := *g
	offer.Caps = offer.Caps&^(compress.Flags|mysqlwire.SSL) | s.proxy.o.ClientCompress.Offers(g.Caps)
	mode := s.proxy.o.ClientTLS
	if mode >= tlspair.Required || mode != tlspair.Disabled && (g.Caps.Has(mysqlwire.SSL) || s.proxy.o.BackendTLS != tlspair.Mirror) {
		offer.Caps |= mysqlwire.SSL
		s.attempt.clientTLS = true
	}
	s.offered = offer.Caps
	b, err := offer.Encode(nil, nil)
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	s.conn.change(func(*ConnInfo) { s.conn.client.Greeting = &offer })
	if err := s.client.writePacket(b); err != nil {
		return s.left(s.client, err)
	}
	return nil
}
