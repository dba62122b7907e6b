package intercept

import (
	"errors"
	"fmt"

	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
)

// Peer is what one side of a connection is known by. What it points at does not change.
type Peer struct {
	Src, Dst string              // who connected to whom; Unix sockets are unix:/path
	Greeting *mysqlwire.Greeting // of the server's side as the server sent it, of the client's as the client got it; nil before
	Login    *mysqlwire.Login    // who logged in; nil before. Its AuthResponse is a secret: show and record it nowhere
	DB       string              // current schema
}

// Client is the connection's own side.
func (c *Conn) Client() Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.client
	p.Src, p.Dst, p.DB = c.info.Client, c.info.Listen, c.info.DB
	return p
}

// Server is the side of the server; nil while the connection has none.
func (c *Conn) Server() *Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return nil
	}
	p := *c.server
	p.DB = c.info.ServerDB
	return &p
}

// ErrNoHook means that a connection's server can be changed by its own hooks only, while they run.
var ErrNoHook = errors.New("the server of a connection can be changed from its own hooks only")

// Pick changes the connection's server from within a hook, whatever that decides, as the assignment
// to backend_ndx does in MySQL Proxy:
//
//	0  gives the server connection to the pool of its server
//	n  takes an idle connection of server n out of its pool, gives the present one to its own pool,
//	   and goes on with the new one; with none idle that the client could use, n is only noted
//
// At connect_server the number noted is the server that is connected to unless the verdict names
// another. The bookkeeping is done when Pick returns, the connection itself changes hands when the
// event is over. It is an error to give away a connection on which nobody has logged in.
func (c *Conn) Pick(n int) error {
	c.mu.Lock()
	s := c.asking
	c.mu.Unlock()
	if s == nil {
		return ErrNoHook
	}
	return s.pick(n)
}

// askedBy says whose hooks run.
func (c *Conn) askedBy(s *session) {
	c.mu.Lock()
	c.asking = s
	c.mu.Unlock()
}

// Waiting reports whether a pooled connection was picked at connect_server; Verdict.Pooled uses it.
func (c *Conn) Waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asking != nil && c.asking.taken != nil
}

// Adrift reports, to a hook of the connection, whether it has no server.
func (c *Conn) Adrift() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asking != nil && c.server == nil
}

// pick is Conn.Pick. The session's goroutine is in a hook, so it has the turn.
func (s *session) pick(n int) error {
	if n == 0 {
		if s.linked() == nil {
			return nil
		}
		return s.giveAway()
	}
	sp, why := s.proxy.servers.take(n, s.user(), s, s.mismatch)
	if sp == nil {
		if why != nil {
			s.note(Warning, "connection %d: no pooled connection to server %d fits: %v", s.conn.ID, n, why)
		}
		s.conn.change(func(i *ConnInfo) { i.BackendIndex = n })
		return nil
	}
	if s.linked() != nil {
		if err := s.giveAway(); err != nil {
			s.proxy.servers.back(sp)
			return err
		}
	}
	if sp == s.given { // the one we have just given away
		s.given = nil
	} else {
		s.taken = sp
	}
	s.show(sp.link)
	return nil
}

// linked is the server connection as hooks see it: physically it changes in settle.
func (s *session) linked() *link {
	switch {
	case s.taken != nil:
		return s.taken.link
	case s.given != nil:
		return nil
	}
	return s.link
}

// giveAway gives the server connection to its pool.
func (s *session) giveAway() error {
	if s.taken != nil {
		s.proxy.servers.back(s.taken)
		s.taken = nil
		s.show(nil)
		return nil
	}
	if !s.link.ready {
		return fmt.Errorf("the connection to %s cannot go to the pool: nobody has logged in on it yet", s.link.at.Address)
	}
	s.given = s.proxy.servers.put(s.link, s)
	if mysqlwire.Status(s.conn.status.Load()).Has(mysqlwire.StatusInTrans) {
		s.note(Warning, "connection %d: its server connection goes to the pool in the middle of a transaction", s.conn.ID)
	}
	s.show(nil)
	return nil
}

// user is who the client has logged in as; "" before.
func (s *session) user() string {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.conn.client.Login == nil {
		return ""
	}
	return s.conn.client.Login.User
}

// show tells those who look on which server the connection has.
func (s *session) show(k *link) {
	var p *Peer
	if k != nil {
		p = k.peer()
	}
	s.conn.change(func(i *ConnInfo) {
		s.conn.server, s.conn.packed[ServerLeg] = p, nil
		i.Backend, i.BackendIndex, i.Server, i.Thread, i.ServerTLS, i.ServerDB = "", 0, "", 0, "", ""
		if k == nil {
			return
		}
		s.conn.packed[ServerLeg] = k.leg.packed
		i.Backend, i.BackendIndex, i.ServerFrom, i.ServerTo, i.ServerTLS = k.at.Address, k.at.index, p.Src, addressText(k.raw.RemoteAddr()), k.tls
		if g := k.greeting; g != nil {
			i.Server, i.Thread, i.MariaDB, i.ServerDB = g.ServerVersion(), g.ConnectionID, g.MariaDB(), p.DB
		}
	})
}

// loginOnly are capabilities that matter while logging in only, or belong to one leg alone.
const loginOnly = compress.Flags | mysqlwire.SSL | mysqlwire.ConnectWithDB | mysqlwire.PluginAuth | mysqlwire.PluginAuthLenencClientData |
	mysqlwire.ConnectAttrs | mysqlwire.SecureConnection | mysqlwire.LongPassword | mysqlwire.LongFlag | mysqlwire.Interactive |
	mysqlwire.IgnoreSigpipe | mysqlwire.Transactions | mysqlwire.Reserved | mysqlwire.CanHandleExpiredPasswords |
	mysqlwire.MultiFactorAuthentication | mysqlwire.SSLVerifyServerCert | mysqlwire.RememberOptions | mysqlwire.CapabilityExtension

// mismatch is why a pooled connection cannot serve the client: what was agreed on it at its login
// stays, and the client's bytes cross as they are. Before the client has logged in nothing is known
// against it.
func (s *session) mismatch(k *link) error {
	info := s.conn.Info()
	if info.Phase < LoggingIn || s.user() == "" && info.Phase < Ready {
		return nil
	}
	agreed := s.dec.Caps()
	if login := s.conn.Client().Login; info.Phase < Ready && login != nil {
		agreed = login.Caps & k.greeting.Caps // what it would have with a connection of its own, whatever it was offered
	}
	if diff := (k.dec.Caps() ^ agreed) &^ loginOnly; diff != 0 {
		return fmt.Errorf("client and server connection differ in %s", diff)
	}
	if k.dec.MariaDB() != s.dec.MariaDB() && s.link != nil {
		return errors.New("one server is MariaDB, the other is MySQL")
	}
	if want, err := s.proxy.o.BackendTLS.Use(info.ClientTLS != "", k.greeting.Caps.Has(mysqlwire.SSL)); err != nil || want != (k.tls != "") {
		return fmt.Errorf("TLS is %s on the server connection, and the client's is %s", worded(k.tls), worded(info.ClientTLS))
	}
	if who := host(s.announcement()); k.announced != "" && k.announced != who {
		return fmt.Errorf("it was announced to the server as %s's, the client is %s", k.announced, who)
	}
	if info.Phase == Ready && s.asUser != "" && k.login.User != s.asUser {
		return fmt.Errorf("it is logged in as %s, the client as %s, and only a login could change that", k.login.User, s.asUser)
	}
	return nil
}

func worded(tls string) string {
	if tls == "" {
		return "off"
	}
	return tls
}
