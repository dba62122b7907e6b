package sessions

import (
	"io"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions/pcapng"
)

// Copier writes exchanges of an open file to another one, as a capture between client and mydbg: what the client said
// and got, with the times of the original. What was decided stands in comments of the packets.
type Copier struct {
	w     io.Writer
	part  part // only its writer of blocks
	conns map[intercept.ConnID]*recorded
	last  map[intercept.ConnID]time.Time
	were  map[intercept.ConnID]*Conn
}

// NewCopier begins a file.
func NewCopier(w io.Writer) *Copier {
	c := &Copier{w: w, conns: map[intercept.ConnID]*recorded{}, last: map[intercept.ConnID]time.Time{}, were: map[intercept.ConnID]*Conn{}}
	c.part.out.Section(application)
	c.part.out.Interface("client", pcapng.LinkRaw)
	return c
}

// Write adds an exchange of a connection. A connection's exchanges come in order; its login is written with the first.
func (c *Copier) Write(rec *Record, conn *Conn, decisions []Decision) error {
	to := c.conns[conn.ID]
	if to == nil {
		to = &recorded{part: &c.part}
		c.conns[conn.ID], c.were[conn.ID] = to, conn
		c.open(to, rec, conn)
	}
	for i := range decisions {
		to.remark(decisions[i].String())
	}
	at := func(t time.Time) int64 {
		if t.IsZero() {
			t = rec.Begun
		}
		c.last[conn.ID] = t
		return t.UnixNano()
	}
	b, _ := mysqlwire.AppendPacket(nil, rec.Received.Payload, 0)
	to.data(intercept.ClientLeg, mysqlwire.ToServer, at(rec.Begun), b)
	if answer := rec.Got(); len(answer.Packets) > 0 && !answer.Partial {
		rest, seq := *answer, uint8(1)
		if len(answer.Packets) > 1 {
			var first []byte
			first, seq = mysqlwire.AppendPacket(nil, answer.Packets[0].Payload, seq)
			to.data(intercept.ClientLeg, mysqlwire.ToClient, at(rec.First), first)
			rest.Packets = answer.Packets[1:]
		}
		b, _ := rest.AppendFrames(nil, seq)
		to.data(intercept.ClientLeg, mysqlwire.ToClient, at(rec.Ended), b)
	}
	return c.flush()
}

// open writes what opens a connection, and its login.
func (c *Copier) open(to *recorded, rec *Record, conn *Conn) {
	const leg = intercept.ClientLeg
	opened := conn.Opened
	if opened.IsZero() || opened.After(rec.Begun) {
		opened = rec.Begun
	}
	at := opened.UnixNano()
	server := conn.Listen
	if server == "" {
		server = conn.Backend
	}
	l := &to.legs[leg]
	l.open, l.ends = true, endsOf(conn.Client, server, conn.ID, int(leg))
	to.segment(leg, mysqlwire.ToServer, at, flagSYN, nil)
	to.segment(leg, mysqlwire.ToClient, at, flagSYN|flagACK, nil)
	to.segment(leg, mysqlwire.ToServer, at, flagACK, nil)
	info := conn.ConnInfo
	if conn.Login != nil {
		info.Caps = conn.Login.Caps
		if conn.Greeting != nil {
			info.Caps &= conn.Greeting.Caps
		}
		info.DB = conn.Login.DB
	} else if rec.Context != nil {
		info.Caps = rec.Context.Caps
	}
	if conn.Login != nil || info.User == "" {
		info.User = rec.User
	}
	to.login(nil, leg, at, &info)
}

// Close ends the connections that ended.
func (c *Copier) Close() error {
	for id, to := range c.conns {
		if conn := c.were[id]; !conn.Closed.IsZero() {
			to.finish(intercept.ClientLeg, max(conn.Closed.UnixNano(), c.last[id].UnixNano()))
		}
	}
	return c.flush()
}

func (c *Copier) flush() error {
	_, err := c.w.Write(c.part.out.Buf)
	c.part.out.Buf = c.part.out.Buf[:0]
	return err
}
