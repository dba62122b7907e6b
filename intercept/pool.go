package intercept

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"mydbg/mysqlwire"
)

// link is a server connection with all that is known of it. One session has it at a time, or a pool.
type link struct {
	leg       *leg
	raw       net.Conn            // under TLS and whatever else leg.conn may be
	dec       *mysqlwire.Decoder  // follows the leg
	at        *server             // whose connection it is
	greeting  *mysqlwire.Greeting // as the server sent it
	login     *mysqlwire.Login    // of the last login on it
	scramble  []byte              // for the next COM_CHANGE_USER
	caps      mysqlwire.Caps      // agreed at the first login on it, which later ones do not change
	tls       string              // "TLS 1.3", "" for plain
	packing   compression         // agreed at the first login
	announced string              // whom the PROXY header named as its client, without the port; "" without one
	ready     bool                // somebody has logged in on it

	stopped chan struct{} // closed when the pump that reads it has ended; nil without one
}

// attached is a peer as the connection shows it.
func (k *link) peer() *Peer {
	return &Peer{
		Src: addressText(k.raw.LocalAddr()), Dst: k.at.numeric, Greeting: k.greeting, Login: k.login, DB: k.dec.DB(),
	}
}

// addressText is a socket's address in our notation.
func addressText(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return a.String()
}

// spare is a server connection in a pool.
type spare struct {
	link  *link
	user  string // who logged in on it last
	since time.Time
	owner *session      // has released it, but may still be busy with its last answer; nil once it is free
	free  chan struct{} // closed then
	stop  func()        // ends the watch over the idle leg; set before free is closed
	gone  atomic.Bool   // the server has closed it
}

// queueOf finds the connections for a user: those of the user, else those of another of whom there
// are more than minIdle. Those that another session than by has only just released do not count yet.
// The caller holds the registry's lock.
func (s *server) queueOf(user string, by *session) (of string, n int) {
	counts := map[string]int{}
	for _, sp := range s.idle {
		if sp.owner == nil || sp.owner == by {
			counts[sp.user]++
		}
	}
	if user != "" && counts[user] > 0 {
		return user, counts[user]
	}
	for _, sp := range s.idle { // the oldest decides
		if counts[sp.user] > s.minIdle {
			return sp.user, counts[sp.user]
		}
	}
	return "", 0
}

// Idle counts the idle connections of server n that a client logged in as user could take over:
// those of that user, else those of another user who has more than the pool's MinIdle. What by has
// released from the hook it runs counts, too; by may be nil.
func (p *Proxy) Idle(n int, user string, by *Conn) (idle int) {
	var asking *session
	if by != nil {
		by.mu.Lock()
		asking = by.asking
		by.mu.Unlock()
	}
	p.servers.change(n, func(s *server) { _, idle = s.queueOf(user, asking) })
	return idle
}

// put adds a connection to the pool of its server.
func (r *registry) put(k *link, owner *session) *spare {
	sp := &spare{link: k, user: k.login.User, since: time.Now(), owner: owner, free: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	k.at.clients--
	k.at.idle = append(k.at.idle, sp)
	return sp
}

// back returns a connection that was taken and not used.
func (r *registry) back(sp *spare) {
	r.mu.Lock()
	sp.link.at.clients--
	if !sp.gone.Load() {
		sp.since = time.Now()
		sp.link.at.idle = append(sp.link.at.idle, sp)
	}
	r.mu.Unlock()
}

// take takes the oldest connection of a server that a session can have. why is the reason against
// the last one looked at, nil without any.
func (r *registry) take(n int, user string, by *session, refuse func(*link) error) (sp *spare, why error) {
	r.change(n, func(s *server) {
		of, _ := s.queueOf(user, by)
		for i, candidate := range s.idle {
			if candidate.user != of || candidate.owner != nil && candidate.owner != by {
				continue
			}
			if why = refuse(candidate.link); why != nil {
				continue
			}
			sp = candidate
			s.idle = slices.Delete(s.idle, i, i+1)
			s.clients++
			return
		}
	})
	return sp, why
}

// drop takes a connection out of its pool; false if it was not there.
func (r *registry) drop(sp *spare) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := sp.link.at
	i := slices.Index(at.idle, sp)
	if i < 0 {
		return false
	}
	at.idle = slices.Delete(at.idle, i, i+1)
	return true
}

// errUnclean says why a server connection cannot be kept.
var errUnclean = errors.New("it is in the middle of an answer")

// clean reports whether a server connection can be given to somebody else.
func (k *link) clean() error {
	switch {
	case !k.ready:
		return errors.New("nobody has logged in on it")
	case len(k.leg.unread()) > 0 || k.dec.State() != mysqlwire.StateIdle:
		return errUnclean
	case k.leg.broken.Load():
		return errors.New("writing to it has failed")
	}
	return nil
}

// park makes a released connection free for others once its pump has ended, and watches it, so that
// it leaves the pool when the server closes it.
func (p *Proxy) park(sp *spare) {
	k := sp.link
	stopped := k.stopped
	p.sessions.Go(func() { // ends with the pump, which has been told to
		if stopped != nil {
			<-stopped
		}
		k.stopped = nil
		k.leg.restore()
		if err := k.clean(); err != nil {
			p.discard(sp, err)
			return
		}
		sp.stop = k.leg.watch(func(error) { // called while the pool has it, or while somebody is about to
			sp.gone.Store(true)
			if p.servers.drop(sp) {
				_ = k.raw.Close()
				p.Journal.Note(Info, 0, 0, "server %s closed an idle connection of %s (thread %d)", k.at.Address, sp.user, k.greeting.ConnectionID)
			}
		})
		p.servers.mu.Lock()
		sp.owner = nil
		closed := p.servers.closed
		p.servers.mu.Unlock()
		close(sp.free)
		p.Journal.ring()
		if closed && p.servers.drop(sp) {
			_ = k.raw.Close()
		}
	})
}

// discard closes a connection that was meant for the pool.
func (p *Proxy) discard(sp *spare, why error) {
	sp.gone.Store(true)
	p.servers.drop(sp)
	_ = sp.link.raw.Close()
	sp.stop = func() {}
	close(sp.free)
	p.Journal.Note(Warning, 0, 0, "a connection to %s does not go to the pool: %v", sp.link.at.Address, why)
}

// close closes all idle connections, for good.
func (r *registry) close() {
	r.mu.Lock()
	r.closed = true
	var idle []*spare
	for _, s := range r.list {
		idle = append(idle, s.idle...)
		s.idle = nil
	}
	r.mu.Unlock()
	for _, sp := range idle {
		_ = sp.link.raw.Close()
	}
}

// closedMeanwhile is what became of a pooled connection between its choice and its use.
type closedMeanwhile struct{ address, user string }

func (c *closedMeanwhile) Error() string {
	return fmt.Sprintf("server %s has closed the pooled connection of %s meanwhile", c.address, c.user)
}

// claim waits until a connection that was taken is nobody else's and ends the watch over it.
func (r *registry) claim(sp *spare) error {
	<-sp.free
	sp.stop()
	if sp.gone.Load() || len(sp.link.leg.unread()) > 0 {
		_ = sp.link.raw.Close()
		r.change(sp.link.at.index, func(at *server) { at.clients-- })
		return &closedMeanwhile{sp.link.at.Address, sp.user}
	}
	return nil
}
