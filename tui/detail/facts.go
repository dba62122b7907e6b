package detail

import (
	"fmt"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/tui/sqlview"
	"mydbg/tui/theme"
)

// facts are what a subject is about, as far as it is cheap to say.
type facts struct {
	empty   bool
	title   string // "#1380 read_query"
	command string // "COM_STMT_EXECUTE"; "" outside the command phase
	point   intercept.Point

	received  *mysqlwire.Packet  // the command or the login packet; nil without one
	cx        *mysqlwire.Context // decodes it and the answer
	parts     []part             // all packets there are, in order
	answer    *mysqlwire.Answer  // what the client gets or got
	statement statement
	missing   string // what is not there to be shown, and why

	laid map[layout][]string // the statement's first lines, made once
	tags *string
	sum  *mysqlwire.Summary // of a held answer
}

// layout is how the first lines of a statement are laid out.
type layout struct {
	w   int
	one bool // in one line, wrapped
}

// headLines are the first lines of the statement.
func (f *facts) headLines(th *theme.Theme, l layout) []string {
	lines, ok := f.laid[l]
	if !ok {
		text := sqltext.Format(f.statement.head())
		if l.one {
			text = sqltext.OneLine(f.statement.head())
		}
		lines = sqlview.Lines(th, sqlview.SQL, text, l.w)
		if len(f.laid) > 8 || f.laid == nil {
			f.laid = map[layout][]string{}
		}
		f.laid[l] = lines
	}
	return lines
}

// tagText is the tags in the statement's comments.
func (f *facts) tagText() string {
	if f.tags == nil {
		text := tagsOf(sqltext.Parse(firstOf(f.statement.sql, headSQL)).Comments)
		f.tags = &text
	}
	return *f.tags
}

// summary counts a held answer.
func (f *facts) summary(a *mysqlwire.Answer) *mysqlwire.Summary {
	if f.sum == nil {
		sum, _ := a.Summary(f.cx)
		f.sum = &sum
	}
	return f.sum
}

// part is packets that belong together.
type part struct {
	name    string // "command", "answer", …
	note    string // who it is from and what else there is to say
	packets []mysqlwire.Packet
	cx      mysqlwire.Context
	seq     int    // sequence number of the first packet's first frame; -1 is not known
	cut     string // what is missing at its end
	full    int    // length of a packet of which only the beginning is kept, 0 for others
}

// event reports whether there is more than a connection.
func (f *facts) event() bool { return f.title != "" && (f.point != 0 || f.command != "") }

// about is what the subject is about.
func (m *Model) about() *facts {
	if m.facts != nil {
		return m.facts
	}
	f := &facts{}
	m.facts = f
	switch s := &m.s; {
	case s.Held != nil && s.Held.Event != nil:
		f.held(s)
	case s.Detail != nil:
		f.exchange(s)
	case s.Conn.ID != 0:
		f.title = fmt.Sprintf("connection #%d", s.Conn.ID)
	default:
		f.empty = true
	}
	return f
}

func (f *facts) held(s *Subject) {
	h := s.Held
	f.point, f.cx = h.Point, h.Context
	f.title = fmt.Sprintf("#%d %s", h.Exchange, h.Point)
	if h.Exchange == 0 {
		f.title = fmt.Sprintf("connection #%d %s", s.Conn.ID, h.Point)
	}
	if f.cx == nil {
		f.cx = &mysqlwire.Context{}
	}
	switch h.Point {
	case rule.ReadQueryResult:
		if h.File != nil {
			f.heldFile(s)
			break
		}
		f.heldResult(s)
	case rule.ReadQuery:
		f.command = h.Command().String()
		f.statement = statementOf(h.Kind, h.Packet, f.cx, h.SQL, h.Stmt)
		f.heldPacket(h, "command", "from client", 0)
		changed := effectOf(h, s.Draft)
		f.toSend(&changed)
		f.answer = changed.answer
	default:
		if h.Packet != nil {
			from := "from server"
			if h.Dir == mysqlwire.ToServer {
				from = "from client"
			}
			f.heldPacket(h, h.Kind.String(), from, loginSeq(h.Kind, &s.Conn))
			changed := effectOf(h, s.Draft)
			f.toSend(&changed)
			f.answer = changed.answer
		} else {
			f.missing = noPacket(h.Point)
		}
	}
}

