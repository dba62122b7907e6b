package intercept

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mydbg/intercept/charset"
	"mydbg/intercept/compress"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// The largest packets that make sense before a login has succeeded: those of the authentication, and the
// greeting, which has a hundred bytes or so.
const (
	loginLimit    = 1 << 20
	greetingLimit = 64 << 10
)

// A refusal ends a login with an error that the client is told.
type refusal struct {
	code  uint16
	state string
	err   error
	plain bool // the text is sent as it is, without our name
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func refuse(code uint16, state string, format string, args ...any) error {
	return &refusal{code: code, state: state, err: fmt.Errorf(format, args...)}
}

// Errors of servers that clients are told where mydbg ends a login. Those that only client libraries
// have (2003, 2026, …) would say more, but MariaDB's take them for a malformed packet.
const (
	codeNoServer = 1429 // ER_CONNECT_TO_FOREIGN_DATA_SOURCE
	codeNoTLS    = erBadHandshake
)

// Why mydbg refuses a client.
var (
	errOldProtocol = errors.New("the client speaks the protocol from before MySQL 4.1, which is not supported")
	errNeedsTLS    = errors.New("this listener takes connections with TLS only")
	errNoTLS       = errors.New("the client wants TLS, which was not offered")
)

// login carries a connection from its first byte to the command phase.
func (s *session) login(ctx context.Context) error {
	err := s.handshake(ctx)
	if err == nil {
		return nil
	}
	level := Warning
	var r *refusal
	tell := errors.As(err, &r) && ctx.Err() == nil
	if tell {
		level, s.attempt.told = Error, &mysqlwire.ERR{Code: r.code, SQLState: r.state, Message: "mydbg: " + r.err.Error()}
		if r.plain {
			s.attempt.told.Message = r.err.Error()
		}
		if s.client.seq == 0 { // in place of the greeting: no capability is agreed yet, SQLSTATE is not expected
			s.attempt.told.SQLState = ""
		}
	}
	if why := s.explain(ctx, err); why != nil {
		s.failedLogin(level, why)
	}
	if tell {
		b, encErr := s.attempt.told.Encode(nil, &mysqlwire.Context{Caps: mysqlwire.Protocol41})
		if encErr == nil {
			_ = s.client.writePacket(b) // it is leaving anyway
		}
	}
	return err
}

// failedLogin notes why a login failed.
func (s *session) failedLogin(level Level, r *LoginReport) {
	if r.Cause == CauseNoLogin {
		level = Info
	}
	s.conn.change(func(i *ConnInfo) { i.LoginFailure = r })
	if s.x.Seq == 0 && r.Cause != CauseNoLogin { // else the command's row says so, or a monitor looked whether the port is open
		s.loginRow(r)
	}
	s.proxy.Journal.noteLogin(level, s.conn.ID, s.x.Seq, r)
}

func (s *session) handshake(ctx context.Context) error {
	if err := s.announced(ctx); err != nil {
		return err
	}
	for a := (attempts{}); ; {
		for _, address := range s.proxy.servers.wake(time.Now()) {
			s.note(Info, "backend %s was down for more than %d sec, waking it up", address, wakeAfter)
		}
		s.show(nil)
		v, ok := s.ask(ctx, s.event(rule.ConnectServer), nil)
		if !ok {
			return context.Cause(ctx)
		}
		noted := s.conn.Info().BackendIndex
		pooled := v.Pooled && s.taken != nil
		if !pooled {
			s.unused()
		}
		switch {
		case v.Action == Close || v.Action == Hang:
			return s.closing(ctx, v)
		case v.Action == Reply:
			return s.mock(ctx, &v)
		case pooled:
			var gone *closedMeanwhile
			if err := s.takeOver(ctx); !errors.As(err, &gone) {
				return err
			}
			s.note(Warning, "connection %d: %v", s.conn.ID, gone)
			continue
		case v.Backend == 0:
			v.Backend = noted
		}
		retry, err := s.connect(ctx, v.Backend, &a)
		if err == nil {
			break
		}
		if !retry || !s.chain().scripted(rule.ConnectServer) && s.proxy.servers.choose(a.tried, true) == nil {
			return err
		}
		s.note(Info, "connection %d: Retrying with different backend.", s.conn.ID)
	}
	s.attempt.at(StepGreeting)
	greeting, err := s.greet(ctx)
	if err != nil {
		return err
	}
	return s.authenticate(ctx, greeting)
}

// closing carries out Close and Hang in the login.
func (s *session) closing(ctx context.Context, v Verdict) error {
	if v.Action == Close {
		return errClosed
	}
	defer s.watch(nil)()
	<-ctx.Done()
	return context.Cause(ctx)
}

// read reads a packet of l while the other leg is watched: in the login either side may leave at any time.
func (s *session) read(l *leg) ([]byte, error) {
	other := s.server
	if l == s.server {
		other = s.client
	}
	if other != nil {
		defer other.watch(s.gone(other))()
	}
	if s.attempt.step == StepGreeting {
		return l.readPacket(greetingLimit)
	}
	if s.attempt.step == StepClientLogin && l == s.client {
		if err := l.noHello(); err != nil {
			return nil, err
		}
	}
	return l.readPacket(loginLimit)
}

// loginEvent asks about a login packet if anybody wants to be asked. It returns what goes on:
// the packet, one that replaces it, or with Reply the answer's first packet.
func (s *session) loginEvent(ctx context.Context, ev *Event) ([]byte, Verdict, error) {
	packet := ev.Packet
	if !s.wants(ev.Point) {
		return packet, Verdict{}, nil
	}
	v, ok := s.ask(ctx, ev, nil)
	if !ok {
		return nil, v, context.Cause(ctx)
	}
	if err := Check(ev, &v); err != nil {
		s.note(Error, "%s: %v. Event passed on unchanged.", v.By, err)
		return packet, Verdict{}, nil
	}
	switch v.Action {
	case Close, Hang:
		return nil, v, s.closing(ctx, v)
	case Reply:
		packets := v.Answer.Packets
		for _, p := range packets[:len(packets)-1] {
			if err := s.client.writePacket(p.Payload); err != nil {
				return nil, v, s.left(s.client, err)
			}
		}
		return packets[len(packets)-1].Payload, v, nil
	}
	if v.Packet != nil {
		packet = v.Packet
	}
	return packet, v, nil
}

// readLogin reads the client's login, TLS first if it asks for it.
func (s *session) readLogin(ctx context.Context) ([]byte, error) {
	s.attempt.at(StepClientLogin)
	packet, err := s.read(s.client)
	if err != nil {
		return nil, s.left(s.client, err)
	}
	mode := s.proxy.o.ClientTLS
	if !mysqlwire.IsSSLRequest(packet) {
		if mode >= tlspair.Required {
			return nil, refuse(erTLSRequired, "HY000", "%w (--client-tls=%s)", errNeedsTLS, mode)
		}
		return packet, nil
	}
	if mode == tlspair.Disabled {
		return nil, refuse(codeNoTLS, "08S01", "%w (--client-tls=disabled)", errNoTLS)
	}
	if err := s.startClientTLS(ctx); err != nil {
		return nil, err
	}
	s.attempt.at(StepClientLogin)
	if packet, err = s.read(s.client); err != nil {
		return nil, s.left(s.client, err)
	}
	return packet, nil
}

// setSSL sets or clears CLIENT_SSL in the bytes of a login packet.
func setSSL(login []byte, on bool) {
	const bit = byte(mysqlwire.SSL >> 8)
	login[1] &^= bit
	if on {
		login[1] |= bit
	}
}

// authenticate carries the login over and follows it to its result.
func (s *session) authenticate(ctx context.Context, g *mysqlwire.Greeting) error {
	packet, err := s.readLogin(ctx)
	if err != nil {
		return err
	}
	login, err := decodeLogin(packet)
	if err != nil {
		return err
	}
	s.clientCompresses(login)
	s.loggedIn(login, g)
	s.attempt.at(StepAuthentication)
	ev := s.event(rule.ReadAuth)
	ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToServer, mysqlwire.KindLogin, mysqlwire.BlankPayload(mysqlwire.KindLogin, packet, nil), len(packet)
	_, v, err := s.loginEvent(ctx, ev)
	if err != nil {
		return err
	}
	if v.Action == Reply {
		return s.answerLogin(&v)
	}
	if v.Packet != nil {
		if packet, err = withSecret(v.Packet, login.AuthResponse); err != nil {
			return refuse(1043, "08S01", "the edited login: %w", err)
		}
		if err := login.Decode(packet, nil); err != nil {
			return refuse(1043, "08S01", "the edited login: %w", err)
		}
		s.loggedIn(login, g)
	}
	if done, err := s.settleLogin(ctx, login, g); done || err != nil {
		return err
	}
	if packet, err = s.askCompression(packet, login, g); err != nil {
		return err
	}
	tlsOn, err := s.serverTLS(ctx, packet, g)
	if err != nil {
		return err
	}
	setSSL(packet, tlsOn)
	return s.follow(ctx, packet, login, g)
}

func decodeLogin(packet []byte) (*mysqlwire.Login, error) {
	if len(packet) >= 2 && packet[1]&byte(mysqlwire.Protocol41>>8) == 0 {
		return nil, refuse(erBadHandshake, "08S01", "%w", errOldProtocol)
	}
	m := &mysqlwire.Login{}
	if err := m.Decode(packet, nil); err != nil {
		return nil, refuse(erBadHandshake, "08S01", "this is no login that can be read: %w", err)
	}
	return m, nil
}

// withSecret puts the client's answer to the scramble back into a login that was shown without it.
func withSecret(packet, response []byte) ([]byte, error) {
	var m mysqlwire.Login
	if err := m.Decode(packet, nil); err != nil {
		return nil, err
	}
	for _, b := range m.AuthResponse {
		if b != 0 {
			return packet, nil // a response of their own
		}
	}
	m.AuthResponse = response
	return m.Encode(nil, nil)
}

// loggedIn notes who logs in.
func (s *session) loggedIn(m *mysqlwire.Login, g *mysqlwire.Greeting) {
	s.attempt.loggedIn, s.attempt.clientCaps, s.attempt.clientPlugin = true, m.Caps, m.PluginName
	s.dec.Agree(g.Caps&m.Caps&^compress.Flags|m.Caps&mysqlwire.SSL, g.MariaDB()) // compression is undone before anybody looks
	s.dec.Charsets = charset.All
	s.dec.SetCharset(g.Collation, m.Collation)
	s.conn.change(func(i *ConnInfo) {
		i.User, i.DB, i.AuthPlugin, i.Attrs, i.Caps = m.User, m.DB, m.PluginName, m.Attrs, s.dec.Caps()|s.offered&m.Caps&compress.Flags
		if s.conn.client.Login == nil { // else it is an edited one
			own := *m
			s.conn.client.Login = &own
		}
		texts := s.dec.Texts()
		i.Charset, i.Results = texts.Client, texts.Results
	})
}
