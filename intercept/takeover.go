package intercept

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// A pooled server connection is taken over by COM_CHANGE_USER: the client is greeted with the
// greeting that the server once sent, with the scramble that it expects next, and what the client
// proves becomes the proof of the COM_CHANGE_USER. No password is ever known here.

// takeOver greets the client in the name of the pooled connection that was picked for it.
func (s *session) takeOver(ctx context.Context) error {
	mine := s.dec
	if err := s.settle(ctx); err != nil {
		return err
	}
	k := s.link
	s.dec = mine // of the client, who has agreed to nothing yet; k.dec has what the server agreed to
	// All that the server once offered is offered again: a client that wants something else than the last
	// one gets a connection of its own rather than less than it wants.
	g := *k.greeting
	g.Scramble = k.scramble
	s.conn.change(func(i *ConnInfo) { i.Phase = LoggingIn })
	if err := s.sendGreeting(&g); err != nil {
		return err
	}
	return s.authenticate(ctx, &g)
}

// settleLogin sees to what hooks have picked at read_auth. done means that the login is over.
func (s *session) settleLogin(ctx context.Context, login *mysqlwire.Login, g *mysqlwire.Greeting) (done bool, err error) {
	mine := s.dec
	if err := s.settle(ctx); err != nil {
		return true, err
	}
	s.dec = mine
	switch {
	case s.link == nil:
		return true, s.admit()
	case s.link.ready:
		return true, s.reauthenticate(ctx, login, g)
	}
	return false, nil
}

// admit lets a client in where there is no server to ask.
func (s *session) admit() error {
	ok, err := (&mysqlwire.OK{Status: mysqlwire.StatusAutocommit}).Encode(nil, &mysqlwire.Context{Caps: s.dec.Caps()})
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	return s.answerLogin(&Verdict{Answer: &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: ok}}}})
}

// reauthenticate logs the client in on the pooled connection. given is the greeting that it answers.
func (s *session) reauthenticate(ctx context.Context, login *mysqlwire.Login, given *mysqlwire.Greeting) error {
	k := s.link
	if why := s.mismatch(k); why != nil {
		s.note(Warning, "connection %d: the pooled connection to %s is not used: %v. A new one is made", s.conn.ID, k.at.Address, why)
		return s.connectAnew(ctx, login)
	}
	if s.proxy.o.PoolNoChangeUser {
		if login.User != k.login.User || !bytes.Equal(login.AuthResponse, k.login.AuthResponse) {
			return refuse(1045, "28000", "(proxy-pool) login failed")
		}
		k.dec, s.asUser = s.dec, login.User
		if err := s.admit(); err != nil {
			return err
		}
		s.show(k)
		return nil
	}
	if !bytes.Equal(given.Scramble, k.scramble) {
		proof, err := s.askAgain(login, k.greeting.PluginName, k.scramble)
		if err != nil {
			return err
		}
		login.AuthResponse, login.PluginName = proof, k.greeting.PluginName
	}
	k.dec = s.dec
	g := *k.greeting
	g.Scramble = k.scramble
	return s.follow(ctx, nil, login, &g)
}

// connectAnew makes a new connection to the server of the link, which goes back to its pool, for a
// client that has answered the greeting already: it is asked once more.
func (s *session) connectAnew(ctx context.Context, login *mysqlwire.Login) error {
	k, mine := s.link, s.dec
	given := s.proxy.servers.put(k, s)
	s.detach()
	s.proxy.park(given)
	s.dec = mine
	if _, err := s.connect(ctx, k.at.index, &attempts{}); err != nil {
		return err
	}
	s.dec = mine
	s.link.dec = mine
	packet, err := s.serverGreeting(ctx)
	if err != nil {
		return err
	}
	g, err := s.greeted(packet)
	if err != nil {
		return err
	}
	if lacks := mine.Caps() &^ g.Caps &^ loginOnly; lacks != 0 {
		return refuse(1105, "HY000", "the new connection to %s cannot be given to this client: the server does not offer %s", k.at.Address, lacks)
	}
	s.loggedIn(login, g)
	proof, err := s.askAgain(login, g.PluginName, g.Scramble)
	if err != nil {
		return err
	}
	login.AuthResponse, login.PluginName = proof, g.PluginName
	if packet, err = login.Encode(nil, nil); err != nil {
		return fmt.Errorf("login: %w", err)
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

// askAgain has the client prove itself to another scramble than the one it was greeted with.
func (s *session) askAgain(login *mysqlwire.Login, plugin string, scramble []byte) ([]byte, error) {
	if !login.Caps.Has(mysqlwire.PluginAuth) {
		return nil, refuse(1045, "28000", "login of %s: this server connection asks for another proof than the client gave, and the client cannot be asked again (no PLUGIN_AUTH)", login.User)
	}
	ask := &mysqlwire.AuthSwitch{PluginName: plugin, Data: append(bytes.Clone(scramble), 0)}
	b, err := ask.Encode(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	if err := s.client.writePacket(b); err != nil {
		return nil, s.left(s.client, err)
	}
	proof, err := s.read(s.client)
	if err != nil {
		return nil, s.left(s.client, err)
	}
	return proof, nil
}

// relogin sends a login as the COM_CHANGE_USER of a pooled connection.
func (s *session) relogin(login *mysqlwire.Login, proof []byte) error {
	if len(proof) > 250 {
		return errors.New("the proof is too long for COM_CHANGE_USER")
	}
	m := &mysqlwire.ChangeUser{
		User: login.User, AuthResponse: proof, DB: login.DB, Collation: uint16(login.Collation), PluginName: login.PluginName, Attrs: login.Attrs,
	}
	b, err := m.Encode(nil, &mysqlwire.Context{Caps: s.link.caps})
	if err != nil {
		return fmt.Errorf("COM_CHANGE_USER: %w", err)
	}
	s.server.seq = 0
	if err := s.server.writePacket(b); err != nil {
		return s.left(s.server, err)
	}
	return nil
}

// loginOver notes on the server connection who logs in, and at the end whether that succeeded.
func (s *session) loginOver(login *mysqlwire.Login, step *auth.Step) {
	s.link.login, s.asUser = login, login.User
	if s.link.caps == 0 {
		s.link.caps = s.dec.Caps()
	}
	if step.Done {
		s.link.ready = step.OK
	}
	peer := s.link.peer()
	s.conn.change(func(*ConnInfo) { s.conn.server = peer })
}
