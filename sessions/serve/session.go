package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// maxPacket bounds what a client may send.
const maxPacket = 64 << 20

// session is one client.
type session struct {
	server *Server
	conn   net.Conn
	r      *bufio.Reader
	cx     mysqlwire.Context // what was agreed to
	user   string
	db     string
	seq    uint8
	at     place
	status mysqlwire.Status
	stmts  map[uint32]*prepared
	last   uint32
	real   Forwarder // nil before the first miss that is forwarded
}

// prepared is an open statement of a client.
type prepared struct {
	sql    string
	params []mysqlwire.Param // with the types of the last execute that sent them
	long   map[uint16][]byte
	cursor *item // of the last execute, for its fetches
	fetch  int
}

func newSession(s *Server, nc net.Conn) *session {
	return &session{server: s, conn: nc, r: bufio.NewReader(nc), status: mysqlwire.StatusAutocommit, stmts: map[uint32]*prepared{}}
}

func (c *session) close() {
	c.server.ix.leave(&c.at)
	if c.real != nil {
		_ = c.real.Close() // nothing is asked any more
	}
}

// command answers one command. An error ends the session.
func (c *session) command(ctx context.Context, b []byte) error {
	if len(b) == 0 {
		return c.fail(1047, "08S01", "mydbg serve: empty command")
	}
	cx := c.context(mysqlwire.Command(b[0]))
	switch cmd := mysqlwire.Command(b[0]); cmd {
	case mysqlwire.ComQuery:
		var m mysqlwire.Query
		if err := m.Decode(b, cx); err != nil {
			return c.fail(1835, "HY000", "mydbg serve: "+err.Error())
		}
		s := newStatement(m.SQL, nil)
		return c.answer(ctx, &s, b, false)
	case mysqlwire.ComStmtPrepare:
		return c.prepare(ctx, b)
	case mysqlwire.ComStmtExecute:
		return c.execute(ctx, b)
	case mysqlwire.ComStmtSendLongData:
		var m mysqlwire.StmtSendLongData
		if p := c.stmts[stmtID(b)]; p != nil && m.Decode(b, cx) == nil {
			p.long[m.Param] = append(p.long[m.Param], m.Data...)
		}
		return nil
	case mysqlwire.ComStmtFetch:
		return c.fetch(b)
	case mysqlwire.ComStmtClose:
		delete(c.stmts, stmtID(b))
		return nil
	case mysqlwire.ComStmtReset:
		p := c.stmts[stmtID(b)]
		if p == nil {
			return c.unknownStatement(b)
		}
		clear(p.long)
		return c.ok()
	case mysqlwire.ComInitDB:
		c.db = string(b[1:])
		return c.ok()
	case mysqlwire.ComResetConnection, mysqlwire.ComChangeUser:
		clear(c.stmts)
		c.status = mysqlwire.StatusAutocommit
		return c.ok()
	case mysqlwire.ComPing, mysqlwire.ComDebug, mysqlwire.ComRefresh, mysqlwire.ComProcessKill:
		return c.ok()
	case mysqlwire.ComSetOption:
		if !c.cx.Caps.Has(mysqlwire.DeprecateEOF) {
			p, err := packet(mysqlwire.KindEOF, &mysqlwire.EOF{Status: c.status}, cx)
			if err != nil {
				return err
			}
			return c.send(&mysqlwire.Answer{Packets: p})
		}
		return c.send(c.okAnswer(true))
	case mysqlwire.ComStatistics:
		return c.write([]byte("mydbg serve: answers from a recording"))
	default:
		if seq, ok := c.server.ix.packets[string(b)]; ok {
			rec, err := c.server.r.Record(seq)
			if err == nil {
				return c.send(rec.Got())
			}
		}
		return c.missed(ctx, &statement{text: cmd.String(), form: cmd.String()}, b, false)
	}
}

func stmtID(b []byte) uint32 {
	if len(b) < 5 {
		return 0
	}
	return uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24
}

func (c *session) unknownStatement(b []byte) error {
	return c.fail(1243, "HY000", fmt.Sprintf("Unknown prepared statement handler (%d) given to mydbg serve", stmtID(b)))
}

