package intercept

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// follow carries the authentication rounds over until the server decides.
func (s *session) follow(ctx context.Context, packet []byte, login *mysqlwire.Login, g *mysqlwire.Greeting) error {
	info := s.conn.Info()
	x := auth.NewExchange(legOf(s.client, info.ClientTLS), legOf(s.server, info.ServerTLS), s.proxy.authOptions(s.dec.Caps()))
	s.attempt.exchange = x
	s.attempt.at(StepAuthentication)
	step, err := x.Begin(login.PluginName, g.Scramble, login.AuthResponse)
	for {
		s.conn.change(func(i *ConnInfo) { i.AuthPlugin, i.Login = x.Plugin(), x.History() })
		if err != nil {
			return refuse(1045, "28000", "login of %s: %w", login.User, err)
		}
		if err := s.loginStep(&step, packet, login); err != nil {
			return err
		}
		s.loginOver(login, &step)
		if step.Done && !step.OK {
			s.refusedBy(step.ToClient)
		}
		var done bool
		if done, err = s.authResult(ctx, &step); done || err != nil {
			if err == nil && step.OK {
				s.ready(login, x.Scramble())
				s.firstStatus(step.ToClient)
			}
			return first(err, unlessOK(step.OK))
		}
		if step, err = s.authRound(x, step.Next); errors.Is(err, errClientLeft) || errors.Is(err, errServerLeft) {
			return err
		}
	}
}

// unlessOK ends the session after a login that the server refused.
func unlessOK(ok bool) error {
	if ok {
		return nil
	}
	return errRefused
}

// refusedBy notes the server's error, and shows why before anybody is asked about it.
func (s *session) refusedBy(packets [][]byte) {
	e := &mysqlwire.ERR{}
	if n := len(packets); n == 0 || e.Decode(packets[n-1], nil) != nil {
		return
	}
	s.attempt.refused = e
	i := s.conn.Info()
	r := s.report(&i, errRefused)
	s.conn.change(func(i *ConnInfo) { i.LoginFailure = r })
}

// loginStep sends what a step has for the server.
func (s *session) loginStep(step *auth.Step, packet []byte, login *mysqlwire.Login) error {
	send := step.ToServer
	switch {
	case step.Login && s.link.ready:
		if err := s.relogin(login, send[0]); err != nil {
			return err
		}
		send = send[1:]
	case step.Login:
		if string(send[0]) != string(login.AuthResponse) {
			m := *login
			m.AuthResponse = send[0]
			m.Caps = m.Caps&^mysqlwire.SSL | mysqlwire.Caps(packet[1])<<8&mysqlwire.SSL
			var err error
			if packet, err = m.Encode(nil, nil); err != nil {
				return fmt.Errorf("login: %w", err)
			}
		}
		if err := s.server.writePacket(packet); err != nil {
			return s.left(s.server, lastWords(s.server, err))
		}
		send = send[1:]
	}
	for _, p := range send {
		if err := s.server.writePacket(p); err != nil {
			return s.left(s.server, lastWords(s.server, err))
		}
	}
	return nil
}

// lastWords is why a leg that cannot be written to any more was left, if its other side has said so: an
// alert of TLS may have come before.
func lastWords(l *leg, err error) error {
	if said := l.fill(); said != nil && tlspair.Alert(said) != "" {
		return said
	}
	return err
}

// authResult asks about each packet the server has for the client and sends it.
func (s *session) authResult(ctx context.Context, step *auth.Step) (done bool, err error) {
	for _, p := range step.ToClient {
		ev := s.event(rule.ReadAuthResult)
		ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToClient, authKind(p), p, len(p)
		p, v, err := s.loginEvent(ctx, ev)
		if err != nil {
			return true, err
		}
		if err := s.client.writePacket(p); err != nil {
			return true, s.left(s.client, err)
		}
		if v.Action == Reply && !v.Stay && !step.Done {
			return true, errClosed // the server waits for an answer that will not come
		}
	}
	return step.Done, nil
}

func authKind(p []byte) mysqlwire.Kind {
	if len(p) == 0 {
		return mysqlwire.KindAuthData
	}
	switch p[0] {
	case 0x00:
		return mysqlwire.KindOK
	case 0xff:
		return mysqlwire.KindERR
	case 0xfe:
		return mysqlwire.KindAuthSwitch
	case 0x01:
		return mysqlwire.KindAuthMore
	case 0x02:
		return mysqlwire.KindNextFactor
	}
	return mysqlwire.KindAuthData
}

// authRound reads the next packet of the exchange from whoever has to speak.
func (s *session) authRound(x *auth.Exchange, next auth.Speaker) (auth.Step, error) {
	if next == auth.Either {
		next = s.whoSpeaks()
	}
	l, take := s.server, x.FromServer
	if next == auth.Client {
		l, take = s.client, x.FromClient
	}
	p, err := s.read(l)
	if err != nil {
		return auth.Step{}, s.left(l, err)
	}
	return take(p)
}

// whoSpeaks waits for the first byte from either side.
func (s *session) whoSpeaks() auth.Speaker {
	came := make(chan auth.Speaker, 2)
	listen := func(l *leg, who auth.Speaker) {
		if len(l.unread()) == 0 {
			_ = l.fill() // what is wrong with it the next read says again
		}
		came <- who
	}
	go listen(s.client, auth.Client) // both end: the first by its byte, the second by the deadline below
	go listen(s.server, auth.Server)
	who := <-came
	other := s.server
	if who == auth.Server {
		other = s.client
	}
	other.deadline(past)
	<-came
	other.deadline(time.Time{})
	return who
}

// ready begins the command phase.
func (s *session) ready(login *mysqlwire.Login, scramble []byte) {
	s.attempt.at(StepAfterLogin)
	s.compressLegs()
	s.dec.Ready()
	s.dec.SetDB(login.DB)
	if s.link != nil {
		s.link.scramble = scramble
		s.socks.keep(s.link)
	}
	s.conn.status.Store(uint32(mysqlwire.StatusAutocommit))
	s.conn.change(func(i *ConnInfo) { i.Phase, i.ServerDB = Ready, login.DB })
	s.proxy.Journal.ring()
}

// firstStatus notes what the OK of a login says.
func (s *session) firstStatus(packets [][]byte) {
	var ok mysqlwire.OK
	if n := len(packets); n == 0 || ok.Decode(packets[n-1], s.dec.Context()) != nil {
		return
	}
	s.conn.status.Store(uint32(ok.Status))
	s.attempt.bound = auth.IsCertificateProof([]byte(ok.Info))
	for _, name := range []string{"character_set_client", "character_set_results"} {
		if set, changed := ok.Variable(name); changed {
			s.dec.SetVariable(name, set)
		}
	}
	if db, changed := ok.Schema(); changed {
		s.dec.SetDB(db)
		s.conn.change(func(i *ConnInfo) { i.DB, i.ServerDB = db, db })
	}
}
