package sessions

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions/pcapng"
)

// Copier writes exchanges of an open file to another one, with the times of the original: of a recording both legs and
// what was decided, of somebody's capture what the client said and got. It holds one exchange of each connection.
type Copier struct {
	w     io.Writer
	both  bool
	part  part // only its writer of blocks
	conns map[intercept.ConnID]*copied
}

// copied is a connection as it is written.
type copied struct {
	*recorded
	conn     *Conn
	server   bool // it has a leg to the server
	last     time.Time
	commands uint64 // of the client
	queries  uint64 // on the leg to the server

	now   *Record // whose command has been written, and nothing else of it
	added []*Record
}

// NewCopier begins a file for exchanges of r.
func NewCopier(w io.Writer, r *Reader) *Copier {
	c := &Copier{w: w, both: r.Recording(), conns: map[intercept.ConnID]*copied{}}
	c.part.out.Section(application)
	c.part.out.Interface("client", pcapng.LinkRaw)
	if c.both {
		c.part.out.Interface("server", pcapng.LinkRaw)
		c.say(&note{Type: noteRecording, Version: formatVersion, At: time.Now()})
	}
	return c
}

// say writes a custom block.
func (c *Copier) say(n *note) {
	if b, err := json.Marshal(n); err == nil { // there is nothing in it that JSON cannot say
		c.part.out.Custom(enterprise, b)
	}
}

// Write adds an exchange of a connection. A connection's exchanges come in order; its login is written with the first. What
// mydbg added to an exchange belongs to that, and is left out without it.
func (c *Copier) Write(rec *Record, conn *Conn, decisions []Decision) error {
	to := c.conns[conn.ID]
	if rec.Parent != 0 {
		if to != nil && to.server && to.now != nil && to.now.Seq == rec.Parent {
			to.added = append(to.added, rec)
		}
		return nil
	}
	if to == nil {
		to = &copied{recorded: &recorded{part: &c.part}, conn: conn}
		c.conns[conn.ID] = to
		c.open(to, rec, conn)
	}
	c.finish(to)
	to.commands++
	for i := range decisions {
		to.remark(decisions[i].String())
	}
	b, _ := mysqlwire.AppendPacket(nil, rec.Received.Payload, 0)
	to.data(intercept.ClientLeg, mysqlwire.ToServer, to.at(rec, rec.Begun), b)
	for i := range decisions {
		if c.both {
			c.say(&note{Type: noteDecision, Conn: conn.ID, At: decisions[i].At, Command: to.commands, Decision: &decisions[i]})
		}
	}
	to.now = rec
	return c.flush()
}

// at is a time of an exchange for a packet.
func (to *copied) at(rec *Record, t time.Time) int64 {
	if t.IsZero() {
		t = rec.Begun
	}
	to.last = t
	return t.UnixNano()
}

// finish writes what followed the command under way.
func (c *Copier) finish(to *copied) {
	rec := to.now
	if rec == nil {
		return
	}
	to.now = nil
	if to.server {
		asked := to.added
		if unsent := rec.Delivered != nil && len(rec.Answer.Packets) == 0 && rec.Command.Answered(); !unsent {
			asked = append(asked, rec)
		}
		slices.SortStableFunc(asked, func(a, b *Record) int { return sentAt(a).Compare(sentAt(b)) })
		for _, x := range asked {
			c.asked(to, x)
		}
	}
	to.added = nil
	to.answer(intercept.ClientLeg, rec, rec.Got())
	const plain = intercept.MarkPartial | intercept.MarkOpaque
	if c.both && (rec.Marks&^plain != 0 || rec.By != "" || rec.HeldFor != 0) {
		c.say(&note{Type: noteExchange, Conn: to.conn.ID, Command: to.commands, Marks: namesOf(rec.Marks), By: rec.By, Held: rec.HeldFor})
	}
}

// sentAt is when the server was asked.
func sentAt(rec *Record) time.Time {
	if t := rec.Exchange.Sent; !t.IsZero() {
		return t
	}
	return rec.Begun
}

