package intercept

import (
	"time"

	"mydbg/mysqlwire"
)

// reasons are why servers speak to a client that has not asked anything: before they close.
var reasons = map[uint16]string{
	1053: "the server shuts down",
	1152: "the server gave the connection up",
	1153: "the client sent more than max_allowed_packet",
	1159: "the server waited for the client longer than its time limits allow",
	1161: "the client did not read what the server sent",
	1927: "somebody killed the connection",
	3032: "the server was put into offline mode",
	3169: "somebody killed the connection",
	4031: "the connection was idle for longer than wait_timeout",
}

// unasked makes what a server says of its own accord an exchange of its own: it has crossed.
func (s *session) unasked(in *incoming) {
	n := &s.now
	x := Exchange{
		Conn: s.conn.ID, Origin: FromServer, Begun: n.timing.First, First: n.timing.First, State: Done, Marks: MarkUnasked,
		Note: "the server spoke unasked", Counts: n.counts,
	}
	x.BytesOut = uint64(mysqlwire.HeaderLen + in.first.Len)
	if e := n.counts.Error; e != nil {
		if known, ok := mysqlwire.ErrorByCode(e.Code); ok {
			x.Note = known.Symbol
		}
		if why := reasons[e.Code]; why != "" {
			x.Note += ": " + why
		}
		s.note(Warning, "connection %d: the server says %v (%s)", s.conn.ID, e, x.Note)
	}
	x.Ended = time.Now()
	s.proxy.Journal.begin(&x, "")
	s.proxy.Journal.finish(&x, &s.kept, s.dec.Context(), nil)
	s.proxy.Breakpoints.finished(s.conn, &x)
	s.now = running{}
}

// Name is what the exchange began with, in the words of conditions: its command, or "unasked" for what a
// server said of its own accord.
func (x *Exchange) Name() string {
	if x.Origin == FromServer {
		return unaskedName
	}
	return x.Command.Short()
}

// Title is the command by MySQL's name, or that there was none.
func (x *Exchange) Title() string {
	if x.Origin == FromServer {
		return "said unasked"
	}
	if x.Login() {
		return "LOGIN"
	}
	return x.Command.String()
}

const unaskedName = "unasked"
