package intercept

import (
	"mydbg/mysqlwire"
)

// loginRow lists a login that failed among the exchanges, as one of COM_CONNECT, the number that servers
// give a connection at its login. A login that succeeds has no row: the connection is it.
func (s *session) loginRow(r *LoginReport) {
	x := Exchange{
		Conn: s.conn.ID, Command: mysqlwire.ComConnect, Begun: s.conn.Opened, Ended: r.At, State: Done, HeldFor: s.held,
		Note: r.Title(), Counts: Counts{Error: r.Error},
	}
	if s.held > 0 {
		x.Marks |= MarkPaused
	}
	var c capture
	cx := mysqlwire.Context{Caps: mysqlwire.Protocol41, Command: x.Command}
	if r.Error == nil { // somebody left without a word
		x.State = Gone
	} else if b, err := r.Error.Encode(nil, &cx); err == nil {
		x.First, x.BytesOut = r.At, uint64(mysqlwire.HeaderLen+len(b))
		c.packet(stageAnswer, mysqlwire.KindERR, b)
	}
	s.proxy.Journal.begin(&x, "")
	s.proxy.Journal.finish(&x, &c, &cx, nil)
}

// loginName is a login's command in conditions.
const loginName = "connect"

// Login reports whether the exchange is a login that failed rather than a command.
func (x *Exchange) Login() bool {
	return x.Command == mysqlwire.ComConnect && x.BytesIn == 0 && x.Origin == FromClient
}
