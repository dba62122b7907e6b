package intercept

import (
	"context"
	"fmt"
	"slices"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// beginAuth starts a COM_CHANGE_USER, which is a login of its own in the middle of a session. It is
// not sent if it is answered here.
func (s *session) beginAuth(payload []byte) (sent bool, err error) {
	m := &mysqlwire.ChangeUser{}
	if err := m.Decode(payload, s.dec.Context()); err != nil {
		return true, first(s.queueToServer(payload), s.lost(fmt.Errorf("COM_CHANGE_USER: %w", err)))
	}
	info := s.conn.Info()
	x := auth.NewExchange(legOf(s.client, info.ClientTLS), legOf(s.server, info.ServerTLS), s.proxy.authOptions(s.dec.Caps()))
	s.attempt.exchange, s.attempt.refused, s.attempt.told = x, nil, nil
	s.attempt.at(StepChangeUser)
	step, err := x.Begin(m.PluginName, s.link.scramble, slices.Clone(m.AuthResponse))
	s.change = m
	if err != nil {
		s.reply, s.change = s.refusal(m, err), nil
		return false, nil
	}
	s.exchange = x
	s.client.seq = s.seq
	return true, s.authStep(&step)
}

// refusal is what the client is told when the exchange cannot go on.
func (s *session) refusal(m *mysqlwire.ChangeUser, err error) *mysqlwire.Answer {
	s.attempt.told = &mysqlwire.ERR{Code: erAccessDenied, SQLState: "28000", Message: "mydbg: login of " + m.User + ": " + err.Error()}
	s.changeFailed(Error, err)
	return mysqlwire.ERRAnswer(s.attempt.told.Code, s.attempt.told.SQLState, s.attempt.told.Message)
}

// changeFailed notes why the COM_CHANGE_USER under way failed.
func (s *session) changeFailed(level Level, err error) {
	i := s.conn.Info()
	i.User, i.DB = s.change.User, s.change.DB
	r := s.report(&i, err)
	s.x.Note = r.Title()
	s.failedLogin(level, r)
}

// authFromServer and authFromClient carry the authentication rounds over.
func (s *session) authFromServer(ctx context.Context, payload []byte) error {
	step, err := s.exchange.FromServer(payload)
	return s.authRounds(ctx, &step, err)
}

func (s *session) authFromClient(ctx context.Context, payload []byte) error {
	s.client.seq++
	step, err := s.exchange.FromClient(payload)
	return s.authRounds(ctx, &step, err)
}

func (s *session) authRounds(ctx context.Context, step *auth.Step, err error) error {
	if err != nil { // the server waits for something that will not come: the session is over
		for _, p := range s.refusal(s.change, err).Packets {
			if _, werr := s.client.queuePacket(p.Payload, s.client.seq); werr != nil {
				return s.left(s.client, werr)
			}
		}
		return first(s.client.flush(), fmt.Errorf("COM_CHANGE_USER: %w", err))
	}
	if err := s.authStep(step); err != nil {
		return err
	}
	if err := first(s.server.flush(), s.client.flush()); err != nil {
		return err
	}
	if !step.Done {
		return nil
	}
	s.link.scramble = s.exchange.Scramble()
	s.link.ready = step.OK
	if step.OK {
		s.asUser = s.change.User
		s.link.login = &mysqlwire.Login{User: s.change.User, DB: s.change.DB, PluginName: s.exchange.Plugin()}
		user, db, plugin, steps := s.change.User, s.change.DB, s.exchange.Plugin(), s.exchange.History()
		s.conn.change(func(i *ConnInfo) {
			i.User, i.DB, i.AuthPlugin, i.Login, i.LoginFailure = user, db, plugin, steps, nil
		})
	} else if e := new(mysqlwire.ERR); e.Decode(step.ToClient[len(step.ToClient)-1], nil) == nil {
		s.attempt.refused = e
		s.changeFailed(Warning, errRefused)
	}
	s.exchange, s.change, s.shown = nil, nil, true
	return s.answered(ctx)
}

// authStep sends what a step has for either side.
func (s *session) authStep(step *auth.Step) error {
	toServer := step.ToServer
	if step.Login {
		if err := s.sendChange(toServer[0]); err != nil || s.opaque.Load() {
			return err
		}
		toServer = toServer[1:]
	}
	for _, p := range toServer {
		if _, err := s.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Len: len(p), Seq: s.server.seq}, p[:min(len(p), mysqlwire.HeadLen)]); err != nil {
			return err // half an exchange cannot be relayed
		}
		seq, err := s.server.queuePacket(p, s.server.seq)
		if err != nil {
			return s.left(s.server, err)
		}
		s.server.seq = seq
	}
	for _, p := range step.ToClient {
		seq, err := s.client.queuePacket(p, s.client.seq)
		if err != nil {
			return s.left(s.client, err)
		}
		s.client.seq = seq
		s.x.BytesOut += uint64(mysqlwire.HeaderLen + len(p))
	}
	return nil
}

// sendChange sends the COM_CHANGE_USER with the response that the server shall see.
func (s *session) sendChange(response []byte) error {
	m := *s.change
	m.AuthResponse = response
	cx := *s.dec.Context()
	const shape = mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.ConnectAttrs
	cx.Caps = cx.Caps&^shape | s.link.caps&shape // as the server expects it, which may have met another client first
	payload, err := m.Encode(nil, &cx)
	if err != nil {
		return fmt.Errorf("COM_CHANGE_USER: %w", err)
	}
	s.server.seq = uint8(mysqlwire.Frames(len(payload)))
	return s.sendPacket(payload)
}

// withSecrets puts the client's answer to the scramble back into COM_CHANGE_USER packets that were
// shown without it.
func (s *session) withSecrets(plan []Query, received []byte) []Query {
	var from mysqlwire.ChangeUser
	if len(received) == 0 || mysqlwire.Command(received[0]) != mysqlwire.ComChangeUser || from.Decode(received, s.dec.Context()) != nil {
		return plan
	}
	plan = slices.Clone(plan)
	for i := range plan {
		var m mysqlwire.ChangeUser
		if plan[i].command() != mysqlwire.ComChangeUser || m.Decode(plan[i].Packet, s.dec.Context()) != nil || !blank(m.AuthResponse) {
			continue
		}
		m.AuthResponse = from.AuthResponse
		if b, err := m.Encode(nil, s.dec.Context()); err == nil {
			plan[i].Packet = b
		}
	}
	return plan
}

// blank reports whether a response is one that was blanked.
func blank(response []byte) bool {
	return !slices.ContainsFunc(response, func(b byte) bool { return b != 0 })
}

func legOf(l *leg, tls string) auth.Leg {
	return auth.Leg{TLS: tls != "", Socket: l.conn.RemoteAddr().Network() == "unix"}
}
