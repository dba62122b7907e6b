package mysqlwire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Frame is the tracker's answer for one frame. The connection phase is no exchange: its frames
// neither begin nor end one.
type Frame struct {
	Header
	Dir  Direction
	Kind Kind // of the packet; later frames of a packet repeat it
	// Begins and Ends mark the first and the last frame of an exchange: a command and its whole
	// answer. A command without answer does both by itself.
	Begins, Ends bool
	Cont         bool // continues a packet that filled the frame before
	More         bool // the packet goes on in the next frame of this direction
}

// Tracker follows one connection: it says what every frame is. It does no I/O, takes no locks,
// keeps no payload and does not allocate. The zero value expects the greeting.
//
// Exchanges are fed one after the other: a client that sends commands ahead is fed only when the
// answer before has ended. What is out of order (a wrong sequence number, a frame of the wrong
// side, an answer that is none) fails once and makes the tracker StateOpaque for good.
type Tracker struct {
	caps    Caps
	mariadb bool
	state   State
	seq     uint8 // wanted next
	cmd     Command
	status  Status
	why     error // of StateOpaque
	change  bool  // Auth belongs to COM_CHANGE_USER, not to the login
	long    bool  // the running command took several frames

	// The packet under way, while more frames of it are to come.
	more bool
	dir  Direction
	kind Kind
	ends bool

	unit    bool   // COM_STMT_BULK_EXECUTE wants a result for each row
	out     bool   // MySQL says before its OUT parameters, and not behind them, that more comes
	left    uint64 // definitions to come
	eof     bool   // an EOF follows them
	columns uint64 // column definitions after the parameters' of a prepare
	columnE bool   // an EOF follows those
}

var errOwnProtocol = errors.New("the command begins a protocol of its own")

// Agree tells the capabilities that both sides have; the greeting's lie beyond the head of a frame.
func (t *Tracker) Agree(caps Caps, mariadb bool) { t.caps, t.mariadb = caps, mariadb }

// Ready begins the command phase: the login was followed elsewhere, or was not seen.
func (t *Tracker) Ready() {
	t.state, t.seq, t.more = StateIdle, 0, false
}

// State is what is expected next. Between the frames of one packet it is what follows that packet.
func (t *Tracker) State() State { return t.state }

// Command is the running command, or the last one. It is ComSleep before the first.
func (t *Tracker) Command() Command { return t.cmd }

// Status is the newest status word of the server.
func (t *Tracker) Status() Status { return t.status }

// Caps are the capabilities given to Agree.
func (t *Tracker) Caps() Caps { return t.caps }

// MariaDB reports what was given to Agree.
func (t *Tracker) MariaDB() bool { return t.mariadb }

// WaitsLike reports whether t and o expect the same: what can follow here can follow there, but for its
// sequence number. Both are between two packets.
func (t *Tracker) WaitsLike(o *Tracker) bool {
	a, b := *t, *o
	for _, x := range []*Tracker{&a, &b} {
		x.seq, x.status, x.dir, x.kind, x.ends, x.long = 0, 0, 0, 0, false, false
	}
	return a == b
}

// Fail gives up following: every later frame is KindOpaque. Only the first reason is kept.
func (t *Tracker) Fail(why error) {
	if t.state != StateOpaque {
		t.state, t.why, t.more = StateOpaque, why, false
	}
}

// Err says why the tracker is StateOpaque. It is nil while it is not.
func (t *Tracker) Err() error { return t.why }

// Next explains a frame. head is its first payload bytes, HeadLen of them or all if there are
// fewer. An error is a *TrackError; the frame is then KindOpaque, as all later ones, without error.
func (t *Tracker) Next(dir Direction, h Header, head []byte) (f Frame, err error) {
	f = Frame{Header: h, Dir: dir, More: h.Len >= MaxFrame}
	err = t.next(&f, head)
	return f, err
}

