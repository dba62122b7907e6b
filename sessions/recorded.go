package sessions

import (
	"net/netip"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions/pcapng"
)

// recorded is a connection as it is written. It belongs to the writer's goroutine.
type recorded struct {
	c        *intercept.Conn
	legs     [2]recordedLeg
	part     *part  // the file that it is written to; nil while it is written to none
	ready    bool   // its login has been said
	finished uint64 // number of the command that ended last
	server   intercept.Connected
	comment  string
}

// recordedLeg is one of its TCP streams.
type recordedLeg struct {
	open bool              // SYN has been written
	ends [2]netip.AddrPort // by who sends: mysqlwire.ToServer is the client's
	seq  [2]uint32         // next, by direction
	wash washer

	stmts preparedStmts
}

func newRecorded(c *intercept.Conn) *recorded { return &recorded{c: c} }

func (c *recorded) remark(comment string) {
	if c.comment != "" {
		c.comment += "\n"
	}
	c.comment += comment
}

// attach begins to write a connection to the current file. A connection that has begun before shows its
// login again.
func (c *recorded) attach(w *recordWriter, at int64, commands uint64, again bool) {
	c.part = w.current
	c.part.conns++
	c.part.fresh = append(c.part.fresh, c)
	for i := range c.legs {
		c.legs[i].open = false
	}
	info := c.c.Info()
	if again {
		w.say(c, &note{
			Type: noteContinued, Conn: c.c.ID, Command: commands, Client: info.Client, Listen: info.Listen, Backend: info.Backend,
			ClientTLS: info.ClientTLS, ServerTLS: info.ServerTLS, Plugin: info.AuthPlugin,
		})
	}
	c.legs[intercept.ClientLeg].ends = endsOf(info.Client, info.Listen, c.c.ID, 0)
	c.connect(w, intercept.ClientLeg, at, &info)
	if again {
		c.login(w, intercept.ClientLeg, at, &info)
		c.prepared(w, intercept.ClientLeg)
		if c.server.To != "" {
			c.connectServer(w, at)
			c.login(w, intercept.ServerLeg, at, &info)
			c.prepared(w, intercept.ServerLeg)
		}
	}
}

// prepared repeats the statements that a leg has open.
func (c *recorded) prepared(w *recordWriter, leg intercept.Leg) {
	for _, n := range c.legs[leg].stmts.notes(note{Conn: c.c.ID, Leg: leg.String()}) {
		w.say(c, n)
	}
}

// connected is told that the leg to the server is another connection.
func (c *recorded) connected(w *recordWriter, k *intercept.Connected, at int64) {
	c.server = *k
	l := &c.legs[intercept.ServerLeg]
	if l.open && c.part != nil {
		c.finish(intercept.ServerLeg, at)
	}
	*l = recordedLeg{}
	if !k.LoggedIn {
		return
	}
	info := c.c.Info()
	l.wash.resume(info)
	if c.part != nil {
		c.connectServer(w, at)
		c.login(w, intercept.ServerLeg, at, &info)
	}
}

// connectServer begins the leg to the server.
func (c *recorded) connectServer(w *recordWriter, at int64) {
	info := c.c.Info()
	c.legs[intercept.ServerLeg].ends = endsOf(c.server.From, c.server.To, c.c.ID, 1)
	c.connect(w, intercept.ServerLeg, at, &info)
}

// detach stops writing a connection. It begins anew at its next command.
func (c *recorded) detach() {
	if c.part != nil {
		c.part.conns--
	}
	c.part = nil
}

// endsOf makes the ends of a stream of two addresses. Sockets without any get some of 127.0.0.0/8.
func endsOf(client, server string, id intercept.ConnID, leg int) [2]netip.AddrPort {
	a, errA := netip.ParseAddrPort(client)
	b, errB := netip.ParseAddrPort(server)
	a, b = netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port()), netip.AddrPortFrom(b.Addr().Unmap().WithZone(""), b.Port())
	if errB != nil {
		b = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), defaultPort)
	}
	if errA != nil {
		n := uint64(id)
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1 + byte(leg), byte(n >> 24), byte(n >> 16)}), uint16(n))
	}
	if a.Addr().Is4() != b.Addr().Is4() { // IPv4 in IPv6 then
		a, b = netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port()), netip.AddrPortFrom(netip.AddrFrom16(b.Addr().As16()), b.Port())
	}
	return [2]netip.AddrPort{a, b}
}

