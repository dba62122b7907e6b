package intercept

import (
	"sync"
	"sync/atomic"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// Point is a hook event's place in the life of a connection, see package rule.
type Point = rule.Point

// Seq numbers exchanges over all connections, from 1 in the order they began.
type Seq uint64

// ConnID numbers client connections from 1.
type ConnID uint64

// HoldID names a held event.
type HoldID uint64

var lastEvent atomic.Uint64

// Event is one hook event: a place where traffic waits for a decision. It does not change while
// hooks and people look at it, and the bytes it holds are its own.
type Event struct {
	ID       HoldID
	Point    Point
	Conn     *Conn
	Exchange Seq // 0 outside the command phase
	At       time.Time
	Dir      mysqlwire.Direction

	// Packet is the payload as received: the greeting, the login, the authentication result, the
	// command; nil at connect_server, read_query_result and disconnect. Of a packet over the hold
	// limit it is the head, and PacketLen is longer than it.
	Packet    []byte
	PacketLen int
	Kind      mysqlwire.Kind
	Context   *mysqlwire.Context // decodes Packet, or the answer's packets

	SQL  string          // statement text as UTF-8, also for executes
	Stmt *mysqlwire.Stmt // the prepared statement an execute names; nil if none or not known
	Loop bool            // the client's command is one of many alike in a row

	Query  Query             // read_query_result: the query that was answered
	Answer *mysqlwire.Answer // read_query_result: its answer; Partial above the hold limit; nil if it streamed
	Timing Timing            // read_query_result
	Counts Counts            // read_query_result
	Queued int               // queries still waiting behind it

	// File is the server's request for a file at read_query_result, the Packet of the event: Answer
	// is nil then. A verdict can give another name (Forward with Packet) or refuse (Reply).
	File *FileRequest

	SoFar Verdict // what the automatic hooks decided; set when stops are asked

	asked []byte // the beginning of the client's command, whose answer is decided on

	once    sync.Once
	message mysqlwire.Message
	decoded error
}

// Timing of one query: when it was queued, sent, when the first and the last byte of its answer came.
type Timing struct {
	Queued, Sent, First, Last time.Time
}

// Message is Packet decoded.
func (ev *Event) Message() (mysqlwire.Message, error) {
	ev.once.Do(func() { ev.message, ev.decoded = mysqlwire.Decode(ev.Kind, ev.Packet, ev.Context) })
	return ev.message, ev.decoded
}

// Command is the event's command; 0 (COM_SLEEP) at events without one.
func (ev *Event) Command() mysqlwire.Command {
	switch {
	case ev.Point == rule.ReadQuery && len(ev.Packet) > 0:
		return mysqlwire.Command(ev.Packet[0])
	case ev.Point == rule.ReadQueryResult && len(ev.Query.Packet) > 0:
		return mysqlwire.Command(ev.Query.Packet[0])
	}
	return mysqlwire.ComSleep
}

// Whole reports whether Packet is complete: only then can it be edited.
func (ev *Event) Whole() bool { return len(ev.Packet) == ev.PacketLen }

// Copy is the event anew, so that its packet can be decoded apart from the original.
func (ev *Event) Copy() *Event {
	return &Event{
		ID: ev.ID, Point: ev.Point, Conn: ev.Conn, Exchange: ev.Exchange, At: ev.At, Dir: ev.Dir, Packet: ev.Packet,
		PacketLen: ev.PacketLen, Kind: ev.Kind, Context: ev.Context, SQL: ev.SQL, Stmt: ev.Stmt, Loop: ev.Loop, Query: ev.Query,
		Answer: ev.Answer, Timing: ev.Timing, Counts: ev.Counts, Queued: ev.Queued, asked: ev.asked,
	}
}
