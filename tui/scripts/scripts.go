// Package scripts is the Lua pane: how the scripts and their hooks do, what went wrong in them, what they
// print and at which event, and a prompt that tries a snippet, or the hooks, on an event.
//
// The pane has three parts that have the keys in turn: the table of scripts and hooks, the output, the
// prompt. Only the prompt takes text. The script that is selected in the table is the one in whose
// environment snippets run, whose file is edited and whose newest error is shown.
//
// It knows no Lua. Whoever runs scripts implements Engine.
package scripts

import (
	"context"
	"fmt"
	"time"

	"mydbg/intercept"
)

// Engine runs snippets and knows the scripts. Its methods are safe for concurrent use; Scripts and Lines are quick.
type Engine interface {
	// Run tries code on ev, in the environment that script n of Scripts has for the event's connection, and
	// changes nothing about it. Cancelling ctx stops it.
	Run(ctx context.Context, n int, ev *intercept.Event, code string) Result
	// Try asks the hooks of all scripts about a copy of ev. Nothing of what they decide is carried out.
	Try(ctx context.Context, ev *intercept.Event) ([]Tried, error)
	Scripts() []Status
	Lines() []Line // newest output, oldest first
	// Source is the text of script n, Save writes it and has open connections run it: what may be wrong with it
	// all the same comes back as findings. A text that does not compile is an error and changes nothing.
	Source(n int) ([]byte, error)
	Save(ctx context.Context, n int, text []byte) (findings []string, err error)
	// Reload has open connections run script n as its file is now.
	Reload(ctx context.Context, n int) error
}

// Result is what a snippet did.
type Result struct {
	Output   []string           // what it printed
	Verdict  *intercept.Verdict // what it decided; nil without a decision
	Describe string             // the decision in words, or why there is none
	Err      error
}

// Tried is what a script's hook would have done.
type Tried struct {
	Script   string // its file
	Hook     string
	Exists   bool     // the script has the hook
	Output   []string // what it printed
	Describe string   // what it would have decided
	Details  []string // the statements and answers of that
	Err      error
}

// Status is how a script does.
type Status struct {
	Name  string // its file, without the directory
	Path  string
	OK    bool
	Err   *Failure // the newest error; nil without one
	Conns int      // connections that have run it
	Hooks []Hook   // those that were called, in the order of a connection's life
}

// Failure is an error in a script.
type Failure struct {
	At    time.Time
	Text  string // rw.lua:41: attempt to index a nil value
	Path  string // of the file that has the line
	Line  int    // 0 if it is not known
	Hook  string // "" while the script was loaded
	Conn  intercept.ConnID
	Trace string // Lua's traceback; "" without one
}

// whole is the error with where and when it happened.
func (f *Failure) whole() string {
	where := "in " + f.Hook
	if f.Hook == "" {
		where = "while it was loaded"
	}
	return fmt.Sprintf("%s %s, connection %d: %s", f.At.Format("15:04:05"), where, f.Conn, f.Text)
}

// Hook is how a hook of a script does.
type Hook struct {
	Name   string
	Calls  uint64
	Errors uint64
	Total  time.Duration // of all calls
	Worst  time.Duration
	Last   string // what it decided last, in words; "" without a decision yet
}

// mean is how long a call takes.
func (h *Hook) mean() time.Duration {
	if h.Calls == 0 {
		return 0
	}
	return h.Total / time.Duration(h.Calls)
}

// Level is how a line of output is meant.
type Level uint8

const (
	Print   Level = iota
	Hint          // what may be wrong with the script, which runs all the same
	Message       // logged by the script
	Warning       // and more important
	Failed        // an error
)

var levelTags = [...]string{"", "hint: ", "", "warning: ", ""}

// Line is a line of output and the event it belongs to.
type Line struct {
	At       time.Time
	Script   string
	Source   int           // line of the script; 0 if not known
	Exchange intercept.Seq // 0 outside the command phase
	Conn     intercept.ConnID
	Hook     string // "" while the script was loaded
	Level    Level
	Text     string
	Trace    string // of an error
}

// From is the place that wrote the line, audit.lua:9.
func (l *Line) From() string {
	if l.Source > 0 {
		return fmt.Sprintf("%s:%d", l.Script, l.Source)
	}
	return l.Script
}

// Said is the text with its level.
func (l *Line) Said() string { return levelTags[l.Level] + l.Text }
