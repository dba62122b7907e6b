package sessions

import (
	"encoding/binary"
	"slices"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
	"mydbg/sessions/capture"
)

// leg is one TCP connection of a track: the client's, or the proxy's own to the server.
type leg struct {
	walker
	t      *track
	n      uint32 // of index.legs
	side   intercept.Leg
	client capture.Side // the side of the stream that is the client

	at      int64 // time of what is walked now
	running int   // entry under way; none without one
	head    mysqlwire.Frame
	began   uint64 // where the running command is in the stream
	queries uint64 // commands seen
	stmts   map[uint32]*lineage
	execute *lineage // that the running exchange executes

	sent      []sent                 // commands that wait for the answer to others
	packed    *[2]*compress.Expander // by mysqlwire.Direction; nil without compression
	algorithm compress.Algorithm
	torn      bool // bytes were missing: until a packet begins with a command
	expanded  []byte

	asleep bool       // until a command begins that can be recognised
	guess  *guesswork // of a connection whose login is not in the file
}

const none = -1

// sent is a command in the client's flow, and where the server's flow stood when it was sent.
type sent struct{ command, answer uint64 }

const maxSent = 64

// lineage are the exchanges that later ones need to be understood: entries by number.
type lineage struct {
	prepared, bound, shaped int // bound sent parameter types, shaped got column definitions

	types, columns int    // the newest ones, which become bound and shaped when an exchange needs them
	long           []int  // long data since the last execute
	list           uint32 // of index.deps; 0 when it has to be made anew
}

func newLeg(t *track, side intercept.Leg, client capture.Side) *leg {
	l := &leg{t: t, side: side, client: client, running: none, stmts: map[uint32]*lineage{}}
	l.src, l.on, l.n = t.s.file, l, uint32(len(t.ix.legs))
	t.ix.legs = append(t.ix.legs, l)
	if old := t.legs[side]; old != nil { // the same connection, begun anew in the recording
		l.dec, l.stmts, l.queries = old.dec, old.stmts, old.queries
		l.dec.Tracker = mysqlwire.Tracker{}
		old.interrupt("the end of it was not recorded")
	}
	t.legs[side] = l
	return l
}

// direction is which way a side of the stream sends.
func (l *leg) direction(from capture.Side) mysqlwire.Direction {
	if from == l.client {
		return mysqlwire.ToServer
	}
	return mysqlwire.ToClient
}

// arrive takes a segment.
func (l *leg) arrive(from capture.Side, seg capture.Segment) {
	dir := l.direction(from)
	l.at = seg.At
	f := &l.flow[dir]
	if l.side == intercept.ClientLeg {
		l.t.info.Bytes[dir] += uint64(len(seg.Data))
	}
	if l.packed != nil {
		l.expand(dir, &seg)
		return
	}
	f.add(seg.Data, seg.Off)
	switch {
	case l.t.info.Marks.Has(Encrypted):
		f.pos = f.end
	case l.guess != nil:
		l.guess.arrive(l, dir, seg)
	case l.asleep:
		l.wake(dir, &seg)
	default:
		l.walk(dir)
		if len(l.sent) > 0 && l.flow[mysqlwire.ToServer].pos > l.sent[0].command {
			l.sent = l.sent[1:]
		}
		if dir == mysqlwire.ToServer && f.pos < f.end && isCommand(seg.Data) && len(l.sent) < maxSent {
			l.sent = append(l.sent, sent{f.end - uint64(len(seg.Data)), l.flow[mysqlwire.ToClient].end - uint64(int64(seg.Ahead))})
		}
	}
}

// expand takes a segment of a compressed connection.
func (l *leg) expand(dir mysqlwire.Direction, seg *capture.Segment) {
	switch {
	case l.t.info.Marks.Has(Unfollowed):
		return
	case l.torn && !l.mend(dir, seg):
		return
	}
	var err error
	if l.expanded, err = l.packed[dir].Append(l.expanded[:0], seg.Data); len(l.expanded) > 0 {
		off, perr := l.t.s.spill.put(l.expanded)
		if perr != nil {
			l.lost(perr)
			return
		}
		l.flow[dir].add(l.expanded, off)
		if l.torn {
			l.torn = false
			l.resume([2]uint64{l.flow[0].end, l.flow[1].end}, len(l.expanded), 0)
		}
		l.walk(dir)
	}
	if err != nil {
		l.lost(err)
	}
}

