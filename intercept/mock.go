package intercept

import (
	"context"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// answerLogin ends a login that a verdict answered: OK lets the client in, without a server that knows of it.
func (s *session) answerLogin(v *Verdict) error {
	last := v.Answer.Packets[len(v.Answer.Packets)-1]
	if err := s.client.writePacket(last.Payload); err != nil {
		return s.left(s.client, err)
	}
	if v.CloseAfter || !v.Stay && (last.Kind != mysqlwire.KindOK || s.link != nil && !s.link.ready) {
		return errClosed
	}
	if k := s.link; k != nil && !k.ready { // it waits for a login that will not come
		s.detach()
		_ = k.raw.Close()
		s.proxy.servers.change(k.at.index, func(at *server) { at.clients-- })
		s.show(nil)
	}
	login := &mysqlwire.Login{DB: s.conn.Info().DB}
	if s.link == nil {
		s.ready(login, nil)
	} else {
		s.ready(login, s.link.scramble)
	}
	return nil
}

// mock greets and logs in a client without any server.
func (s *session) mock(ctx context.Context, v *Verdict) error {
	for _, p := range v.Answer.Packets {
		if err := s.client.writePacket(p.Payload); err != nil {
			return s.left(s.client, err)
		}
	}
	g := &mysqlwire.Greeting{}
	if err := g.Decode(v.Answer.Packets[0].Payload, nil); err != nil {
		return errClosed // an error, say: delivered, and that is all
	}
	packet, err := s.readLogin(ctx)
	if err != nil {
		return err
	}
	login := &mysqlwire.Login{}
	if err := login.Decode(packet, nil); err != nil {
		return refuse(1043, "08S01", "this is no login that can be read: %w", err)
	}
	s.conn.change(func(*ConnInfo) { s.conn.client.Greeting = g })
	s.offered = g.Caps
	s.clientCompresses(login)
	s.loggedIn(login, g)
	ev := s.event(rule.ReadAuth)
	ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToServer, mysqlwire.KindLogin, mysqlwire.BlankPayload(mysqlwire.KindLogin, packet, nil), len(packet)
	_, said, err := s.loginEvent(ctx, ev)
	if err != nil {
		return err
	}
	if said.Action == Reply {
		return s.answerLogin(&said)
	}
	_, err = s.settleLogin(ctx, login, g)
	return err
}