// answer gives the recorded answer to a statement.
func (c *session) answer(ctx context.Context, s *statement, b []byte, binary bool) error {
	it := c.server.ix.take(s, &c.at)
	if it == nil {
		return c.missed(ctx, s, b, binary)
	}
	rec, err := c.server.r.Record(it.seq)
	if err != nil {
		return c.fail(1105, "HY000", "mydbg serve: "+err.Error())
	}
	cx := *rec.Context
	cx.Command = rec.Command
	a, err := translate(rec.Got(), &cx, c.context(0), binary)
	if err != nil {
		return c.fail(1105, "HY000", fmt.Sprintf("mydbg serve: exchange %d: %v", it.seq, err))
	}
	if c.server.o.Latency {
		timer := time.NewTimer(rec.Took())
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c.follows(s.text)
	c.server.count(nil)
	return c.send(a)
}

// follows keeps the status that answers of our own have.
func (c *session) follows(sql string) {
	switch verb := sqltext.Parse(sql).Verb; verb {
	case "BEGIN", "START":
		c.status |= mysqlwire.StatusInTrans
	case "COMMIT", "ROLLBACK":
		c.status &^= mysqlwire.StatusInTrans
	}
}

// chatter tells the statements that only set a session up.
func chatter(sql string) bool {
	switch sqltext.Parse(sql).Verb {
	case "SET", "USE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return true
	}
	return false
}

// missed answers what is not recorded.
func (c *session) missed(ctx context.Context, s *statement, b []byte, binary bool) error {
	if chatter(s.text) {
		c.follows(s.text)
		return c.ok()
	}
	m := c.server.ix.miss(s)
	c.server.count(&m)
	switch c.server.o.OnMiss {
	case MissEmpty:
		return c.empty(s, binary)
	case MissForward:
		return c.forward(ctx, s, b, binary)
	}
	return c.fail(1105, "HY000", "mydbg serve: "+m.String())
}

// empty is an answer without rows. Its columns are those of another answer to a statement of that form, if there is one.
func (c *session) empty(s *statement, binary bool) error {
	switch sqltext.Parse(s.text).Verb {
	case "SELECT", "SHOW", "WITH", "TABLE", "VALUES", "EXPLAIN", "DESCRIBE", "DESC":
	default:
		return c.ok()
	}
	rs := &mysqlwire.ResultSet{Status: c.status, Columns: c.server.columns(s.form)}
	if len(rs.Columns) == 0 {
		rs.Columns = []mysqlwire.Column{mysqlwire.TextColumn("not recorded")}
	}
	a, err := rs.Answer(c.context(0), binary)
	if err != nil {
		return err
	}
	return c.send(a)
}

// columns are those of a recorded answer to a statement of a form; nil where there is none.
func (s *Server) columns(form string) []mysqlwire.Column {
	for _, it := range s.ix.byForm[form] {
		rec, err := s.r.Record(it.seq)
		if err != nil {
			continue
		}
		if results, err := rec.Results(); err == nil && len(results) > 0 && results[0].HasRows() {
			return results[0].Columns
		}
	}
	return nil
}

// forward asks the real server. A prepared statement goes there as text: that server never prepared it.
func (c *session) forward(ctx context.Context, s *statement, b []byte, binary bool) error {
	if c.real == nil {
		var err error
		if c.real, err = c.server.o.Forward(ctx, c.user, c.db); err != nil {
			return c.fail(2003, "HY000", "mydbg serve: not recorded, and forwarding failed: "+err.Error())
		}
	}
	if binary {
		b = append([]byte{byte(mysqlwire.ComQuery)}, s.bound...)
	}
	a, cx, err := c.real.Do(b)
	if err != nil {
		_ = c.real.Close() // it is broken
		c.real = nil
		return c.fail(2013, "HY000", "mydbg serve: not recorded, and forwarding failed: "+err.Error())
	}
	if a, err = translate(a, cx, c.context(0), binary); err != nil {
		return c.fail(1105, "HY000", "mydbg serve: "+err.Error())
	}
	return c.send(a)
}

func (c *session) prepare(ctx context.Context, b []byte) error {
	sql := string(b[1:])
	params := make([]mysqlwire.Column, sqltext.Markers(sql))
	for i := range params {
		params[i] = mysqlwire.TextColumn("?")
	}
	var columns []mysqlwire.Column
	var warnings uint16
	if seq, ok := c.server.ix.prepares[sql]; ok {
		rec, err := c.server.r.Record(seq)
		if err != nil {
			return c.fail(1105, "HY000", "mydbg serve: "+err.Error())
		}
		results, err := rec.Results()
		if err != nil || len(results) == 0 {
			return c.fail(1105, "HY000", fmt.Sprintf("mydbg serve: exchange %d cannot be read: %v", seq, err))
		}
		if e := results[0].ERR; e != nil {
			return c.fail(e.Code, e.SQLState, e.Message)
		}
		params, columns, warnings = results[0].Params, results[0].Columns, results[0].Warnings
	} else {
		_, form := sqltext.Digest(sql)
		columns = c.server.columns(form)
		if len(c.server.ix.byForm[form]) == 0 && !chatter(sql) && c.server.o.OnMiss == MissError {
			s := newStatement(sql, nil)
			return c.missed(ctx, &s, b, false)
		}
	}
	c.last++
	c.stmts[c.last] = &prepared{sql: sql, params: make([]mysqlwire.Param, len(params)), long: map[uint16][]byte{}}
	a, err := preparation(c.last, params, columns, warnings, c.context(0))
	if err != nil {
		return err
	}
	return c.send(a)
}

func (c *session) execute(ctx context.Context, b []byte) error {
	p := c.stmts[stmtID(b)]
	if p == nil {
		return c.unknownStatement(b)
	}
	cx := c.context(mysqlwire.ComStmtExecute)
	cx.Params, cx.ParamsKnown = slices.Clone(p.params), true
	for i := range cx.Params {
		_, cx.Params[i].Long = p.long[uint16(i)]
	}
	var m mysqlwire.StmtExecute
	if err := m.Decode(b, cx); err != nil {
		return c.fail(1835, "HY000", "mydbg serve: "+err.Error())
	}
	for i := range p.params {
		if m.NewParamsBound && i < len(m.Params) {
			p.params[i] = mysqlwire.Param{Type: m.Params[i].Type, Unsigned: m.Params[i].Unsigned, Bound: true}
		}
	}
	texts := paramTexts(&m, p.long)
	s := newStatement(p.sql, texts)
	s.bound = sqltext.Bind(p.sql, literals(&m, p.long))
	clear(p.long)
	p.cursor, p.fetch = nil, 0
	if list := c.server.ix.byKey[s.key()]; len(list) > 0 && len(list[0].fetches) > 0 {
		p.cursor = list[0]
	}
	return c.answer(ctx, &s, b, true)
}

// literals are parameters as SQL has them.
func literals(m *mysqlwire.StmtExecute, long map[uint16][]byte) []string {
	var out []string
	for i := range m.Params {
		p := &m.Params[i]
		if p.Name != "" {
			continue
		}
		v, err := p.Value()
		if p.Long {
			v = long[uint16(i)]
		}
		if err != nil {
			v = nil
		}
		out = append(out, value.Literal(v, p.Type))
	}
	return out
}

// fetch gives the next recorded rows of a cursor.
func (c *session) fetch(b []byte) error {
	p := c.stmts[stmtID(b)]
	if p == nil || p.cursor == nil || p.fetch >= len(p.cursor.fetches) {
		return c.fail(1421, "HY000", "mydbg serve: no more of this cursor is recorded")
	}
	rec, err := c.server.r.Record(p.cursor.fetches[p.fetch])
	if err != nil {
		return c.fail(1105, "HY000", "mydbg serve: "+err.Error())
	}
	p.fetch++
	return c.send(rec.Got())
}

// count counts an answer, or a miss.
func (s *Server) count(m *Miss) {
	s.mu.Lock()
	if m == nil {
		s.totals.Answered++
	} else {
		s.totals.Misses++
		s.totals.Missed[m.Form]++
	}
	s.mu.Unlock()
	if m != nil && s.o.Log != nil {
		s.o.Log(*m)
	}
}

// context is what decodes and encodes packets of a command.
func (c *session) context(cmd mysqlwire.Command) *mysqlwire.Context {
	cx := c.cx
	cx.Command = cmd
	return &cx
}

func (c *session) okAnswer(end bool) *mysqlwire.Answer {
	b, err := (&mysqlwire.OK{End: end, Status: c.status}).Encode(nil, c.context(0))
	if err != nil {
		panic(err) // it has no parts that could not be written
	}
	return &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: b}}}
}