// mend goes on behind missing bytes of a compressed connection: with a segment that is a whole packet with a command, sent by
// a client that has got all there was.
func (l *leg) mend(dir mysqlwire.Direction, seg *capture.Segment) bool {
	b := seg.Data
	if dir == mysqlwire.ToClient || seg.Ahead != 0 || len(b) < mysqlwire.CompressedHeaderLen {
		return false
	}
	if h := mysqlwire.ParseCompressedHeader(b); h.Seq != 0 || mysqlwire.CompressedHeaderLen+h.Len != len(b) {
		return false
	}
	out, err := compress.NewExpander(l.algorithm).Append(nil, b)
	if err != nil || !isCommand(out) {
		return false
	}
	l.packed = newPacked(l.algorithm)
	return true
}

func newPacked(a compress.Algorithm) *[2]*compress.Expander {
	return &[2]*compress.Expander{compress.NewExpander(a), compress.NewExpander(a)}
}

// wake goes on with the first segment that begins with a command.
func (l *leg) wake(dir mysqlwire.Direction, seg *capture.Segment) {
	if dir == mysqlwire.ToClient || !isCommand(seg.Data) {
		return
	}
	l.asleep = false
	l.resume([2]uint64{l.flow[0].end, l.flow[1].end}, len(seg.Data), seg.Ahead)
	l.walk(dir)
}

// resume expects a command in the last n bytes of the client's flow, when the flows ended so. ahead tells how
// much of the server's flow there was that the client had not seen: that is the answer.
func (w *walker) resume(ends [2]uint64, n, ahead int) {
	for d := range w.flow {
		f := &w.flow[d]
		f.pos, f.left, f.need, f.frame = ends[d], 0, 0, mysqlwire.Frame{}
	}
	w.flow[mysqlwire.ToServer].pos -= uint64(n)
	f := &w.flow[mysqlwire.ToClient]
	if ahead >= 0 {
		f.pos -= min(uint64(ahead), f.pos)
	} else {
		f.left = min(-ahead, 1<<30) // to come, of something else
	}
	w.dec.Ready()
}

// missing takes note of bytes that are not in the file.
func (l *leg) missing(from capture.Side, n int, at int64) {
	l.at = at
	f := &l.flow[l.direction(from)]
	inside := f.left > 0 && f.pos+uint64(f.left) >= f.end+uint64(n)
	if l.packed == nil {
		f.lack(n)
	}
	t := l.t
	t.info.Marks |= Gap
	t.info.Missing += uint64(n)
	if l.packed != nil {
		if l.running != none {
			t.ix.entries[l.running].marks |= intercept.MarkPartial
		}
		l.interrupt("bytes of it are not in the capture")
		l.torn = true
		return
	}
	if l.guess != nil {
		l.guess.gap(l)
		return
	}
	if l.running != none {
		t.ix.entries[l.running].marks |= intercept.MarkPartial
	}
	login := l.dec.State() <= mysqlwire.StateAuth && l.running == none
	if inside && !login { // of a packet: its end is known
		f.need = 0
		l.walk(l.direction(from))
		return
	}
	l.interrupt("bytes of it are not in the capture")
	if login {
		l.guess = newGuess()
		return
	}
	l.asleep = true
	l.again()
}

// again goes on with a command that has come already and belongs behind what is missing.
func (l *leg) again() {
	client, server := &l.flow[mysqlwire.ToServer], &l.flow[mysqlwire.ToClient]
	for i, s := range l.sent {
		if s.command < client.pos || s.answer < server.end {
			continue
		}
		ends := [2]uint64{client.end, server.end}
		l.sent, l.asleep = l.sent[i+1:], false
		l.resume(ends, int(client.end-s.command), int(int64(server.end)-int64(s.answer)))
		l.walk(mysqlwire.ToServer)
		return
	}
	l.sent = nil
}

// interrupt ends the running exchange without its end having been seen.
func (l *leg) interrupt(note string) {
	if l.running == none {
		return
	}
	e := &l.t.ix.entries[l.running]
	e.state = intercept.Gone
	e.took = newSpan(l.at - e.begun)
	l.t.ix.extraOf(l.running).note = note
	l.finish()
}

func (l *leg) finish() {
	l.running, l.execute = none, nil
	if l.side == intercept.ClientLeg {
		l.t.clientDone()
	} else {
		l.t.serverDone()
	}
}

func (l *leg) lost(why error) {
	l.t.failed(l, why)
}

