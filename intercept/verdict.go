package intercept

import (
	"time"

	"mydbg/mysqlwire"
)

// Action is what should happen to an event.
type Action uint8

const (
	Pass    Action = iota // no opinion: ask the next hook, forward in the end
	Forward               // let it go on, changed as the verdict says; ask no further automatic hook
	Hold                  // park it for the person
	Reply                 // answer the client with Verdict.Answer in the server's place
	Drop                  // keep the answer of an injected query from the client (read_query_result only)
	Close                 // close both sides
	Hang                  // send the client nothing and wait until it leaves: a test of its timeouts
)

var actionNames = [...]string{"pass", "forward", "hold", "reply", "drop", "close", "hang"}

func (a Action) String() string { return actionNames[a] }

// Verdict is a decision about one event. Which fields count depends on the event:
//
//	connect_server     Reply (greeting or error in the server's place), Backend, Pooled
//	read_handshake     Forward with Packet; Reply
//	read_auth          Forward with Packet; Reply, Stay
//	read_auth_result   Forward with Packet; Reply, Stay
//	read_query         Forward with Queries; Reply, before which Queries are sent unseen by the client
//	read_query_result  Forward with Answer (an edited one); Reply; Drop; Queries go to the front of the queue
//	                   of a request for a file: Forward with Packet; Reply, which refuses it
//	disconnect         nothing
//
// Delay, Close, Hang and CloseAfter count everywhere but at disconnect.
type Verdict struct {
	Action  Action
	Packet  []byte            // payload sent instead of the one received
	Queries []Query           // what is sent to the server instead of the command
	Answer  *mysqlwire.Answer // what the client gets
	Backend int               // 1-based index of the backend to connect to, 0 is the default choice

	// Pooled goes on with the pooled connection that was picked at connect_server, see Conn.Pick:
	// the client is logged in on it. Without it that connection goes back to its pool.
	Pooled bool
	// Stay has the connection go on after a Reply at read_auth or read_auth_result, whatever the
	// answer says, as in MySQL Proxy. Without it an error ends it.
	Stay bool
	// Unawaited carries the verdict out though the client has left, see Held.Left.
	Unawaited  bool
	CloseAfter bool          // close the connection once the client has its answer
	Delay      time.Duration // wait this long before doing it
	By         string        // who decided: "breakpoint stock", "script audit.lua:12", "you"
	Why        string        // shown in the list and recorded
	Marked     bool          // mark the exchange in the list

	holdFor time.Duration // with Hold: resolve by then after this long
	then    *Verdict
}

// Touches reports whether the verdict changes traffic in any way.
func (v *Verdict) Touches() bool {
	return v.Action > Hold || v.Packet != nil || v.Queries != nil || v.Answer != nil || v.CloseAfter || v.Delay > 0
}

// Origin is who a query comes from.
type Origin uint8

const (
	FromClient Origin = iota
	FromScript
	FromPerson
	FromRule
	FromServer // what it says unasked
)

var originNames = [...]string{"client", "script", "you", "rule", "server"}

func (o Origin) String() string { return originNames[o] }

// Query is one entry of a plan: a command for the server and what becomes of its answer.
type Query struct {
	ID     int    // free for scripts (inj.id)
	Packet []byte // command payload, from the command byte on, encoded for the connection's capabilities
	Origin Origin
	// Show sends the answer to the client, which gets one per command: later ones are dropped, with
	// an error in the log, unless they Join.
	Show bool
	// Join makes the answer a further result of the one shown before it, which needs a client that
	// agreed to MULTI_RESULTS.
	Join bool
	// Need collects the answer whole before read_query_result is asked. Without it a shown
	// answer streams through, and what is not shown is counted and dropped.
	Need bool
	// LastPrepared puts the statement id that the plan's latest COM_STMT_PREPARE got into the
	// packet: a statement can be prepared anew and executed in one plan.
	LastPrepared bool

	plain  bool // a COM_QUERY without the attributes that the connection may have agreed to
	owner  Hook // asked at read_query_result, whatever its interest
	queued time.Time
}

// QueryText is a plan entry for a statement given as text, whose answer is collected.
func QueryText(sql string, o Origin) Query {
	return Query{Packet: append([]byte{byte(mysqlwire.ComQuery)}, sql...), Origin: o, Need: true, plain: true}
}