func (c *session) ok() error { return c.send(c.okAnswer(false)) }

func (c *session) fail(code uint16, state, message string) error {
	return c.send(mysqlwire.ERRAnswer(code, state, message).WithCaps(c.cx.Caps | mysqlwire.Protocol41))
}

// send sends an answer. Where it asks for a file, the client's is taken and forgotten before the rest goes out.
func (c *session) send(a *mysqlwire.Answer) error {
	for _, p := range a.Packets {
		if err := c.write(p.Payload); err != nil {
			return err
		}
		if p.Kind != mysqlwire.KindLocalInfile {
			continue
		}
		for {
			data, err := c.read()
			if err != nil {
				return err
			}
			if len(data) == 0 {
				break
			}
		}
	}
	return nil
}

// read reads a packet and takes its number over.
func (c *session) read() ([]byte, error) {
	var payload []byte
	for started := false; ; started = true {
		var head [mysqlwire.HeaderLen]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			if started && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		h := mysqlwire.ParseHeader(head[:])
		c.seq = h.Seq + 1
		if len(payload)+h.Len > maxPacket {
			return nil, errors.Join(fmt.Errorf("packet of more than %d bytes", maxPacket), c.fail(1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes"))
		}
		from := len(payload)
		payload = append(payload, make([]byte, h.Len)...)
		if _, err := io.ReadFull(c.r, payload[from:]); err != nil {
			return nil, errors.Join(io.ErrUnexpectedEOF, err)
		}
		if h.Len < mysqlwire.MaxFrame {
			return payload, nil
		}
	}
}

// write sends a packet with the next number.
func (c *session) write(payload []byte) error {
	var b []byte
	b, c.seq = mysqlwire.AppendPacket(nil, payload, c.seq)
	_, err := c.conn.Write(b)
	return err
}