// noPacket says why an event has no bytes.
func noPacket(p intercept.Point) string {
	switch p {
	case rule.ConnectServer:
		return "Nothing has been sent yet: the client has connected and waits for the greeting."
	case rule.Disconnect:
		return "The connection is over: there is nothing left to send."
	}
	return "There is no packet at this event."
}

// loginSeq is the sequence number of a login's packet, as far as it is certain.
func loginSeq(k mysqlwire.Kind, c *intercept.ConnInfo) int {
	switch {
	case k == mysqlwire.KindGreeting, k.IsCommand():
		return 0
	case k == mysqlwire.KindLogin && c.ClientTLS != "": // the request for TLS was 1
		return 2
	case k == mysqlwire.KindLogin:
		return 1
	}
	return -1
}

func (f *facts) heldPacket(h *intercept.Held, name, from string, seq int) {
	p := mysqlwire.Packet{Kind: h.Kind, Payload: mysqlwire.BlankPayload(h.Kind, h.Packet, h.Context)}
	f.received = &p
	part := part{name: name, note: from, packets: []mysqlwire.Packet{p}, cx: *f.cx, seq: seq}
	if !h.Whole() {
		part.full = h.PacketLen
		all := ""
		if len(h.Packet) < mysqlwire.MaxFrame { // of more than a frame the length is not known yet
			all = " of " + bytesOf(h.PacketLen)
		}
		part.cut = fmt.Sprintf("only the first %s%s are kept here; the rest streams and cannot be edited", bytesOf(len(h.Packet)), all)
	}
	f.parts = append(f.parts, part)
}

func (f *facts) heldResult(s *Subject) {
	h := s.Held
	kind := h.Command().Kind()
	if len(h.Query.Packet) > 0 {
		f.command = h.Command().String()
		p := mysqlwire.Packet{Kind: kind, Payload: mysqlwire.BlankPayload(kind, h.Query.Packet, h.Context)}
		f.statement = statementOf(kind, h.Query.Packet, f.cx, h.SQL, h.Stmt)
		f.parts = append(f.parts, part{name: "command", note: "from " + h.Query.Origin.String() + ", sent to the server", packets: []mysqlwire.Packet{p}, cx: *f.cx})
	} else {
		f.statement = statementOf(kind, nil, f.cx, h.SQL, h.Stmt)
	}
	if h.Answer == nil {
		f.missing = "The answer was too large to be kept or not waited for: it has gone to the client already."
		return
	}
	f.addAnswer("answer", "from server", h.Answer)
	f.answer = h.Answer
	changed := effectOf(h, s.Draft)
	if changed.answer != nil && changed.answer != h.Answer {
		f.addAnswer("to send", "to client instead, "+changed.who(), changed.answer)
		f.answer = changed.answer
	}
}

// heldFile is a server's request for a file, behind the command that it belongs to.
func (f *facts) heldFile(s *Subject) {
	h := s.Held
	kind := h.Command().Kind()
	f.command = h.Command().String()
	f.statement = statementOf(kind, h.Query.Packet, f.cx, h.SQL, h.Stmt)
	note := "from server"
	if !h.File.Named {
		note += ": the statement does not name this file"
	}
	f.heldPacket(h, "file request", note, -1)
	changed := effectOf(h, s.Draft)
	f.toSend(&changed)
	f.answer = changed.answer
}

func (f *facts) addAnswer(name, note string, a *mysqlwire.Answer) {
	p := part{name: name, note: note, packets: a.Packets, cx: *f.cx, seq: 1}
	p.cx.Command = a.Command
	if a.Partial {
		p.cut = "the rest of the answer was not kept"
	}
	f.parts = append(f.parts, p)
}