// next completes f. A frame is filled in place: copies were half of the time.
func (t *Tracker) next(f *Frame, head []byte) error {
	if t.state >= StateOpaque && !(t.more && t.dir == f.Dir) {
		f.Kind, f.More = KindOpaque, false
		return nil
	}
	if t.more && t.dir != f.Dir || !t.turn(f.Dir) && !t.more {
		return t.interrupt(f, head)
	}
	if f.Seq != t.seq && t.counted() {
		if t.long && t.state == StateHead && isERR(head) {
			return t.interrupt(f, head) // the server did not read all of a long command
		}
		return t.fail(f, fmt.Sprintf("sequence number %d, want %d", f.Seq, t.seq))
	}
	t.seq = f.Seq + 1
	if t.more {
		f.Kind, f.Cont = t.kind, true
		t.long = f.Dir == ToServer
	} else {
		wasIdle := t.state == StateIdle
		if msg := t.packet(f, head); msg != "" {
			return t.fail(f, msg)
		}
		f.Begins = wasIdle
		t.ends = f.Ends
	}
	t.more, t.dir, t.kind = f.More, f.Dir, f.Kind
	f.Ends = t.ends && !f.More
	if t.state == StateIdle && !f.More {
		t.seq = 0
	}
	return nil
}

// turn reports whether a frame of this direction can begin a packet now.
func (t *Tracker) turn(dir Direction) bool {
	switch t.state {
	case StateAuth:
		return true
	case StateLogin, StateIdle, StateUpload:
		return dir == ToServer
	}
	return dir == ToClient
}

// counted reports whether sequence numbers mean anything: not in a replication stream, where both
// sides talk at will, and not under compression, where servers and clients ignore them.
func (t *Tracker) counted() bool {
	return t.state != StateStream && t.caps&(Compress|ZstdCompressionAlgorithm) == 0
}

func (t *Tracker) fail(f *Frame, msg string) error {
	err := &TrackError{State: t.state, Dir: f.Dir, Header: f.Header, Msg: msg}
	t.Fail(err)
	*f = Frame{Header: f.Header, Dir: f.Dir, Kind: KindOpaque}
	return err
}

// interrupt explains a frame of the side that has to wait.
func (t *Tracker) interrupt(f *Frame, head []byte) error {
	switch {
	case t.state == StateStream && f.Dir == ToServer && !f.More:
		// Replicas acknowledge events while more come, and hang up in the middle.
		f.Kind = KindOpaque
		if len(head) > 0 && head[0] == semiSyncMagic {
			f.Kind = KindSemiSyncAck
		}
		if len(head) == 1 && Command(head[0]) == ComQuit {
			f.Kind, f.Ends = KindQuit, true
			t.state, t.more = StateClosed, false
		}
		return nil
	case f.Dir == ToClient && t.state != StateGreeting && isERR(head) && !f.More:
		// The server gives up: a time limit, a shutdown, a packet that is too long.
		f.Kind = KindERR
		f.Ends = t.state == StateUpload || t.state == StateHead || t.more && t.state == StateIdle
		t.state, t.more = StateClosed, false
		return nil
	case t.more:
		return t.fail(f, "the other side's packet has not ended")
	}
	return t.fail(f, "it is the other side's turn")
}

// packet explains the first frame of a packet and moves on to the state behind it. It returns
// what is wrong, if anything.
func (t *Tracker) packet(f *Frame, head []byte) string {
	if f.Dir == ToServer {
		return t.client(f, head)
	}
	if t.state == StateAuth {
		return t.auth(f, head)
	}
	if len(head) == 0 {
		return "empty packet"
	}
	if head[0] == 0xff {
		return t.failure(f, head)
	}
	switch t.state {
	case StateRows:
		return t.row(f, head)
	case StateHead:
		return t.answer(f, head)
	case StateParams, StateColumns:
		return t.definition(f, head)
	case StateStream:
		if head[0] == 0xfe && f.Len < 9 {
			return t.end(f, head)
		}
		f.Kind = KindBinlogEvent
		return ""
	}
	if head[0] != 10 {
		return fmt.Sprintf("greeting of protocol version %d, want 10", head[0])
	}
	f.Kind = KindGreeting
	t.state = StateLogin
	return ""
}

func isERR(head []byte) bool { return len(head) > 0 && head[0] == 0xff }

// failure explains 0xff: an ERR, which ends everything, or MariaDB's progress report, which ends nothing.
func (t *Tracker) failure(f *Frame, head []byte) string {
	if len(head) >= 3 && head[1] == 0xff && head[2] == 0xff && t.progress() {
		f.Kind = KindProgress
		return ""
	}
	f.Kind = KindERR
	if t.state == StateGreeting {
		t.state = StateClosed
		return ""
	}
	return t.done(f)
}

