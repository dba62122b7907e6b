package mysqlwire

import (
	"encoding/binary"
	"slices"
	"strings"
)

// maxNote is how much of a payload is looked at to remember something of it.
const maxNote = 1 << 20

// Decoder is a Tracker with the memory that decoding needs: statement texts, parameter types and
// column definitions that earlier packets carried. For each frame that begins a packet call Next;
// if Need is not 0, call Note with the payload before the next packet's Next. What Note cannot
// read is forgotten and fails nothing. A Decoder is for one goroutine; contexts it returned do
// not change any more and can be given away.
type Decoder struct {
	Tracker
	// KeepColumns keeps the definitions of every result, so that its rows can be decoded. Without
	// it only those are kept that the server may leave out later.
	KeepColumns bool

	// Charsets decodes the texts of statements and what contexts are asked for; without it all is
	// taken for UTF-8.
	Charsets Charsets

	user, db string
	charsets charsetTracker
	offered  Caps // by a greeting that was noted
	maria    bool // and whose it is
	greeted  bool

	stmts statements
	last  *Stmt // prepared last

	// The running exchange.
	stmt    *Stmt // that it prepared, executes or fetches from
	text    string
	cut     bool   // text is only the beginning
	cursor  bool   // the execute asks for one
	spent   *Stmt  // whose long data are used up when the next exchange begins
	pending login  // in force with the OK
	results int    // begun so far
	param   int    // index of the next definition
	want    uint64 // columns of the current result
	omitted bool   // their definitions were not sent
	keep    bool   // their definitions are kept
	defs    definitions
	cx      *Context // nil when anything in it changed
}

// login is what a command changes if it succeeds.
type login struct {
	user, db       string
	setUser, setDB bool
	sets           string // text with SET statements
	collation      uint16 // of a COM_CHANGE_USER
	option         uint16 // of COM_SET_OPTION
	setOption      bool
}

// Agree tells the capabilities that both sides have.
func (d *Decoder) Agree(caps Caps, mariadb bool) {
	d.Tracker.Agree(caps, mariadb)
	d.cx = nil
}

// SetUser and SetDB tell what the login says, if it is not noted.
func (d *Decoder) SetUser(user string) { d.user = user }

// SetDB tells the current schema.
func (d *Decoder) SetDB(db string) { d.db = db }

// SetCharset tells the collations of the greeting and of the login, if these are not noted.
func (d *Decoder) SetCharset(greeting, login uint8) {
	d.charsets.greet(greeting)
	d.charsets.begin(uint16(login), d.mariadb)
	d.cx = nil
}

// SetVariable tells what a server said of a system variable where the packet is not noted.
func (d *Decoder) SetVariable(name, val string) { d.charsets.variable(name, val); d.cx = nil }

// Texts says which character sets the session speaks now.
func (d *Decoder) Texts() Texts {
	return Texts{Charsets: d.Charsets, Client: d.charsets.now.client, Results: d.charsets.now.results}
}

// User is who the session belongs to: of the login, or of the last COM_CHANGE_USER.
func (d *Decoder) User() string { return d.user }

// DB is the current schema, as far as the wire tells: "" if there is none or it is not known.
func (d *Decoder) DB() string { return d.db }

// Next explains a frame, see Tracker.Next.
func (d *Decoder) Next(dir Direction, h Header, head []byte) (f Frame, err error) {
	f = Frame{Header: h, Dir: dir, More: h.Len >= MaxFrame}
	err = d.next(&f, head)
	switch {
	case f.Begins:
		d.begin()
	case f.Ends && (f.Kind == KindOK || f.Kind == KindEOF && d.cmd == ComSetOption):
		d.succeed()
	}
	if d.pending.sets != "" && (f.Kind == KindOK || f.Kind == KindEOF) {
		d.charsets.set(d.pending.sets)
		d.pending.sets, d.cx = "", nil
	}
	return f, err
}

// begin forgets the exchange before.
func (d *Decoder) begin() {
	if d.spent != nil {
		d.spent.clearLong()
	}
	d.spent, d.stmt, d.text, d.cut, d.cursor = nil, nil, "", false, false
	d.results, d.want, d.param, d.omitted, d.keep = 0, 0, 0, false, false
	d.cx = nil
	if d.pending != (login{}) {
		d.pending = login{}
	}
	if d.defs.raw != nil || d.defs.lost {
		d.defs = definitions{}
	}
}

