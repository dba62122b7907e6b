package intercept

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mydbg/mysqlwire"
)

// Stream is what a replica has been sent of a binary log so far, the answer to COM_BINLOG_DUMP and its
// like. It does not change: a newer one takes its place in the Exchange and the ConnInfo.
type Stream struct {
	Events   uint64
	Bytes    uint64       // of the events
	Counts   []EventCount // the most frequent first
	File     string       // the log that is read, "" before the server says
	Position uint64       // in it, behind the newest event
	GTID     string       // of the newest transaction, "" if none had one
	Acks     uint64       // of semi-synchronous replication, by the replica
	Files    int          // begun so far
}

// EventCount is how many events of one type there were.
type EventCount struct {
	Type mysqlwire.EventType
	N    uint64
}

// Text is the stream in a line: "12,345 events, 1234567 bytes, binlog.000002 at 5678; 4000 TABLE_MAP_EVENT, …".
func (st *Stream) Text() string {
	text := fmt.Sprintf("%d events, %d bytes", st.Events, st.Bytes)
	if st.File != "" {
		text += fmt.Sprintf(", %s at %d", st.File, st.Position)
	}
	if st.GTID != "" {
		text += ", transaction " + st.GTID
	}
	if st.Acks > 0 {
		text += fmt.Sprintf(", %d acknowledged", st.Acks)
	}
	if len(st.Counts) > 0 {
		text += "; " + st.CountsText()
	}
	return text
}

// CountsText are the counts by name.
func (st *Stream) CountsText() string {
	list := make([]string, len(st.Counts))
	for i, c := range st.Counts {
		list[i] = fmt.Sprintf("%d %s", c.N, c.Type)
	}
	return strings.Join(list, ", ")
}

// streaming counts the events of a running binary log stream. It takes the same memory however many
// there are.
type streaming struct {
	events, bytes, acks uint64
	counts              [256]uint64
	head                mysqlwire.EventHead // of the event under way
	file                string
	files               int
	position            uint64
	transaction         mysqlwire.TransactionID
	shown               uint64 // events that there were when it was published last
	quit                bool   // the replica has said goodbye
}

// frame counts a frame of an event; head is the frame's. It reports whether the packet has to be there
// whole for end.
func (st *streaming) frame(f mysqlwire.Frame, head []byte) (whole bool) {
	st.bytes += uint64(f.Len)
	if f.Cont {
		return false
	}
	st.events++
	h, ok := mysqlwire.ReadEventHead(head, f.Len)
	st.head = h
	st.counts[h.Type]++ // what is too short for an event counts as UNKNOWN_EVENT
	if !ok {
		return false
	}
	switch h.Type {
	case mysqlwire.EventRotate, mysqlwire.EventGTID, mysqlwire.EventMariaDBGTID:
		return !f.More
	}
	st.moveTo(h.EndPos)
	return false
}

// moveTo notes where an event ends. In a log of more than 4 GiB positions go round.
func (st *streaming) moveTo(end uint32) {
	if end == 0 || st.head.Artificial() {
		return
	}
	high := st.position &^ (1<<32 - 1)
	if uint64(end) < st.position&(1<<32-1) && uint32(st.position)-end > 1<<31 {
		high += 1 << 32
	}
	st.position = high | uint64(end)
}

// end reads an event that says where the stream stands. It reports whether another log has begun.
func (st *streaming) end(packet []byte) (rotated bool) {
	h := &st.head
	if file, at, ok := h.Rotation(packet); ok {
		rotated = file != st.file
		if rotated {
			st.files++
		}
		st.file, st.position = file, at
		return rotated
	}
	if id, ok := h.Transaction(packet); ok {
		st.transaction = id
	}
	st.moveTo(h.EndPos)
	return false
}

// snapshot is the stream for those who look on.
func (st *streaming) snapshot() *Stream {
	s := &Stream{
		Events: st.events, Bytes: st.bytes, File: st.file, Position: st.position, GTID: st.transaction.String(), Acks: st.acks, Files: st.files,
	}
	for t, n := range st.counts {
		if n > 0 {
			s.Counts = append(s.Counts, EventCount{mysqlwire.EventType(t), n})
		}
	}
	slices.SortStableFunc(s.Counts, func(a, b EventCount) int { return cmp.Compare(b.N, a.N) })
	return s
}

// showStream publishes the running stream.
func (s *session) showStream() {
	snap := s.binlog.snapshot()
	s.binlog.shown = s.binlog.events
	s.x.Stream, s.x.First = snap, s.now.timing.First
	s.conn.change(func(i *ConnInfo) { i.Stream = snap })
	s.publish()
}

// streamEvent takes note of an event that says where the stream stands.
func (s *session) streamEvent(packet []byte) {
	before := s.binlog.file
	if !s.binlog.end(packet) {
		return
	}
	if before != "" {
		s.note(Info, "#%d: the binary log goes on with %s; so far %d events, %d bytes", s.x.Seq, s.binlog.file, s.binlog.events, s.binlog.bytes)
	}
	s.showStream()
}

// replicaSays handles what a replica sends while events come: acknowledgements, and its goodbye.
func (s *session) replicaSays(f mysqlwire.Frame) {
	switch f.Kind {
	case mysqlwire.KindSemiSyncAck:
		s.binlog.acks++
	case mysqlwire.KindQuit:
		s.binlog.quit = true
	}
}

// endStream puts the last state of a stream into its exchange, which is over.
func (s *session) endStream(cause error) {
	st := s.binlog
	if st == nil {
		return
	}
	if cause != nil && (st.quit || errors.Is(cause, errClientLeft)) && s.x.Error == nil {
		s.x.State, s.x.Note = Done, "the client ended the stream" // which has no other end
	}
	s.x.Stream, s.x.First = st.snapshot(), s.now.timing.First
	s.conn.change(func(i *ConnInfo) { i.Stream = s.x.Stream })
	s.binlog = nil
}
