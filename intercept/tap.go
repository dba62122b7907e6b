package intercept

import (
	"time"

	"mydbg/mysqlwire"
)

// Tap learns what crosses and what was decided, for recording. Its methods are called from the
// goroutines of sessions: they must not wait and must not keep slices. What happens on one connection
// is told in order.
type Tap interface {
	Opened(c *Conn)
	// Connected is told, before any bytes of it, that the server leg is now this connection.
	Connected(c *Conn, k *Connected)
	// Bytes are what one leg read or wrote, TLS and compression undone. Logins are in it: mask them.
	Bytes(c *Conn, l Leg, d mysqlwire.Direction, b []byte)
	// Decided is told of verdicts that changed or delayed something, and of events that were held.
	Decided(c *Conn, d *Decision)
	// Queried is told, before its bytes, of a query that is not simply the client's command.
	Queried(c *Conn, q *Queried)
	// Finished is told of a client's exchange that is over. command is its number on the connection,
	// from 1.
	Finished(c *Conn, x *Exchange, command uint64)
	// Noted is told of a notice: scripts' output is among them.
	Noted(n *Notice)
	Closed(c *Conn, cause error)
}

// Leg names one side of a connection.
type Leg uint8

const (
	ClientLeg Leg = iota
	ServerLeg
)

func (l Leg) String() string { return [...]string{"client", "server"}[l] }

// Connected is a connection to a server that a session has got.
type Connected struct {
	From, To string // our end, and the server's, as the network has them
	Backend  string // its address as configured
	LoggedIn bool   // it was somebody's before: its login is not seen
}

// Decision is a verdict as it was carried out.
type Decision struct {
	Point    Point
	Exchange Seq    // 0 outside the command phase
	Command  uint64 // number of the exchange's command on the connection; 0 outside the command phase
	At       time.Time
	Held     time.Duration
	Verdict  Verdict
}

// Queried is a query that the proxy sends of its own accord or changed.
type Queried struct {
	Number uint64 // of the commands that the server got on this connection, from 1
	Origin Origin
	Main   bool // its answer is that of the client's command
	By     string
}

// tap is where sessions report to; it does nothing without a Tap.
type tap struct {
	to Tap
}

func (t tap) decided(s *session, ev *Event, held time.Duration, v *Verdict) {
	if t.to == nil || held == 0 && !v.Touches() {
		return
	}
	d := Decision{Point: ev.Point, Exchange: ev.Exchange, At: time.Now(), Held: held, Verdict: *v}
	if ev.Exchange != 0 {
		d.Command = s.conn.commands.Load()
	}
	t.to.Decided(s.conn, &d)
}

func (t tap) connected(s *session, k *link) {
	if t.to == nil {
		return
	}
	p := k.peer()
	t.to.Connected(s.conn, &Connected{From: p.Src, To: addressText(k.raw.RemoteAddr()), Backend: k.at.Address, LoggedIn: k.ready})
}

// queried is told of every query that is about to be sent.
func (t tap) queried(s *session, q *Query, main bool) {
	s.queries++
	if t.to == nil || q.Origin == FromClient && main && s.final.Queries == nil {
		return
	}
	t.to.Queried(s.conn, &Queried{Number: s.queries, Origin: q.Origin, Main: main, By: s.final.By})
}