// succeed does what the running command asked for; the server said OK.
func (d *Decoder) succeed() {
	if d.pending.setUser {
		d.user = d.pending.user
	}
	if d.pending.setDB {
		d.db = d.pending.db
	}
	if d.pending.setOption {
		switch d.pending.option {
		case MultiStatementsOn:
			d.Agree(d.caps|MultiStatements, d.mariadb)
		case MultiStatementsOff:
			d.Agree(d.caps&^MultiStatements, d.mariadb)
		}
	}
	if d.cmd == ComChangeUser || d.cmd == ComResetConnection {
		d.stmts, d.last = statements{}, nil
	}
	switch d.cmd {
	case ComChangeUser:
		d.charsets.begin(d.pending.collation, d.mariadb)
		d.cx = nil
	case ComResetConnection:
		d.charsets.reset(d.mariadb)
		d.cx = nil
	}
}

// Need says how many bytes of the packet that f begins Note must be given: 0 for rows, 1 MiB at
// most. They are all in that frame. Ask right after Next.
func (d *Decoder) Need(f Frame) int {
	if f.Cont {
		return 0
	}
	n := 0
	switch f.Kind {
	case KindGreeting, KindLogin, KindChangeUser, KindInitDB, KindStmtExecute, KindStmtBulkExecute, KindColumnCount, KindPrepareOK:
		n = maxNote
	case KindStmtPrepare:
		n = 1 + maxText + 1
	case KindQuery:
		if f.Len <= maxText { // no USE is longer
			n = f.Len
		}
	case KindStmtSendLongData:
		n = 7
	case KindStmtClose, KindStmtReset, KindStmtFetch:
		n = 5
	case KindSetOption:
		n = 3
	case KindOK:
		if d.status.Has(StatusSessionStateChanged) && d.caps.Has(SessionTrack) {
			n = maxNote
		}
	case KindParam:
		if !d.mariadb {
			n = maxNote
		}
	case KindColumn:
		if d.keep {
			n = maxNote
		}
	}
	return min(n, f.Len)
}

// Note remembers what later packets need. payload is that of the packet that f begins, or its
// first Need bytes, as the server sends or gets them.
func (d *Decoder) Note(f Frame, payload []byte) {
	switch {
	case f.Cont:
	case f.Kind.IsCommand():
		d.noteCommand(f.Kind, payload)
	case f.Kind == KindGreeting:
		var m Greeting
		if m.Decode(payload, nil) == nil {
			d.offered, d.maria, d.greeted = m.Caps, m.MariaDB(), true
			d.charsets.greet(m.Collation)
		}
	case f.Kind == KindLogin:
		d.noteLogin(payload)
	case f.Kind == KindOK:
		d.noteState(payload)
	case f.Kind == KindPrepareOK:
		d.notePrepared(payload)
	case f.Kind == KindParam:
		d.noteParam(payload)
	case f.Kind == KindColumnCount:
		d.noteColumnCount(payload)
	case f.Kind == KindColumn:
		d.noteColumn(payload)
	}
}

func (d *Decoder) noteLogin(payload []byte) {
	var m Login
	if m.Decode(payload, nil) != nil {
		return
	}
	d.user, d.db = m.User, m.DB
	if d.greeted {
		d.Agree(d.offered&m.Caps, d.maria)
	}
	d.charsets.begin(uint16(m.Collation), d.mariadb)
}