// progress reports whether progress is agreed. MariaDB before 10.2 used bit 29.
func (t *Tracker) progress() bool {
	return t.caps.Has(MariaDBProgress) || t.mariadb && t.caps.Has(CapabilityExtension)
}

// done ends the exchange.
func (t *Tracker) done(f *Frame) string {
	f.Ends = true
	t.state = StateIdle
	return ""
}

// client explains a packet of the client.
func (t *Tracker) client(f *Frame, head []byte) string {
	switch t.state {
	case StateLogin:
		f.Kind = KindLogin
		if f.Len == sslRequestLen && IsSSLRequest(head) {
			f.Kind = KindSSLRequest
			return ""
		}
		t.state, t.change = StateAuth, false
		return ""
	case StateAuth:
		f.Kind = KindAuthData
		return ""
	case StateUpload:
		f.Kind = KindFileData
		if f.Len == 0 {
			t.state = StateHead
		}
		return ""
	}
	return t.command(f, head)
}

// commandKinds spares the look-up in a map.
var commandKinds = func() (kinds [256]Kind) {
	for c := range kinds {
		kinds[c] = Command(c).Kind()
	}
	return kinds
}()

// command explains the first packet of an exchange.
func (t *Tracker) command(f *Frame, head []byte) string {
	t.cmd = ComSleep // what servers take an empty packet for
	if len(head) > 0 {
		t.cmd = Command(head[0])
	}
	f.Kind = commandKinds[t.cmd]
	t.unit, t.long, t.out = false, false, false
	switch t.cmd {
	case ComQuit:
		f.Ends = true
		t.state = StateClosed
	case ComStmtClose, ComStmtSendLongData:
		f.Ends = true
	case ComChangeUser:
		t.state, t.change = StateAuth, true
	case ComBinlogDump, ComBinlogDumpGTID:
		t.state = StateStream
	case ComClone, ComSubscribeGroupReplicationStream:
		t.state = StateHead
		if !t.mariadb {
			t.state, t.why = StateOpaque, errOwnProtocol
		}
	case ComStmtBulkExecute:
		t.unit = len(head) >= 7 && BulkFlags(head[5])&BulkUnitResults != 0 && t.caps.Has(MariaDBBulkUnitResults)
		t.state = StateHead
	default:
		t.state = StateHead
	}
	return ""
}

// answer explains the first packet of an answer, or of its next result.
func (t *Tracker) answer(f *Frame, head []byte) string {
	switch t.cmd {
	case ComStatistics:
		f.Kind = KindStatistics
		return t.done(f)
	case ComFieldList, ComStmtFetch:
		t.state = StateRows
		return t.row(f, head)
	case ComStmtPrepare:
		return t.prepared(f, head)
	case ComQuery, ComStmtExecute, ComProcessInfo, ComStmtBulkExecute:
		return t.result(f, head)
	}
	switch head[0] {
	case 0x00, 0xfe:
		return t.end(f, head)
	}
	if t.cmd.Kind() == KindOtherCommand {
		f.Kind = KindUnknown
		return t.done(f)
	}
	return fmt.Sprintf("answer to %s begins with 0x%02x", t.cmd, head[0])
}

// end explains an OK or EOF that ends the exchange or, if it says so, only one result of it.
func (t *Tracker) end(f *Frame, head []byte) string {
	f.Kind = KindOK
	if head[0] == 0xfe && (!t.caps.Has(DeprecateEOF) || f.Len < 7) { // an OK has 7 bytes at least
		f.Kind = KindEOF
	}
	if !t.readStatus(f, head) {
		return f.Kind.String() + " without status"
	}
	if (t.status&StatusMoreResultsExists != 0 || t.out) && t.manyResults() {
		t.state, t.out = StateHead, false
		return ""
	}
	return t.done(f)
}

// manyResults reports whether the answer to the running command can have several results.
func (t *Tracker) manyResults() bool {
	switch t.cmd {
	case ComQuery, ComStmtExecute, ComProcessInfo:
		return true
	case ComStmtBulkExecute:
		return t.unit || t.state == StateRows
	}
	return false
}

// readStatus keeps the status word of an OK or EOF, whose kind is by its length and first byte.
func (t *Tracker) readStatus(f *Frame, head []byte) bool {
	i := 3
	if f.Kind != KindEOF {
		i = 1
		for range 2 { // affected rows, last insert id
			if i >= len(head) {
				return false
			}
			switch head[i] {
			case 0xfc:
				i += 3
			case 0xfd:
				i += 4
			case 0xfe:
				i += 9
			default:
				i++
			}
		}
	}
	if i+2 > len(head) {
		return false
	}
	t.status = Status(binary.LittleEndian.Uint16(head[i:]))
	return true
}

