package sessions

import (
	"time"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// Exchange is the summary of a command and its answer. What it counts is what the client got.
type Exchange struct {
	intercept.Exchange
	User, DB string // of the session when the exchange began, as far as the wire tells
}

// Record is an exchange with its bytes. Whoever has it may keep it.
type Record struct {
	// Detail has the command as the client sent it (Received), what the server was sent instead
	// (Sent), the server's answer, and what the client was sent instead of that (Delivered).
	intercept.Detail
	User, DB  string // of the session when the exchange began
	Statement string // the whole text, also of a prepared statement that is executed; "" if there is none or it is not known
}

// Message is the command as the client sent it, decoded: of an execute with the values of its
// parameters, unless its statement was prepared before the capture began.
func (r *Record) Message() (mysqlwire.Message, error) {
	return mysqlwire.Decode(r.Received.Kind, r.Received.Payload, r.Context)
}

// Got is the answer as the client got it. It has no packets where the client got none.
func (r *Record) Got() *mysqlwire.Answer {
	if r.Delivered != nil {
		return r.Delivered
	}
	return &r.Answer
}

// Results takes the answer that the client got apart.
func (r *Record) Results() ([]mysqlwire.Result, error) { return r.Got().Results(r.Context) }

// Digest is the statement's digest and its text, both as MySQL has them.
func (r *Record) Digest() (hash, text string) { return sqltext.Digest(r.Statement) }

// Decision is what was decided about an event, and by whom.
type Decision struct {
	Hook   string        `json:"hook"` // where: "read_query", …
	At     time.Time     `json:"time"`
	Action string        `json:"action,omitempty"` // an intercept.Action
	By     string        `json:"by,omitempty"`
	Why    string        `json:"why,omitempty"`
	Held   time.Duration `json:"held,omitempty"`    // how long it waited for a person, nanoseconds
	Delay  time.Duration `json:"delay,omitempty"`   // added by rules and scripts, nanoseconds
	Sent   []string      `json:"queries,omitempty"` // the plan: who each query is from, and its text
	Edited bool          `json:"edited,omitempty"`  // the packet or the answer was replaced
}

// String says it in a sentence for people.
func (d *Decision) String() string {
	s := d.Hook + ": " + d.Action
	if d.Action == "" {
		s = d.Hook
	}
	if d.By != "" {
		s += " by " + d.By
	}
	if d.Edited {
		s += ", edited"
	}
	if d.Held > 0 {
		s += ", held " + d.Held.Round(time.Millisecond).String()
	}
	if d.Delay > 0 {
		s += ", delayed " + d.Delay.String()
	}
	if d.Why != "" {
		s += " (" + d.Why + ")"
	}
	return s
}
