package mysqlwire

import (
	"bytes"
	"cmp"
	"container/list"
	"encoding/binary"
	"slices"

	"mydbg/mysqlwire/value"
)

// What a Decoder remembers of one connection's statements. Beyond it the least recently used lose
// first their text or columns, then everything.
const (
	maxStatements  = 1 << 16
	maxTexts       = 1 << 10
	maxText        = 4 << 10 // bytes of each
	maxParams      = 1 << 20 // of all statements together
	maxDefinitions = 4 << 20 // bytes of all statements' column definitions
)

// Stmt is a prepared statement of a connection.
type Stmt struct {
	ID  uint32
	SQL string // "" if it was forgotten
	Cut bool   // SQL is only the beginning of a long text
	// Params have the types that executes without types go by. Until an execute bound them,
	// MySQL's are what the server expects, MariaDB's are nothing.
	Params     []Param
	NumColumns int      // of the answer to the prepare; 0 if it is no query
	Columns    []Column // of the newest execute that sent them, else of the prepare; nil if not kept

	definitions []byte // what Columns were read from
	use         *list.Element
	text, shape *list.Element // nil without SQL, without Columns
}

// statements are the open ones of a connection. The zero value is empty.
type statements struct {
	byID                map[uint32]*Stmt
	used, texts, shapes list.List // newest use first
	params, definitions int
}

func (l *statements) add(id uint32, sql string, cut bool, params, columns int) *Stmt {
	l.remove(id)
	if l.byID == nil {
		l.byID = make(map[uint32]*Stmt)
	}
	s := &Stmt{ID: id, SQL: sql, Cut: cut, Params: make([]Param, params), NumColumns: columns}
	l.byID[id] = s
	l.params += params
	s.use = l.used.PushFront(s)
	if sql != "" {
		s.text = l.texts.PushFront(s)
	}
	for len(l.byID) > maxStatements || l.params > maxParams {
		l.remove(l.used.Back().Value.(*Stmt).ID)
	}
	if l.texts.Len() > maxTexts {
		old := l.texts.Remove(l.texts.Back()).(*Stmt)
		old.SQL, old.Cut, old.text = "", false, nil
	}
	return s
}

func (l *statements) remove(id uint32) {
	s := l.byID[id]
	if s == nil {
		return
	}
	delete(l.byID, id)
	l.params -= len(s.Params)
	l.used.Remove(s.use)
	if s.text != nil {
		l.texts.Remove(s.text)
	}
	l.dropColumns(s)
}

func (l *statements) dropColumns(s *Stmt) {
	if s.shape != nil {
		l.shapes.Remove(s.shape)
		l.definitions -= len(s.definitions)
	}
	s.Columns, s.definitions, s.shape = nil, nil, nil
}

// setColumns remembers definitions as columns of s.
func (l *statements) setColumns(s *Stmt, d *definitions, cx *Context) {
	if l.byID[s.ID] != s || s.shape != nil && bytes.Equal(s.definitions, d.raw) {
		return
	}
	l.dropColumns(s)
	columns := d.columns(cx)
	if columns == nil {
		return
	}
	s.Columns, s.definitions = columns, d.raw
	s.shape = l.shapes.PushFront(s)
	l.definitions += len(d.raw)
	for l.definitions > maxDefinitions {
		l.dropColumns(l.shapes.Back().Value.(*Stmt))
	}
}

// touch marks s as used.
func (l *statements) touch(s *Stmt) {
	l.used.MoveToFront(s.use)
	if s.text != nil {
		l.texts.MoveToFront(s.text)
	}
	if s.shape != nil {
		l.shapes.MoveToFront(s.shape)
	}
}

func (l *statements) sorted() []*Stmt {
	all := make([]*Stmt, 0, len(l.byID))
	for _, s := range l.byID {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Stmt) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// clearLong takes back the marks of long data.
func (s *Stmt) clearLong() {
	for i := range s.Params {
		s.Params[i].Long = false
	}
}

// bind keeps the types that a COM_STMT_EXECUTE sends. What cannot be read changes nothing.
func (s *Stmt) bind(payload []byte, caps Caps) {
	c := cursor{b: payload}
	c.take("command and statement", 5, nil)
	flags := ExecFlags(c.uint8("flags"))
	c.uint32("iterations")
	n, named := len(s.Params), caps.Has(QueryAttributes)
	if named && (n > 0 || flags&ExecParameterCountAvailable != 0) { // see StmtExecute.hasCount
		n = c.paramCount()
	}
	if n == 0 || len(s.Params) == 0 {
		return
	}
	c.take("null bitmap", (n+7)/8, nil)
	if c.uint8("bound") != 1 || n > c.left()/2 {
		return
	}
	types := make([]uint16, min(n, len(s.Params))) // those behind are query attributes
	for i := range types {
		types[i] = c.uint16("type")
		if named {
			c.lenencBytes("name")
		}
	}
	if c.err == nil {
		s.setTypes(types)
	}
}

// bindBulk is bind for COM_STMT_BULK_EXECUTE.
func (s *Stmt) bindBulk(payload []byte) {
	const at = 7
	if len(payload) < at+2*len(s.Params) || BulkFlags(binary.LittleEndian.Uint16(payload[5:]))&BulkSendTypes == 0 {
		return
	}
	types := make([]uint16, len(s.Params))
	for i := range types {
		types[i] = binary.LittleEndian.Uint16(payload[at+2*i:])
	}
	s.setTypes(types)
}

func (s *Stmt) setTypes(types []uint16) {
	for i, t := range types {
		p := &s.Params[i]
		p.Type, p.Unsigned, p.Bound = value.Type(t), t>>8&unsignedBit != 0, true
	}
}

// definitions are the column definitions of one result, as they came.
type definitions struct {
	raw  []byte
	ends []int
	lost bool // too long, or some were missed
	list []Column
}

func (d *definitions) add(payload []byte) {
	if d.lost || len(d.raw)+len(payload) > maxDefinitions {
		*d = definitions{lost: true}
		return
	}
	d.raw = append(d.raw, payload...)
	d.ends = append(d.ends, len(d.raw))
}

// columns decodes them; nil if one does not.
func (d *definitions) columns(cx *Context) []Column {
	if d.list != nil || d.lost {
		return d.list
	}
	list, from := make([]Column, len(d.ends)), 0
	for i, to := range d.ends {
		if list[i].Decode(d.raw[from:to:to], cx) != nil {
			*d = definitions{lost: true}
			return nil
		}
		from = to
	}
	d.list = list
	return list
}
