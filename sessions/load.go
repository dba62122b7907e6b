package sessions

import (
	"fmt"
	"io"
	"math"
	"slices"

	"mydbg/intercept"
	"mydbg/intercept/charset"
	"mydbg/mysqlwire"
)

// wholeAnswer is how much of an answer Record reads: any that can be held in memory with good sense.
const wholeAnswer = 1 << 30

// source is what is needed to read entries, taken while the index is locked and good without.
type source struct {
	file  io.ReaderAt
	legs  map[uint32]*legSource
	entry entry
	deps  []entry
	extra extra
	who   identity
}

// legSource is a leg: its streams by direction, with their segments alone.
type legSource struct {
	side    intercept.Leg
	flow    [2]flow
	caps    mysqlwire.Caps
	mariadb bool
}

// needs notes what is there of a leg.
func (src *source) needs(ix *index, n uint32) {
	if src.legs[n] != nil {
		return
	}
	l := ix.legs[n]
	s := &legSource{side: l.side, caps: l.dec.Caps(), mariadb: l.dec.MariaDB()}
	for d := range l.flow {
		s.flow[d] = flow{segments: l.flow[d].segments, end: l.flow[d].end}
	}
	src.legs[n] = s
}

// summary is an exchange without its texts, and where in file those are.
func (r *Reader) summary(file io.ReaderAt, s intercept.Seq) (Exchange, *source, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ix := &r.ix
	if s == 0 || uint64(s) > uint64(len(ix.entries)) {
		return Exchange{}, nil, noExchange(s, len(ix.entries))
	}
	i := int(s - 1)
	src := &source{file: file, legs: map[uint32]*legSource{}, entry: ix.entries[i], who: ix.identities[ix.entries[i].identity]}
	src.needs(ix, src.entry.leg)
	if n := src.entry.deps; n != 0 {
		for _, dep := range ix.deps[n+1 : n+1+ix.deps[n]] {
			e := ix.dep(dep)
			src.deps = append(src.deps, e)
			src.needs(ix, e.leg)
		}
	}
	if src.entry.extra != 0 {
		src.extra = ix.extras[src.entry.extra-1]
		if p := src.extra.server; p != nil {
			src.needs(ix, p.leg)
		}
	}
	return ix.summary(i), src, nil
}

func noExchange(s intercept.Seq, n int) error {
	return fmt.Errorf("%w: #%d of %d", ErrNoExchange, s, n)
}

// text fills in an exchange's statement and error, up to what summaries have of them.
func (src *source) text(x *Exchange) error {
	from := &src.entry
	switch x.Command {
	case mysqlwire.ComQuery, mysqlwire.ComStmtPrepare:
	case mysqlwire.ComStmtExecute, mysqlwire.ComStmtBulkExecute:
		if len(src.deps) == 0 {
			return src.fault(x)
		}
		from = &src.deps[0]
	default:
		return src.fault(x)
	}
	f := &src.legs[from.leg].flow[mysqlwire.ToServer]
	var head [mysqlwire.HeaderLen]byte
	f.read(src.file, from.command, head[:])
	n := mysqlwire.ParseHeader(head[:]).Len
	const attributes = 256 // query attributes in front of a text
	b := make([]byte, min(n, intercept.SQLPrefix+attributes))
	f.read(src.file, from.command+mysqlwire.HeaderLen, b)
	sql := ""
	if from.cmd == mysqlwire.ComQuery {
		var m mysqlwire.Query
		if m.Decode(b, &mysqlwire.Context{Caps: src.legs[from.leg].caps}) == nil {
			sql = m.SQL
			n -= len(b) - len(sql)
		}
	} else if len(b) > 0 {
		sql = string(b[1:])
		n--
	}
	cx := mysqlwire.Context{Texts: src.who.texts()}
	whole := n == len(sql)
	sql = cx.ClientText(sql)
	if x.SQLLen = max(n, len(sql)); whole {
		x.SQLLen = len(sql)
	}
	x.SQL = sql[:min(len(sql), intercept.SQLPrefix)]
	return src.fault(x)
}

