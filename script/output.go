package script

import (
	"fmt"
	"sync"
	"time"

	"mydbg/intercept"
)

// Level is how a line of output is meant.
type Level uint8

const (
	Print    Level = iota // what a script printed
	Hint                  // what may be wrong with the script, which runs all the same
	Message               // what MySQL Proxy logs at level message
	Warning               // and at level warning
	Critical              // and at level critical
	Failure               // an error in the script
)

var levelNames = [...]string{"print", "hint", "message", "warning", "critical", "error"}

func (l Level) String() string { return levelNames[l] }

// Line is a line of output and the event it belongs to.
type Line struct {
	At       time.Time
	Script   string // path
	Source   int    // line of the script that wrote it; 0 if it was not written by a line
	Event    intercept.HoldID
	Exchange intercept.Seq // 0 outside the command phase
	Conn     intercept.ConnID
	Hook     string // "" while the script was loaded
	Level    Level
	Text     string
	Err      *Error // with Failure
}

// reach are the log levels of MySQL Proxy with the least of ours that passes.
var reach = map[string]Level{"error": Failure, "critical": Critical, "warning": Warning}

// Reaches reports whether a line of the level passes --log-level=LEVEL. Every line passes "" and the
// levels below warning.
func (l Level) Reaches(level string) bool { return l >= reach[level] }

// Long is the line with what a log should say of it: of an error the hook, the connection and the
// traceback.
func (l *Line) Long() string {
	if l.Err == nil {
		return l.Text
	}
	where := "while it was loaded"
	if l.Err.Hook != "" {
		where = "in " + l.Err.Hook
	}
	text := fmt.Sprintf("error %s, connection %d: %s", where, l.Err.Conn, l.Text)
	if l.Err.Trace != "" {
		text += "\n" + l.Err.Trace
	}
	return text
}

// keptLines is how much output an engine remembers.
const keptLines = 1000

// output keeps the newest lines and hands them on.
type output struct {
	to func(Line)

	mu    sync.Mutex
	lines []Line // a ring once it is full
	next  int
}

// add keeps lines and hands them on. The caller does not have the state's turn.
func (o *output) add(lines []Line) {
	if len(lines) == 0 {
		return
	}
	o.mu.Lock()
	for _, l := range lines {
		if len(o.lines) < keptLines {
			o.lines = append(o.lines, l)
			continue
		}
		o.lines[o.next] = l
		o.next = (o.next + 1) % keptLines
	}
	o.mu.Unlock()
	if o.to == nil {
		return
	}
	for _, l := range lines {
		o.to(l)
	}
}

// list is what is remembered, oldest first.
func (o *output) list() []Line {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append(append([]Line(nil), o.lines[o.next:]...), o.lines[:o.next]...)
}