func (d *Decoder) noteCommand(k Kind, payload []byte) {
	switch k {
	case KindInitDB:
		if len(payload) > 0 {
			d.pending = login{db: d.Context().ClientText(string(payload[1:])), setDB: true}
		}
	case KindQuery:
		sql := d.SQL(k, payload)
		if db, ok := usedSchema(sql); ok {
			d.pending = login{db: db, setDB: true}
		} else if changesCharsets(sql) {
			d.pending.sets = sql
		}
	case KindChangeUser:
		var m ChangeUser
		if m.Decode(payload, d.Context()) == nil {
			d.pending = login{user: m.User, db: m.DB, setUser: true, setDB: true, collation: m.Collation}
		}
	case KindSetOption:
		if len(payload) >= 3 {
			d.pending = login{option: binary.LittleEndian.Uint16(payload[1:]), setOption: true}
		}
	case KindStmtPrepare:
		d.last = nil
		if len(payload) > 0 {
			text := payload[1:]
			d.cut = len(text) > maxText
			d.text = d.clientText(string(text[:min(len(text), maxText)]))
		}
	case KindStmtExecute, KindStmtBulkExecute:
		d.noteExecute(k, payload)
	case KindStmtFetch:
		d.stmt = d.named(payload)
	case KindStmtSendLongData:
		if s := d.named(payload); s != nil && len(payload) >= 7 {
			if i := int(binary.LittleEndian.Uint16(payload[5:])); i < len(s.Params) {
				s.Params[i].Long = true
			}
		}
	case KindStmtReset:
		if s := d.named(payload); s != nil {
			s.clearLong()
		}
	case KindStmtClose:
		if s := d.named(payload); s != nil {
			d.stmts.remove(s.ID)
			if d.last == s {
				d.last = nil
			}
		}
	}
}

func (d *Decoder) noteExecute(k Kind, payload []byte) {
	s := d.named(payload)
	d.stmt, d.spent = s, s
	d.cursor = k == KindStmtExecute && len(payload) > 5 && payload[5]&^byte(ExecParameterCountAvailable) != 0
	if s == nil {
		return
	}
	d.stmts.touch(s)
	if changesCharsets(s.SQL) {
		d.pending.sets = s.SQL
	}
	if k == KindStmtExecute {
		s.bind(payload, d.caps)
	} else {
		s.bindBulk(payload)
	}
}

func (d *Decoder) notePrepared(payload []byte) {
	c := cursor{b: payload}
	c.tag("header", 0)
	id, columns, params := c.uint32("statement_id"), c.uint16("num_columns"), c.uint16("num_params")
	if c.err != nil {
		return
	}
	d.stmt = d.stmts.add(id, d.text, d.cut, int(params), int(columns))
	d.last = d.stmt
	d.want, d.keep = uint64(columns), d.keeps()
}

// keeps reports whether column definitions to come are remembered.
func (d *Decoder) keeps() bool {
	switch d.cmd {
	case ComStmtPrepare:
		return d.KeepColumns || d.caps&(MariaDBCacheMetadata|OptionalResultsetMetadata) != 0
	case ComStmtExecute, ComStmtBulkExecute:
		return d.KeepColumns || d.caps&(MariaDBCacheMetadata|OptionalResultsetMetadata) != 0 || d.cursor
	}
	return d.KeepColumns
}

// noteParam keeps the type that MySQL expects of a parameter. MariaDB's definitions say nothing.
func (d *Decoder) noteParam(payload []byte) {
	i := d.param
	d.param++
	var m Column
	if d.mariadb || d.stmt == nil || i >= len(d.stmt.Params) || m.Decode(payload, d.Context()) != nil {
		return
	}
	p := &d.stmt.Params[i]
	p.Type, p.Unsigned = m.Type, m.Unsigned()
}

func (d *Decoder) noteColumnCount(payload []byte) {
	n, size, ok := ReadLenenc(payload)
	if !ok {
		n = 0
	}
	d.results++
	d.want, d.keep, d.defs, d.cx = n, d.keeps(), definitions{}, nil
	d.omitted = d.caps&(MariaDBCacheMetadata|OptionalResultsetMetadata) != 0 && size < len(payload) && payload[size] == 0
}

func (d *Decoder) noteColumn(payload []byte) {
	if !d.keep || d.want == 0 {
		return
	}
	d.defs.add(payload)
	if uint64(len(d.defs.ends)) != d.want {
		return
	}
	d.cx = nil
	// A call can return several results; its statement's own is the first.
	if d.stmt != nil && d.results <= 1 {
		d.stmts.setColumns(d.stmt, &d.defs, &Context{Caps: d.caps})
	}
}

// columns are those of the rows to come, nil if they are not known.
func (d *Decoder) columns() []Column {
	switch {
	case d.cmd == ComStmtFetch && d.stmt != nil:
		return d.stmt.Columns
	case d.omitted && d.stmt != nil && uint64(len(d.stmt.Columns)) == d.want:
		return d.stmt.Columns
	case d.want > 0 && uint64(len(d.defs.ends)) == d.want:
		return d.defs.columns(&Context{Caps: d.caps})
	}
	return nil
}

