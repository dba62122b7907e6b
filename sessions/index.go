package sessions

import (
	"math"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/charset"
	"mydbg/mysqlwire"
)

// index is what a Reader keeps in memory. The reader's mutex guards it.
type index struct {
	recording   bool
	conns       []*track
	legs        []*leg
	byID        map[intercept.ConnID]*track
	entries     []entry
	earlier     []entry    // of earlier files, which those need
	deps        []uint32   // lists: length, then numbers of entries
	identities  []identity // of sessions
	extras      []extra    // what few exchanges have
	notes       []intercept.Notice
	decisions   map[intercept.Seq][]Decision
	first, last int64
}

// identity is who a session is at a time, and which character sets it speaks.
type identity struct{ user, db, client, results string }

func (who *identity) texts() mysqlwire.Texts {
	return mysqlwire.Texts{Charsets: charset.All, Client: who.client, Results: who.results}
}

// entry is an exchange in the index, kept small: there can be millions.
type entry struct {
	begun             int64  // nanoseconds since 1970
	command, answer   uint64 // where both begin in the streams of its leg
	lastInsertID      uint64
	sent, first, took span
	rows, affected    uint32 // the largest number means that or more
	in, out, rowBytes uint32 // bytes
	conn              uint32 // of index.conns
	stmt              uint32
	deps              uint32 // of index.deps; 0 for none
	identity          uint32
	extra             uint32 // of index.extras, from 1; 0 for none
	status            mysqlwire.Status
	warnings, code    uint16
	cols              uint16
	marks             intercept.Mark
	results           uint8
	cmd               mysqlwire.Command
	state             intercept.State
	leg               uint32 // of index.legs
	inTx              bool
	answered          bool // its first byte has come
}

// extra is what only exchanges have that were not simply relayed.
type extra struct {
	parent   intercept.Seq
	origin   intercept.Origin
	by, note string
	held     time.Duration
	server   *place // the server's part of it, where that is not the same as the client's; nil if it is
	unsent   bool   // the server was not asked
}

// place is where an exchange is in its leg's streams.
type place struct {
	leg             uint32 // of index.legs
	command, answer uint64
}

// span is a length of time in four bytes: the upper two bits are the unit.
type span uint32

const noSpan span = math.MaxUint32

func newSpan(ns int64) span {
	const most = 1<<30 - 1
	switch ns = max(ns, 0); {
	case ns <= most:
		return span(ns)
	case ns/1e3 <= most:
		return span(ns/1e3) | 1<<30
	}
	return span(min(ns/1e6, most-1)) | 2<<30
}

func (s span) duration() time.Duration {
	n := time.Duration(s & (1<<30 - 1))
	switch s >> 30 {
	case 1:
		return n * time.Microsecond
	case 2:
		return n * time.Millisecond
	}
	return n
}

// after is the moment so long after begun; none without one.
func (s span) after(begun int64) time.Time {
	if s == noSpan {
		return time.Time{}
	}
	return time.Unix(0, begun).Add(s.duration())
}

func clamp32(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

func (e *entry) place() place { return place{e.leg, e.command, e.answer} }

// nth is a connection's exchange number i, from 0; of all connections with id 0.
func (ix *index) nth(id intercept.ConnID, i int) (intercept.Seq, bool) {
	if id == 0 {
		return intercept.Seq(i + 1), i < len(ix.entries)
	}
	c := ix.byID[id]
	if c == nil || i >= len(c.entries) {
		return 0, false
	}
	return intercept.Seq(c.entries[i] + 1), true
}

// summary is an entry as others see it, without texts.
func (ix *index) summary(i int) Exchange {
	e := &ix.entries[i]
	t := ix.conns[e.conn]
	who := ix.identities[e.identity]
	x := Exchange{User: who.user, DB: who.db, Exchange: intercept.Exchange{
		Seq: intercept.Seq(i + 1), Conn: t.id, Command: e.cmd, StmtID: e.stmt, Begun: time.Unix(0, e.begun), Sent: e.sent.after(e.begun),
		First: e.first.after(e.begun), Ended: e.took.after(e.begun), State: e.state, Marks: e.marks, InTx: e.inTx,
		Counts: intercept.Counts{
			Rows: uint64(e.rows), Cols: uint64(e.cols), Results: int(e.results), Affected: uint64(e.affected), LastInsertID: e.lastInsertID,
			Warnings: e.warnings, Status: e.status, BytesIn: uint64(e.in), BytesOut: uint64(e.out),
			RowBytes: uint64(e.rowBytes),
		},
	}}
	if e.code != 0 {
		known, _ := mysqlwire.ErrorByCode(e.code)
		x.Error = &mysqlwire.ERR{Code: e.code, SQLState: known.SQLState}
	}
	if e.extra != 0 {
		m := &ix.extras[e.extra-1]
		x.Parent, x.Origin, x.By, x.Note, x.HeldFor = m.parent, m.origin, m.by, m.note, m.held
	}
	return x
}

// extraOf is the rare part of an entry, made if there is none.
func (ix *index) extraOf(i int) *extra {
	e := &ix.entries[i]
	if e.extra == 0 {
		ix.extras = append(ix.extras, extra{})
		e.extra = uint32(len(ix.extras))
	}
	return &ix.extras[e.extra-1]
}
