package intercept

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// connect opens the server leg.
func (s *session) connect(ctx context.Context, want int) error {
	index, b, err := s.proxy.backend(want)
	if err != nil {
		return refuse(1105, "HY000", "%w", err)
	}
	s.conn.change(func(i *ConnInfo) { i.Backend, i.BackendIndex = b.Address, index })
	dctx, cancel := context.WithTimeout(ctx, s.proxy.o.ConnectTimeout)
	defer cancel()
	stop := s.client.watch(s.gone(s.client))
	nc, err := b.dial(dctx)
	stop()
	switch {
	case ctx.Err() != nil:
		if err == nil {
			_ = nc.Close() // unused
		}
		return context.Cause(ctx)
	case err != nil:
		return refuse(codeNoServer, "HY000", "cannot connect to the server %s: %w. Is it running, and is the address right? Set it with --backend", b.Address, err)
	}
	s.socks.add(nc)
	s.conn.change(func(i *ConnInfo) {
		i.ServerFrom, i.ServerTo = nc.LocalAddr().String(), nc.RemoteAddr().String()
	})
	s.server = s.proxy.tapped(s.conn, newLeg(nc, mysqlwire.ToClient))
	return nil
}

// greet carries the greeting over.
func (s *session) greet(ctx context.Context) (*mysqlwire.Greeting, error) {
	_ = s.server.conn.SetReadDeadline(time.Now().Add(s.proxy.o.ConnectTimeout))
	packet, err := s.read(s.server)
	_ = s.server.conn.SetReadDeadline(time.Time{}) // fails only on a closed connection, as the next read will
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(codeNoServer, "HY000", "the server at %s sent no greeting for %v: %w. Is it a MySQL server?", s.conn.Info().Backend, s.proxy.o.ConnectTimeout, err)
	case err != nil:
		return nil, refuse(codeNoServer, "HY000", "the server at %s sent no greeting: %w", s.conn.Info().Backend, err)
	}
	ev := s.event(rule.ReadHandshake)
	ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToClient, mysqlwire.KindGreeting, packet, len(packet)
	isERR := len(packet) > 0 && packet[0] == 0xff
	if isERR {
		ev.Kind = mysqlwire.KindERR
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
			s.refusedBy([][]byte{packet})
			return nil, errRefused
		}
		return nil, errClosed
	}
	g := &mysqlwire.Greeting{}
	if err := g.Decode(packet, nil); err != nil {
		return nil, refuse(codeNoServer, "HY000", "%s does not greet as a MySQL server: %w: %w", s.conn.Info().Backend, err, foreign(packet, "its greeting is unreadable"))
	}
	s.attempt.serverCaps, s.attempt.serverPlugin = g.Caps, g.PluginName
	s.conn.change(func(i *ConnInfo) {
		i.Phase, i.Server, i.Thread, i.MariaDB = LoggingIn, g.ServerVersion(), g.ConnectionID, g.MariaDB()
	})
	return g, s.sendGreeting(g)
}

// sendGreeting offers the client what the server offers but what cannot be followed. TLS is the
// proxy's own; where the server leg mirrors the client's it is offered only if the server has it.
func (s *session) sendGreeting(g *mysqlwire.Greeting) error {
	offer := *g
	offer.Caps &^= hidden | mysqlwire.SSL
	mode := s.proxy.o.ClientTLS
	if mode >= tlspair.Required || mode != tlspair.Disabled && (g.Caps.Has(mysqlwire.SSL) || s.proxy.o.BackendTLS != tlspair.Mirror) {
		offer.Caps |= mysqlwire.SSL
		s.attempt.clientTLS = true
	}
	b, err := offer.Encode(nil, nil)
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if err := s.client.writePacket(b); err != nil {
		return s.left(s.client, err)
	}
	return nil
}