// connect writes the three packets that open a stream.
func (c *recorded) connect(w *recordWriter, leg intercept.Leg, at int64, info *intercept.ConnInfo) {
	l := &c.legs[leg]
	n := &note{Type: noteOpen, Conn: c.c.ID, At: time.Unix(0, at), Leg: leg.String(), From: l.ends[0].String(), To: l.ends[1].String()}
	if leg == intercept.ClientLeg {
		n.At, n.Client, n.Listen = c.c.Opened, info.Client, info.Listen
	} else {
		n.Backend = c.server.Backend
	}
	w.say(c, n)
	l.open, l.seq = true, [2]uint32{}
	c.segment(leg, mysqlwire.ToServer, at, flagSYN, nil)
	c.segment(leg, mysqlwire.ToClient, at, flagSYN|flagACK, nil)
	c.segment(leg, mysqlwire.ToServer, at, flagACK, nil)
}

// login writes a login as it might have been, for a connection whose own is in another file or in none.
func (c *recorded) login(w *recordWriter, leg intercept.Leg, at int64, info *intercept.ConnInfo) {
	caps := info.Caps &^ hiddenCaps
	greeting, err1 := (&mysqlwire.Greeting{
		Version: info.Server, ConnectionID: info.Thread, Scramble: make([]byte, 20), Caps: caps, Status: info.Status, PluginName: info.AuthPlugin,
	}).Encode(nil, nil)
	login, err2 := (&mysqlwire.Login{
		Caps: caps, MaxPacket: 1 << 24, User: info.User, DB: info.DB, PluginName: info.AuthPlugin, Attrs: info.Attrs,
	}).Encode(nil, nil)
	ok, err3 := (&mysqlwire.OK{Status: info.Status &^ mysqlwire.StatusSessionStateChanged}).Encode(nil, &mysqlwire.Context{Caps: caps})
	if err1 != nil || err2 != nil || err3 != nil || info.Server == "" {
		return // a connection that has not logged in
	}
	for i, p := range [][]byte{greeting, login, ok} {
		b, _ := mysqlwire.AppendPacket(nil, p, byte(i))
		c.data(leg, mysqlwire.Direction(1-i%2), at, b)
	}
}

const hiddenCaps = mysqlwire.SSL | mysqlwire.Compress | mysqlwire.ZstdCompressionAlgorithm

// bytes takes what a leg read or wrote.
func (c *recorded) bytes(w *recordWriter, it *item, b []byte) {
	l := &c.legs[it.leg]
	wash := &l.wash
	wash.keep = w.o.KeepSecrets
	if it.dir == mysqlwire.ToServer && isCommand(b) {
		c.command(w, it)
	}
	if c.part != nil && !l.open && it.leg == intercept.ServerLeg {
		c.connectServer(w, it.at)
	}
	wash.wash(it.dir, b, func(b []byte) {
		switch {
		case !wash.ready:
		case it.dir == mysqlwire.ToServer:
			l.stmts.sent(b, wash.caps)
		default:
			l.stmts.got(b)
		}
		if c.part != nil {
			c.data(it.leg, it.dir, it.at, b)
		}
	})
	if !c.ready && it.leg == intercept.ClientLeg && wash.ready {
		c.ready = true
		info := c.c.Info()
		w.say(c, &note{Type: noteLogin, Conn: c.c.ID, ClientTLS: info.ClientTLS, ServerTLS: info.ServerTLS, Plugin: info.AuthPlugin})
	}
}

// command is told of bytes that begin with a command: where what was lost can be found again, and where
// a connection changes files.
func (c *recorded) command(w *recordWriter, it *item) {
	wash := &c.legs[it.leg].wash
	if wash.blind || wash.asleep {
		if info := c.c.Info(); info.Phase >= intercept.Ready { // it may be over by now
			wash.resume(info)
		}
	}
	if it.leg == intercept.ServerLeg || w.current == nil || c.part == w.current || c.part != nil && !c.idle(it.commands) {
		return
	}
	info := c.c.Info()
	if info.Phase < intercept.Ready {
		return
	}
	c.detach()
	c.attach(w, it.at, it.commands, true)
	c.finished = it.commands
	for leg := range c.legs {
		c.legs[leg].wash.resume(info)
	}
}

// idle reports whether no exchange was under way when so many had begun.
func (c *recorded) idle(commands uint64) bool {
	return commands == c.finished && c.legs[0].wash.clean() && c.legs[1].wash.clean()
}

// skip leaves a hole where bytes are.
func (c *recorded) skip(w *recordWriter, it *item) {
	l := &c.legs[it.leg]
	l.wash.lose(it.dir)
	l.stmts.lose()
	l.seq[it.dir] += uint32(it.lost)
	w.say(c, &note{Type: noteGap, Conn: c.c.ID, Leg: it.leg.String(), Bytes: it.lost})
}