// begins implements watcher.
func (l *leg) begins(f mysqlwire.Frame, at uint64) (want int) {
	size := uint64(mysqlwire.HeaderLen + f.Len)
	if f.Begins {
		l.head, l.began = f, at
		l.queries++
		l.t.command(l, f, at)
	}
	if l.running != none {
		e := &l.t.ix.entries[l.running]
		if f.Dir == mysqlwire.ToServer {
			e.in = clamp32(uint64(e.in) + size)
		} else {
			e.out = clamp32(uint64(e.out) + size)
			if f.Kind.IsRow() {
				e.rowBytes = clamp32(uint64(e.rowBytes) + size)
			}
			if !e.answered {
				e.answered = true
				e.first = newSpan(l.at - e.begun)
			}
		}
	} else if l.t.match.active && l.side == intercept.ServerLeg && f.Dir == mysqlwire.ToClient {
		l.t.match.answered(l, size)
	}
	if f.Cont {
		return 0
	}
	switch f.Kind {
	case mysqlwire.KindOK, mysqlwire.KindERR, mysqlwire.KindEOF, mysqlwire.KindColumnCount, mysqlwire.KindGreeting, mysqlwire.KindLogin,
		mysqlwire.KindAuthSwitch, mysqlwire.KindSSLRequest:
		return min(f.Len, 1<<20)
	case mysqlwire.KindQuery:
		if l.side == intercept.ClientLeg {
			const attributes = 256 // query attributes in front of a text
			return min(f.Len, 1+intercept.SQLPrefix+attributes)
		}
	case mysqlwire.KindStmtExecute, mysqlwire.KindStmtBulkExecute, mysqlwire.KindStmtClose, mysqlwire.KindStmtReset,
		mysqlwire.KindStmtFetch, mysqlwire.KindStmtSendLongData:
		return min(f.Len, 16)
	}
	return 0
}

// payload implements watcher.
func (l *leg) payload(f mysqlwire.Frame, b []byte) {
	if f.Kind.IsCommand() {
		l.names(f, b)
		l.loops(f, b)
		return
	}
	switch f.Kind {
	case mysqlwire.KindGreeting, mysqlwire.KindLogin, mysqlwire.KindSSLRequest, mysqlwire.KindAuthSwitch:
		l.t.greeted(l, f.Kind, b)
		return
	}
	if l.running == none {
		if !f.Ends && f.Dir == mysqlwire.ToClient {
			l.t.authenticated(l, f.Kind, b)
		}
		return
	}
	e := &l.t.ix.entries[l.running]
	cx := mysqlwire.Context{Caps: l.dec.Caps()}
	switch f.Kind {
	case mysqlwire.KindOK:
		l.t.ok = mysqlwire.OK{}
		if m := &l.t.ok; m.Decode(b, &cx) == nil {
			e.warnings = m.Warnings
			if len(b) > 0 && b[0] == 0 {
				e.results = min(e.results+1, 254)
				e.affected = clamp32(uint64(e.affected) + m.AffectedRows)
				if m.LastInsertID != 0 {
					e.lastInsertID = m.LastInsertID
				}
			}
		}
	case mysqlwire.KindEOF:
		var m mysqlwire.EOF
		if m.Decode(b, &cx) == nil {
			e.warnings = m.Warnings
		}
	case mysqlwire.KindERR:
		if len(b) >= 3 {
			e.code = binary.LittleEndian.Uint16(b[1:])
		}
	case mysqlwire.KindColumnCount:
		var m mysqlwire.ColumnCount
		if m.Decode(b, &cx) == nil {
			e.results = min(e.results+1, 254)
			e.cols = max(e.cols, uint16(min(m.Count, 1<<16-1)))
			if l.execute != nil && m.Definitions() {
				l.execute.columns = l.running
			}
		}
	}
}

// loops marks a statement of the client's that is one of many alike in a row.
func (l *leg) loops(f mysqlwire.Frame, b []byte) {
	if l.running == none || l.side != intercept.ClientLeg || f.Kind != mysqlwire.KindQuery && f.Kind != mysqlwire.KindStmtExecute {
		return
	}
	e, sql := &l.t.ix.entries[l.running], l.dec.SQL(f.Kind, b)
	if l.t.loop.Next(sql[:min(len(sql), intercept.SQLPrefix)], time.Unix(0, e.begun)) {
		e.marks |= intercept.MarkLoop
	}
}