// prepared explains the first packet of the answer to a prepare.
func (t *Tracker) prepared(f *Frame, head []byte) string {
	if head[0] != 0x00 || len(head) < 9 {
		return fmt.Sprintf("answer to %s begins with 0x%02x and has %d bytes", t.cmd, head[0], f.Len)
	}
	f.Kind = KindPrepareOK
	columns := uint64(binary.LittleEndian.Uint16(head[5:]))
	params := uint64(binary.LittleEndian.Uint16(head[7:]))
	eof := !t.caps.Has(DeprecateEOF)
	t.columnE = eof && columns > 0
	t.eof = eof && params > 0
	if t.caps.Has(OptionalResultsetMetadata) && len(head) > 12 && head[12] == 0 {
		params, columns = 0, 0
	}
	t.left, t.columns = params, columns
	t.state = StateParams
	return t.defined(f)
}

// result explains the first packet of a result.
func (t *Tracker) result(f *Frame, head []byte) string {
	switch {
	case head[0] == 0x00, head[0] == 0xfe && f.Len < 9:
		return t.end(f, head)
	case head[0] == 0xfb:
		f.Kind = KindLocalInfile
		t.state = StateUpload
		return ""
	}
	n, size, ok := ReadLenenc(head)
	if !ok || n == 0 {
		return fmt.Sprintf("answer to %s begins with 0x%02x and is no column count", t.cmd, head[0])
	}
	f.Kind = KindColumnCount
	if t.caps&(OptionalResultsetMetadata|MariaDBCacheMetadata) != 0 && size < len(head) && head[size] == 0 {
		n = 0 // the client knows the columns already
	}
	t.left, t.eof = n, !t.caps.Has(DeprecateEOF)
	t.state = StateColumns
	return t.defined(f)
}

// definition explains a packet of a block of definitions, or the EOF behind it.
func (t *Tracker) definition(f *Frame, head []byte) string {
	if t.left > 0 {
		if head[0] == 0xfe {
			return fmt.Sprintf("%d definitions are missing", t.left)
		}
		f.Kind = KindColumn
		if t.state == StateParams {
			f.Kind = KindParam
		}
		t.left--
		return t.defined(f)
	}
	if head[0] != 0xfe || f.Len >= 9 {
		return fmt.Sprintf("EOF expected behind the definitions, got 0x%02x", head[0])
	}
	f.Kind = KindEOF
	if !t.readStatus(f, head) {
		return "EOF without status"
	}
	t.eof = false
	if t.state == StateColumns && t.cmd == ComStmtExecute {
		if t.status&StatusCursorExists != 0 {
			return t.end(f, head) // rows wait for COM_STMT_FETCH
		}
		t.out = t.status.Has(StatusPSOutParams | StatusMoreResultsExists)
	}
	return t.defined(f)
}

// defined moves on if the block of definitions is complete.
func (t *Tracker) defined(f *Frame) string {
	if t.left > 0 || t.eof {
		return ""
	}
	switch {
	case t.state == StateParams:
		t.state, t.left, t.eof = StateColumns, t.columns, t.columnE
		t.columns, t.columnE = 0, false
		return t.defined(f)
	case t.cmd == ComStmtPrepare:
		return t.done(f)
	}
	t.state = StateRows
	return ""
}

// row explains a row, or what ends the rows. Only the first frame of a packet gets here, and a
// row that begins with 0xfe, a column of 16 MiB or more, fills it.
func (t *Tracker) row(f *Frame, head []byte) string {
	if head[0] == 0xfe {
		limit := 9
		if t.caps&DeprecateEOF != 0 {
			limit = MaxFrame
		}
		if f.Len < limit {
			return t.end(f, head)
		}
	}
	switch t.cmd {
	case ComQuery, ComProcessInfo:
		f.Kind = KindTextRow
	case ComFieldList:
		f.Kind = KindColumn
	default:
		f.Kind = KindBinaryRow
		if head[0] != 0x00 {
			return fmt.Sprintf("binary row begins with 0x%02x", head[0])
		}
	}
	return ""
}