// close ends the connection's streams.
func (c *recorded) close(w *recordWriter, cause string, at int64) {
	if c.part == nil {
		return
	}
	info := c.c.Info()
	w.say(c, &note{
		Type: noteClose, Conn: c.c.ID, At: time.Unix(0, at), Cause: cause, ClientTLS: info.ClientTLS, ServerTLS: info.ServerTLS, Plugin: info.AuthPlugin,
	})
	for leg := range c.legs {
		l := &c.legs[leg]
		for d := range l.seq {
			if rest := l.wash.rest(mysqlwire.Direction(d)); l.open && len(rest) > 0 {
				c.data(intercept.Leg(leg), mysqlwire.Direction(d), at, rest)
			}
		}
		c.finish(intercept.Leg(leg), at)
	}
	c.detach()
}

// finish writes the packets that end a stream.
func (c *recorded) finish(leg intercept.Leg, at int64) {
	if !c.legs[leg].open {
		return
	}
	c.segment(leg, mysqlwire.ToServer, at, flagFIN|flagACK, nil)
	c.segment(leg, mysqlwire.ToClient, at, flagFIN|flagACK, nil)
	c.segment(leg, mysqlwire.ToServer, at, flagACK, nil)
	c.legs[leg].open = false
}

// data writes bytes in segments that are not too long, cut between frames where they can be.
func (c *recorded) data(leg intercept.Leg, dir mysqlwire.Direction, at int64, b []byte) {
	for len(b) > 0 {
		n := cut(b)
		c.segment(leg, dir, at, flagPSH|flagACK, b[:n])
		b = b[n:]
	}
}

const mostOfSegment = 65_000 // what fits with headers into the length field of IPv4

// cut is where to cut bytes that, if they are many, begin with a frame.
func cut(b []byte) int {
	if len(b) <= mostOfSegment {
		return len(b)
	}
	at := 0
	for at+mysqlwire.HeaderLen <= len(b) {
		end := at + mysqlwire.HeaderLen + mysqlwire.ParseHeader(b[at:]).Len
		if end > mostOfSegment {
			break
		}
		at = end
	}
	if at == 0 {
		return mostOfSegment
	}
	return at
}

const (
	flagFIN = 1
	flagSYN = 2
	flagPSH = 8
	flagACK = 16
)

// segment writes a packet of a stream. Checksums are left out, which readers take for hardware's work.
func (c *recorded) segment(leg intercept.Leg, dir mysqlwire.Direction, at int64, flags byte, b []byte) {
	if c.part == nil {
		return
	}
	l := &c.legs[leg]
	from, to := l.ends[dir], l.ends[1-dir]
	var head [60]byte
	h := ipHeader(head[:0], from.Addr(), to.Addr(), len(b))
	seq, ack := l.seq[dir], l.seq[1-dir]
	h = append(
		h, byte(from.Port()>>8), byte(from.Port()), byte(to.Port()>>8), byte(to.Port()),
		byte(seq>>24), byte(seq>>16), byte(seq>>8), byte(seq), byte(ack>>24), byte(ack>>16), byte(ack>>8), byte(ack),
		5<<4, flags, 0xff, 0xff, 0, 0, 0, 0,
	)
	l.seq[dir] += uint32(len(b))
	if flags&(flagSYN|flagFIN) != 0 {
		l.seq[dir]++
	}
	way := pcapng.Outbound
	if (leg == intercept.ClientLeg) == (dir == mysqlwire.ToServer) {
		way = pcapng.Inbound
	}
	c.part.out.Packet(int(leg), at, way, h, b, c.comment)
	c.comment = ""
}

const tcpHeader = 20

// ipHeader appends an IP header for so many bytes behind a TCP header.
func ipHeader(h []byte, from, to netip.Addr, n int) []byte {
	if from.Is4() {
		n += 20 + tcpHeader
		h = append(h, 0x45, 0, byte(n>>8), byte(n), 0, 0, 0x40, 0, 64, 6, 0, 0)
		a, b := from.As4(), to.As4()
		h = append(append(h, a[:]...), b[:]...)
		own, sum := h[len(h)-20:], uint32(0)
		for i := 0; i < 20; i += 2 {
			sum += uint32(own[i])<<8 | uint32(own[i+1])
		}
		sum = sum&0xffff + sum>>16
		sum = ^(sum&0xffff + sum>>16)
		own[10], own[11] = byte(sum>>8), byte(sum)
		return h
	}
	n += tcpHeader
	h = append(h, 0x60, 0, 0, 0, byte(n>>8), byte(n), 6, 64)
	a, b := from.As16(), to.As16()
	return append(append(h, a[:]...), b[:]...)
}