// ends implements watcher.
func (l *leg) ends(f mysqlwire.Frame) {
	if l.running != none && f.Kind.IsRow() && !f.More {
		e := &l.t.ix.entries[l.running]
		e.rows = clamp32(uint64(e.rows) + 1)
	}
	if !f.Ends {
		return
	}
	if l.running == none {
		if l.side == intercept.ServerLeg {
			l.t.serverDone()
		}
		return
	}
	i := l.running
	e := &l.t.ix.entries[i]
	e.state = intercept.Done
	if e.answered {
		e.status = l.dec.Status()
	}
	e.took = newSpan(l.at - e.begun)
	if l.dec.Command() == mysqlwire.ComStmtPrepare && e.code == 0 {
		if st := l.dec.Stmt(mysqlwire.LastStmtID); st != nil {
			l.stmts[st.ID] = &lineage{prepared: i, bound: none, shaped: none, types: none, columns: none}
		}
	}
	if l.execute != nil && l.execute.long != nil {
		l.execute.long, l.execute.list = nil, 0
	}
	l.finish()
}

// names notes which statement a command is about and what it needs to be understood.
func (l *leg) names(f mysqlwire.Frame, b []byte) {
	if l.running == none || len(b) < 5 {
		return
	}
	switch f.Kind {
	case mysqlwire.KindStmtExecute, mysqlwire.KindStmtBulkExecute, mysqlwire.KindStmtFetch, mysqlwire.KindStmtReset,
		mysqlwire.KindStmtClose, mysqlwire.KindStmtSendLongData:
	default:
		return
	}
	id := binary.LittleEndian.Uint32(b[1:])
	if st := l.dec.Stmt(id); st != nil {
		id = st.ID
	}
	e := &l.t.ix.entries[l.running]
	e.stmt = id
	line := l.stmts[id]
	if line == nil {
		return
	}
	executes := f.Kind == mysqlwire.KindStmtExecute || f.Kind == mysqlwire.KindStmtBulkExecute
	binds := executes && l.bindsTypes(f, b, id)
	if executes && !binds {
		line.needs(&line.bound, line.types)
	}
	const leftOut = mysqlwire.MariaDBCacheMetadata | mysqlwire.OptionalResultsetMetadata
	if f.Kind == mysqlwire.KindStmtFetch || executes && l.dec.Caps()&leftOut != 0 {
		line.needs(&line.shaped, line.columns)
	}
	e.deps = l.t.ix.dependencies(line)
	if binds {
		line.types = l.running
	}
	switch f.Kind {
	case mysqlwire.KindStmtSendLongData:
		line.long, line.list = append(line.long, l.running), 0
	case mysqlwire.KindStmtClose:
		delete(l.stmts, id)
	case mysqlwire.KindStmtReset:
		line.long, line.list = nil, 0
	case mysqlwire.KindStmtExecute, mysqlwire.KindStmtBulkExecute:
		l.execute = line
	}
}

// bindsTypes reports whether an execute sends its parameters' types.
func (l *leg) bindsTypes(f mysqlwire.Frame, b []byte, id uint32) bool {
	st := l.dec.Stmt(id)
	if st == nil || len(st.Params) == 0 {
		return false
	}
	if f.Kind == mysqlwire.KindStmtBulkExecute {
		return len(b) > 6 && mysqlwire.BulkFlags(binary.LittleEndian.Uint16(b[5:]))&mysqlwire.BulkSendTypes != 0
	}
	return sendsTypes(b, len(st.Params), l.dec.Caps())
}

// needs brings what an exchange needs up to date.
func (line *lineage) needs(which *int, newest int) {
	if *which != newest {
		*which, line.list = newest, 0
	}
}

// dependencies is the list of entries that have to be read before one of the statement.
func (ix *index) dependencies(line *lineage) uint32 {
	if line.list != 0 {
		return line.list
	}
	all := append([]int{line.prepared, line.bound, line.shaped}, line.long...)
	slices.SortFunc(all, func(a, b int) int { // those of earlier files first
		if a < none && b < none {
			return b - a
		}
		return a - b
	})
	all = slices.Compact(all)
	if len(ix.deps) == 0 {
		ix.deps = append(ix.deps, 0) // 0 is no list
	}
	line.list = uint32(len(ix.deps))
	ix.deps = append(ix.deps, 0)
	for _, i := range all {
		switch {
		case i < none:
			ix.deps = append(ix.deps, uint32(hidden(i))|hiddenBit)
		case i != none:
			ix.deps = append(ix.deps, uint32(i))
		}
	}
	ix.deps[line.list] = uint32(len(ix.deps)) - line.list - 1
	return line.list
}