// fault reads the message of the error that ends an answer, if it is the first packet of it.
func (src *source) fault(x *Exchange) error {
	if x.Error == nil {
		return nil
	}
	f := &src.legs[src.entry.leg].flow[mysqlwire.ToClient]
	var head [mysqlwire.HeaderLen]byte
	f.read(src.file, src.entry.answer, head[:])
	b := make([]byte, min(mysqlwire.ParseHeader(head[:]).Len, 4<<10))
	f.read(src.file, src.entry.answer+mysqlwire.HeaderLen, b)
	m := &mysqlwire.ERR{}
	if len(b) > 0 && b[0] == 0xff && m.Decode(b, &mysqlwire.Context{Caps: src.legs[src.entry.leg].caps}) == nil && m.Code == x.Error.Code {
		cx := mysqlwire.Context{Texts: src.who.texts()}
		m.Message = cx.ResultText(m.Message)
		x.Error = m
	}
	return nil
}

// load reads an exchange from file, of its answers at most limit bytes each.
func (r *Reader) load(file io.ReaderAt, s intercept.Seq, limit int) (*Record, error) {
	x, src, err := r.summary(file, s)
	if err != nil {
		return nil, err
	}
	if err := src.text(&x); err != nil {
		return nil, err
	}
	rec := &Record{User: x.User, DB: x.DB}
	rec.Exchange = x.Exchange
	rec.Answer.Command = x.Command
	own := src.pick(src.entry.place(), limit)
	if own.missing {
		rec.Marks |= intercept.MarkPartial
	}
	rec.Statement, rec.Stmt, rec.Context, rec.Cut = own.sql, own.stmt, own.context(), own.partial
	if len(own.commands) > 0 {
		rec.Received = own.commands[0]
	}
	if src.legs[src.entry.leg].side == intercept.ServerLeg { // the client saw nothing of it
		rec.Answer = own.answer
		rec.Delivered = &mysqlwire.Answer{Command: x.Command}
		return rec, nil
	}
	switch p := src.extra.server; {
	case src.extra.unsent:
		answer := own.answer
		rec.Delivered = &answer
	case p != nil:
		server := src.pick(*p, limit)
		rec.Answer, rec.Sent = server.answer, server.commands
		rec.Answer.Command = x.Command
		if !slices.EqualFunc(own.answer.Packets, server.answer.Packets, samePacket) {
			answer := own.answer
			rec.Delivered = &answer
		}
		if len(server.commands) == 1 && len(own.commands) == 1 && samePacket(server.commands[0], own.commands[0]) {
			rec.Sent = nil
		}
	default:
		rec.Answer = own.answer
	}
	return rec, nil
}

func samePacket(a, b mysqlwire.Packet) bool {
	return a.Kind == b.Kind && string(a.Payload) == string(b.Payload)
}

// pick reads an exchange of a leg, after what it needs to be understood.
func (src *source) pick(at place, limit int) *picker {
	leg := src.legs[at.leg]
	p := &picker{limit: limit}
	p.w = walker{src: src.file, on: p}
	p.w.dec.KeepColumns = true
	p.w.dec.Agree(leg.caps, leg.mariadb)
	p.w.dec.SetUser(src.who.user)
	p.w.dec.SetDB(src.who.db)
	p.w.dec.Charsets = charset.All
	p.w.dec.SetVariable("character_set_client", src.who.client)
	p.w.dec.SetVariable("character_set_results", src.who.results)
	for i := range src.deps {
		if l := src.legs[src.deps[i].leg]; l.side == leg.side {
			p.run(l, src.deps[i].place(), false)
		}
	}
	p.run(leg, at, true)
	return p
}

// picker is a watcher that keeps the packets of one exchange.
type picker struct {
	w        walker
	limit    int
	keep     bool
	over     bool
	size     int
	commands []mysqlwire.Packet
	answer   mysqlwire.Answer
	open     *mysqlwire.Packet // goes on in the frame that comes
	sql      string
	prepared string // text of the statement
	stmt     *mysqlwire.Stmt
	partial  bool
	missing  bool
}

