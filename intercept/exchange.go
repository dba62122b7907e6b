package intercept

import (
	"time"

	"mydbg/mysqlwire"
)

// State is where an exchange or a connection stands.
type State uint8

const (
	InFlight State = iota // sent, answer not complete
	Paused                // an event of it is parked
	Done
	Gone // a side left before it was done
)

var stateNames = [...]string{"in flight", "paused", "done", "gone"}

func (s State) String() string { return stateNames[s] }

// Mark is what happened to an exchange beside being relayed.
type Mark uint16

const (
	MarkPaused      Mark = 1 << iota // was held
	MarkEdited                       // a person changed it
	MarkInjected                     // not sent by the client
	MarkCrafted                      // answered in the server's place
	MarkScripted                     // a script changed it
	MarkRule                         // a rule changed or delayed it
	MarkPartial                      // only partly kept or decoded
	MarkHidden                       // its answer was not sent to the client
	MarkMarked                       // marked by a person or a rule
	MarkOpaque                       // the tracker lost it
	MarkUnasked                      // said by the server of its own accord
	MarkUnnamedFile                  // the server asked for a file that the statement does not name
	MarkLoop                         // one of many alike statements in a row
	MarkUnawaited                    // its client left while it was held
)

// Counts of an answer, as far as it has come.
type Counts struct {
	Rows, Cols             uint64
	RowBytes               uint64 // of the rows as the server sent them, with packet headers
	Results                int    // result sets and OKs
	Affected, LastInsertID uint64
	Warnings               uint16
	Status                 mysqlwire.Status
	Error                  *mysqlwire.ERR // nil without one; its message is UTF-8
	BytesIn, BytesOut      uint64         // command as sent to the server; answer as sent to the client
}

// Exchange is one command and its whole answer, the row of the live list. A query that did not come
// from the client is an exchange of its own with a Parent.
type Exchange struct {
	Seq    Seq
	Parent Seq // of an injected query
	Conn   ConnID
	// Version grows with every change of any exchange of the journal: a row drawn at this version
	// need not be drawn again.
	Version uint64

	Command  mysqlwire.Command
	SQL      string // first SQLPrefix bytes of the statement
	SQLLen   int
	StmtID   uint32
	Origin   Origin
	Begun    time.Time     // last byte of the command seen
	Sent     time.Time     // command sent to the server; zero if it was not
	First    time.Time     // first byte of the answer
	Ended    time.Time     // zero while in flight
	HeldFor  time.Duration // all holds and delays of it, over when the exchange is done
	State    State
	HeldAt   Point // with Held: where
	Hold     HoldID
	Marks    Mark
	By       string  // who stopped or changed it, last
	Note     string  // "client left after 30.0s", "not sent"
	InTx     bool    // the server was in a transaction when it began
	Upload   *Upload // files that the client was asked for; nil without any
	Progress string  // that the server reported last, while it runs; MariaDB's only
	Stream   *Stream // of the binary log; nil without one
	Counts
}

// SQLPrefix is how much of a statement the journal keeps per exchange.
const SQLPrefix = 512

// Took is the time to the end of the answer, time held not counted; up to now while in flight.
func (x *Exchange) Took() time.Duration {
	end := x.Ended
	if end.IsZero() {
		end = time.Now()
	}
	return max(end.Sub(x.Begun)-x.HeldFor, 0)
}

// Failed reports whether the answer was an error.
func (x *Exchange) Failed() bool { return x.Error != nil }
