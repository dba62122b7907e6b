package intercept

import (
	"context"
	"fmt"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// answerLogin ends a login that a verdict answered: OK lets the client in, without a server that knows of it.
func (s *session) answerLogin(a *mysqlwire.Answer) error {
	last := a.Packets[len(a.Packets)-1]
	if err := s.client.writePacket(last.Payload); err != nil {
		return s.left(s.client, err)
	}
	if last.Kind != mysqlwire.KindOK || s.server != nil {
		return errClosed
	}
	s.ready(&mysqlwire.Login{DB: s.conn.Info().DB}, nil)
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
	s.loggedIn(login, g)
	ev := s.event(rule.ReadAuth)
	ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToServer, mysqlwire.KindLogin, mysqlwire.BlankPayload(mysqlwire.KindLogin, packet, nil), len(packet)
	_, said, err := s.loginEvent(ctx, ev)
	if err != nil {
		return err
	}
	if said.Action == Reply {
		return s.answerLogin(said.Answer)
	}
	ok, err := (&mysqlwire.OK{Status: mysqlwire.StatusAutocommit}).Encode(nil, &mysqlwire.Context{Caps: s.dec.Caps()})
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	return s.answerLogin(&mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: ok}}})
}