// Context is what decoding a payload needs now, except an execute's.
func (d *Decoder) Context() *Context {
	if d.cx == nil {
		d.cx = &Context{Caps: d.caps, MariaDB: d.mariadb, Command: d.cmd, Columns: d.columns(), Texts: d.Texts()}
	}
	return d.cx
}

// ExecuteContext is what decoding a COM_STMT_EXECUTE or COM_STMT_BULK_EXECUTE needs: Context with
// the parameters of the statement that payload names. Ask after the execute's Next, before or
// after its Note.
func (d *Decoder) ExecuteContext(payload []byte) *Context {
	cx := *d.Context()
	if s := d.named(payload); s != nil {
		cx.Params, cx.ParamsKnown = slices.Clone(s.Params), true
	}
	return &cx
}

// named is the statement whose id follows the command byte.
func (d *Decoder) named(payload []byte) *Stmt {
	if len(payload) < 5 {
		return nil
	}
	return d.Stmt(binary.LittleEndian.Uint32(payload[1:]))
}

// Stmt is a statement of this connection, nil if it is not known. LastStmtID is the one prepared
// last. It changes with the packets noted.
func (d *Decoder) Stmt(id uint32) *Stmt {
	if id == LastStmtID {
		return d.last
	}
	return d.stmts.byID[id]
}

// Statements lists the open statements by id.
func (d *Decoder) Statements() []*Stmt { return d.stmts.sorted() }

// OpenStatements is how many Statements lists.
func (d *Decoder) OpenStatements() int { return len(d.stmts.byID) }

// clientText is what the client says, as UTF-8.
func (d *Decoder) clientText(s string) string {
	if d.Charsets == nil {
		return s
	}
	cx := Context{Texts: d.Texts()}
	return cx.ClientText(s)
}

// SQL is the text of a query, without its attributes, of a prepare, or of the statement that an
// execute names, as UTF-8. It is "" for all else and for texts that are not known.
func (d *Decoder) SQL(k Kind, payload []byte) string {
	switch k {
	case KindQuery:
		var m Query
		if m.Decode(payload, &Context{Caps: d.caps}) == nil {
			return d.clientText(m.SQL)
		}
	case KindStmtPrepare:
		if len(payload) > 0 {
			return d.clientText(string(payload[1:]))
		}
	case KindStmtExecute, KindStmtBulkExecute:
		if s := d.named(payload); s != nil {
			return s.SQL
		}
	}
	return ""
}

// noteState takes the current schema and the character sets from the session state of an OK.
func (d *Decoder) noteState(payload []byte) {
	c := cursor{b: payload}
	c.uint8("header")
	c.lenenc("affected_rows")
	c.lenenc("last_insert_id")
	status := Status(c.uint16("status"))
	c.uint16("warnings")
	if !d.caps.Has(SessionTrack) || !status.Has(StatusSessionStateChanged) {
		return
	}
	c.lenencBytes("info")
	state := cursor{b: c.lenencBytes("session_state")}
	for state.left() > 0 {
		kind := StateType(state.uint8("type"))
		data := cursor{b: state.lenencBytes("data")}
		switch kind {
		case StateSchema:
			if s := data.lenencText("schema"); data.err == nil {
				d.db = s
			}
		case StateSystemVariables:
			for data.left() > 0 {
				name, val := data.lenencText("name"), data.lenencText("value")
				if data.err == nil {
					d.charsets.variable(name, val)
					d.cx = nil
				}
			}
		}
	}
}

// usedSchema is the schema that a query makes the current one, if it is a plain USE.
func usedSchema(sql string) (db string, ok bool) {
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
	if len(sql) < 5 || !strings.EqualFold(sql[:3], "use") || !strings.ContainsRune(" \t\r\n`", rune(sql[3])) {
		return "", false
	}
	db = strings.TrimSpace(sql[3:])
	if n := len(db); n >= 2 && db[0] == '`' && db[n-1] == '`' {
		quoted := strings.ReplaceAll(db[1:n-1], "``", "")
		return strings.ReplaceAll(db[1:n-1], "``", "`"), !strings.Contains(quoted, "`")
	}
	return db, db != "" && !strings.ContainsAny(db, " \t\r\n`;'\"/#")
}