// run reads the exchange at a place.
func (p *picker) run(leg *legSource, at place, keep bool) {
	p.keep, p.over = keep, false
	for d, pos := range [2]uint64{at.command, at.answer} {
		f := &p.w.flow[d]
		*f = leg.flow[d]
		f.pos = pos
	}
	p.w.dec.Ready()
	for !p.over {
		if !p.w.step(mysqlwire.ToServer) && !p.w.step(mysqlwire.ToClient) {
			break
		}
	}
	if keep && !p.over {
		p.partial, p.answer.Partial = true, true
	}
}

func (p *picker) begins(f mysqlwire.Frame, at uint64) int {
	if p.keep {
		p.packet(f, at+mysqlwire.HeaderLen)
	} else if f.Kind == mysqlwire.KindStmtPrepare && !f.Cont {
		return f.Len
	}
	return 0
}

// packet keeps a frame's payload, as far as it is there.
func (p *picker) packet(f mysqlwire.Frame, pos uint64) {
	from := &p.w.flow[f.Dir]
	n := f.Len
	if have := from.end - pos; uint64(n) > have {
		n, p.partial = int(have), true
	}
	if p.size+n > p.limit {
		p.answer.Partial, p.partial = true, true
		p.open = nil
		return
	}
	p.size += n
	b := make([]byte, n)
	if from.read(p.w.src, pos, b) {
		p.missing = true
	}
	if f.Cont && p.open != nil {
		p.open.Payload = append(p.open.Payload, b...)
		return
	}
	if f.Cont {
		return
	}
	list := &p.answer.Packets
	if f.Dir == mysqlwire.ToServer {
		list = &p.commands
		if f.Kind == mysqlwire.KindFileData || f.Kind == mysqlwire.KindAuthData {
			return
		}
	}
	if n < f.Len {
		p.answer.Partial = true
		if f.Dir == mysqlwire.ToClient {
			return
		}
	}
	*list = append(*list, mysqlwire.Packet{Kind: f.Kind, Payload: b})
	p.open = &(*list)[len(*list)-1]
}

func (p *picker) payload(f mysqlwire.Frame, b []byte) {
	if f.Kind == mysqlwire.KindStmtPrepare && !p.keep && len(b) == f.Len && len(b) > 0 {
		p.prepared = string(b[1:])
	}
}

func (p *picker) ends(f mysqlwire.Frame) {
	if p.keep && f.Begins && !f.More {
		p.understand()
	}
	if f.Ends {
		p.over = true
	}
}

// understand takes the statement while it is known: a close forgets it.
func (p *picker) understand() {
	c := p.commands[0]
	p.sql = p.w.dec.SQL(c.Kind, c.Payload)
	if p.sql != "" && p.prepared != "" {
		p.sql = p.prepared // whole
	}
	if st := p.w.dec.Stmt(stmtID(c)); st != nil {
		cp := *st
		cp.Params = slices.Clone(st.Params)
		p.stmt = &mysqlwire.Stmt{ID: st.ID, SQL: st.SQL, Cut: st.Cut, Params: cp.Params, NumColumns: st.NumColumns, Columns: st.Columns}
	}
}

// stmtID is the statement that a command names; one that none has for others.
func stmtID(c mysqlwire.Packet) uint32 {
	switch c.Kind {
	case mysqlwire.KindStmtExecute, mysqlwire.KindStmtBulkExecute, mysqlwire.KindStmtFetch, mysqlwire.KindStmtReset,
		mysqlwire.KindStmtClose, mysqlwire.KindStmtSendLongData:
		if b := c.Payload; len(b) >= 5 {
			return uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24
		}
	}
	return math.MaxUint32 - 1
}

func (p *picker) lost(error) { p.over, p.partial = true, true }

// context decodes the command and the answer.
func (p *picker) context() *mysqlwire.Context {
	cx := *p.w.dec.Context()
	if p.stmt != nil {
		cx.Params, cx.ParamsKnown = p.stmt.Params, true
		if len(cx.Columns) == 0 {
			cx.Columns = p.stmt.Columns
		}
	}
	return &cx
}