// toSend adds what goes out instead of the packet received.
func (f *facts) toSend(e *effect) {
	var packets []mysqlwire.Packet
	switch {
	case e.packet != nil:
		packets = []mysqlwire.Packet{{Kind: f.received.Kind, Payload: mysqlwire.BlankPayload(f.received.Kind, e.packet, f.cx)}}
	default:
		packets = packetsOf(e.queries, f.cx)
	}
	if len(packets) > 0 {
		to := "to server"
		if f.received.Kind == mysqlwire.KindLocalInfile || f.received.Kind == mysqlwire.KindGreeting {
			to = "to client"
		}
		f.parts = append(f.parts, part{name: "to send", note: to + " instead, " + e.who(), packets: packets, cx: *f.cx, seq: f.parts[0].seq})
	}
	if e.answer != nil {
		f.addAnswer("answer", "to client in the server's place, "+e.who(), e.answer)
	}
}

func packetsOf(queries []intercept.Query, cx *mysqlwire.Context) []mysqlwire.Packet {
	var packets []mysqlwire.Packet
	for _, q := range queries {
		if len(q.Packet) > 0 {
			k := mysqlwire.Command(q.Packet[0]).Kind()
			packets = append(packets, mysqlwire.Packet{Kind: k, Payload: mysqlwire.BlankPayload(k, q.Packet, cx)})
		}
	}
	return packets
}

// cutCommand is how long a command is when it is what the journal had to cut: nearly all it keeps of
// an exchange.
const cutCommand = 60 << 10

func (f *facts) exchange(s *Subject) {
	d := s.Detail
	f.title = fmt.Sprintf("#%d", d.Seq)
	f.command = d.Title()
	f.cx = d.Context
	if f.cx == nil {
		f.cx = &mysqlwire.Context{}
	}
	f.statement = statementOf(d.Received.Kind, d.Received.Payload, f.cx, d.SQL, d.Stmt)
	f.statement.total = max(f.statement.total, d.SQLLen)
	switch {
	case d.Missing:
		f.missing = "The bytes of this exchange are gone: the journal keeps those of the newest exchanges only. A recording keeps all."
		return
	case d.State == intercept.InFlight:
		f.missing = "Its bytes are shown when the answer has come."
	case d.Cut:
		f.missing = "The exchange was longer than the journal keeps: only its beginning is shown. A recording keeps all."
	}
	if len(d.Received.Payload) > 0 {
		p := d.Received
		p.Payload = mysqlwire.BlankPayload(p.Kind, p.Payload, f.cx)
		f.received = &p
		note := "from client"
		if d.Parent != 0 {
			note = fmt.Sprintf("injected by %s for #%d", d.Origin, d.Parent)
		}
		part := part{name: "command", note: note, packets: []mysqlwire.Packet{p}, cx: *f.cx}
		if d.Cut && len(p.Payload) >= cutCommand {
			part.seq, part.cut = -1, "the rest of the command was not kept"
		}
		f.parts = append(f.parts, part)
	}
	if len(d.Sent) > 0 {
		var packets []mysqlwire.Packet
		for _, p := range d.Sent {
			p.Payload = mysqlwire.BlankPayload(p.Kind, p.Payload, f.cx)
			packets = append(packets, p)
		}
		f.parts = append(f.parts, part{name: "sent", note: "to server instead" + by(d.By), packets: packets, cx: *f.cx})
	}
	if len(d.Answer.Packets) > 0 {
		f.addAnswer("answer", "from server", &d.Answer)
		f.answer = &d.Answer
	}
	if len(d.Uploaded) > 0 {
		p := part{name: "file", note: "from client: " + d.Upload.Text(), packets: d.Uploaded, cx: *f.cx, seq: -1}
		if n := packetBytes(d.Uploaded); uint64(n) < d.Upload.Bytes {
			p.cut = fmt.Sprintf("only the first %s of the file are kept", bytesOf(n))
		}
		f.parts = append(f.parts, p)
	}
	if d.Delivered != nil && len(d.Delivered.Packets) > 0 {
		f.addAnswer("delivered", "to client instead"+by(d.By), d.Delivered)
		f.answer = d.Delivered
	}
}

func packetBytes(packets []mysqlwire.Packet) int {
	n := 0
	for _, p := range packets {
		n += len(p.Payload)
	}
	return n
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return ", by " + who
}