// asked writes what the server got for an exchange, and said.
func (c *Copier) asked(to *copied, rec *Record) {
	packets := rec.Detail.Sent
	if len(packets) == 0 {
		packets = []mysqlwire.Packet{rec.Received}
	}
	if rec.Parent != 0 || rec.Detail.Sent != nil {
		origin := rec.Origin
		c.say(&note{Type: noteQuery, Conn: to.conn.ID, Query: &queryNote{to.queries + 1, origin.String(), rec.Parent == 0, rec.By}})
	}
	for _, p := range packets {
		to.queries++
		b, _ := mysqlwire.AppendPacket(nil, p.Payload, 0)
		to.data(intercept.ServerLeg, mysqlwire.ToServer, to.at(rec, sentAt(rec)), b)
	}
	to.answer(intercept.ServerLeg, rec, &rec.Answer)
}

// answer writes what came back on a leg.
func (to *copied) answer(leg intercept.Leg, rec *Record, answer *mysqlwire.Answer) {
	if len(answer.Packets) == 0 || answer.Partial {
		return
	}
	rest, seq := *answer, uint8(1)
	if len(answer.Packets) > 1 {
		var first []byte
		first, seq = mysqlwire.AppendPacket(nil, answer.Packets[0].Payload, seq)
		to.data(leg, mysqlwire.ToClient, to.at(rec, rec.First), first)
		rest.Packets = answer.Packets[1:]
	}
	b, _ := rest.AppendFrames(nil, seq)
	to.data(leg, mysqlwire.ToClient, to.at(rec, rec.Ended), b)
}

// open writes what opens a connection, and its login.
func (c *Copier) open(to *copied, rec *Record, conn *Conn) {
	opened := conn.Opened
	if opened.IsZero() || opened.After(rec.Begun) {
		opened = rec.Begun
	}
	at := opened.UnixNano()
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
	server := conn.Listen
	if server == "" {
		server = conn.Backend
	}
	c.leg(to, intercept.ClientLeg, conn.Client, server, at, &info)
	if c.both && conn.Backend != "" && !conn.Marks.Has(NoServer) {
		to.server = true
		c.leg(to, intercept.ServerLeg, "", conn.Backend, at, &info)
	}
	if c.both {
		c.say(&note{Type: noteLogin, Conn: conn.ID, ClientTLS: conn.ClientTLS, ServerTLS: conn.ServerTLS, Plugin: conn.AuthPlugin})
	}
}

// leg opens one of a connection's streams.
func (c *Copier) leg(to *copied, leg intercept.Leg, client, server string, at int64, info *intercept.ConnInfo) {
	l := &to.legs[leg]
	l.open, l.ends = true, endsOf(client, server, to.conn.ID, int(leg))
	if c.both {
		n := &note{Type: noteOpen, Conn: to.conn.ID, At: time.Unix(0, at), Leg: leg.String(), From: l.ends[0].String(), To: l.ends[1].String()}
		if leg == intercept.ClientLeg {
			n.Client, n.Listen = to.conn.Client, to.conn.Listen
		} else {
			n.Backend = to.conn.Backend
		}
		c.say(n)
	}
	to.segment(leg, mysqlwire.ToServer, at, flagSYN, nil)
	to.segment(leg, mysqlwire.ToClient, at, flagSYN|flagACK, nil)
	to.segment(leg, mysqlwire.ToServer, at, flagACK, nil)
	to.login(nil, leg, at, info)
}

// Close writes what is left, and ends the connections that ended.
func (c *Copier) Close() error {
	for _, to := range c.conns {
		c.finish(to)
		if to.conn.Closed.IsZero() {
			continue
		}
		at := max(to.conn.Closed.UnixNano(), to.last.UnixNano())
		if c.both {
			c.say(&note{Type: noteClose, Conn: to.conn.ID, At: time.Unix(0, at), Cause: to.conn.Cause})
		}
		for leg := range to.legs {
			to.recorded.finish(intercept.Leg(leg), at)
		}
	}
	return c.flush()
}

func (c *Copier) flush() error {
	_, err := c.w.Write(c.part.out.Buf)
	c.part.out.Buf = c.part.out.Buf[:0]
	return err
}
