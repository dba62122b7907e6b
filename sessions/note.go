package sessions

import (
	"encoding/json"
	"time"

	"mydbg/intercept"
)

// enterprise is the number of the custom blocks: the one that RFC 5612 reserves for examples and
// documentation. What is in them is JSON with a type that begins with this program's name.
const enterprise = 32473

// formatVersion grows when readers of before could misunderstand a recording.
const formatVersion = 1

// note is a custom block: what a recording says beside the packets. Readers ignore types and fields
// that they do not know.
type note struct {
	Type    noteType         `json:"type"`
	Version int              `json:"version,omitempty"`
	Conn    intercept.ConnID `json:"conn,omitempty"`
	At      time.Time        `json:"time,omitzero"`

	// Of a leg that is opened: which one, and its ends as the packets have them.
	Leg  string `json:"leg,omitempty"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`

	// Of a connection: what cannot be seen in the packets.
	Client    string `json:"client,omitempty"`
	Listen    string `json:"listen,omitempty"`
	Backend   string `json:"backend,omitempty"`
	ClientTLS string `json:"client_tls,omitempty"`
	ServerTLS string `json:"server_tls,omitempty"`
	Plugin    string `json:"auth_plugin,omitempty"`
	Cause     string `json:"cause,omitempty"`

	// Of an exchange: its command is number Command of the connection, from 1. Zero is the login.
	Exchange intercept.Seq `json:"exchange,omitempty"`
	Command  uint64        `json:"command,omitempty"`
	Marks    []string      `json:"marks,omitempty"`
	By       string        `json:"by,omitempty"`
	Note     string        `json:"note,omitempty"`
	Held     time.Duration `json:"held,omitempty"` // nanoseconds

	// Of a statement that was prepared before the file began: frames as they crossed the leg.
	Prepare []byte `json:"prepare,omitempty"`
	Answer  []byte `json:"answer,omitempty"`
	Execute []byte `json:"execute,omitempty"` // the last one that sent types

	Decision *Decision  `json:"decision,omitempty"`
	Query    *queryNote `json:"query,omitempty"`

	Level string `json:"level,omitempty"` // of a notice
	Text  string `json:"text,omitempty"`
	Bytes uint64 `json:"bytes,omitempty"` // of a gap
}

type noteType string

const (
	noteRecording noteType = "mydbg.recording" // the first one of a section
	noteOpen      noteType = "mydbg.open"      // of a leg, before its first packet
	noteLogin     noteType = "mydbg.login"     // what became of a login
	noteDecision  noteType = "mydbg.decision"
	noteQuery     noteType = "mydbg.query"    // of a query that is not simply the client's, before its packets
	noteExchange  noteType = "mydbg.exchange" // of one that was not simply relayed, when it is over
	noteClose     noteType = "mydbg.close"
	noteNotice    noteType = "mydbg.notice"
	noteGap       noteType = "mydbg.gap"       // bytes that could not be written in time
	noteContinued noteType = "mydbg.continued" // the connection began in an earlier file: its login is repeated here
	noteStatement noteType = "mydbg.statement" // it has prepared
)

// queryNote says what a query on the server's leg is.
type queryNote struct {
	Number uint64 `json:"number"` // of the commands on the server's leg, from 1
	Origin string `json:"origin"`
	Main   bool   `json:"main,omitempty"` // its answer is that of the client's command
	By     string `json:"by,omitempty"`
}

func (q *queryNote) origin() intercept.Origin {
	for o := intercept.FromClient; o <= intercept.FromRule; o++ {
		if o.String() == q.Origin {
			return o
		}
	}
	return intercept.FromScript
}

// markNames are the marks that a recording keeps.
var markNames = map[string]intercept.Mark{
	"paused": intercept.MarkPaused, "edited": intercept.MarkEdited, "injected": intercept.MarkInjected, "crafted": intercept.MarkCrafted,
	"scripted": intercept.MarkScripted, "rule": intercept.MarkRule, "partial": intercept.MarkPartial, "hidden": intercept.MarkHidden,
	"marked": intercept.MarkMarked, "opaque": intercept.MarkOpaque,
}

func namesOf(m intercept.Mark) (names []string) {
	for _, name := range []string{"paused", "edited", "injected", "crafted", "scripted", "rule", "partial", "hidden", "marked", "opaque"} {
		if m&markNames[name] != 0 {
			names = append(names, name)
		}
	}
	return names
}

// parseNote reads a custom block; false when it is none of ours. The padding behind JSON is zeros.
func parseNote(b []byte) (n note, ok bool) {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return n, json.Unmarshal(b, &n) == nil && n.Type != ""
}
