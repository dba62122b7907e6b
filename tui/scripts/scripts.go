// Package scripts is the Lua pane: how the scripts do, what they print and at which event, and a
// prompt that tries a snippet on a held event.
//
// It knows no Lua. Whoever runs scripts implements Engine.
package scripts

import (
	"context"
	"time"

	"mydbg/intercept"
)

// Engine runs snippets and knows the scripts. Its methods are safe for concurrent use; Scripts and Lines are quick.
type Engine interface {
	// Run tries code on ev and changes nothing about it. Cancelling ctx stops it.
	Run(ctx context.Context, ev *intercept.Event, code string) Result
	Scripts() []Status
	Lines() []Line // newest output, oldest first
}

// Result is what a snippet did.
type Result struct {
	Output   []string           // what it printed
	Verdict  *intercept.Verdict // what it decided; nil without a decision
	Describe string             // the decision in words, or why there is none
	Err      error
}

// Status is how a script does.
type Status struct {
	Name  string // its file
	OK    bool
	Err   string // the newest error, "" without one
	Conns int    // connections that have run it
	Calls uint64 // of its hooks
}

// Line is a line of output and the event it belongs to.
type Line struct {
	At       time.Time
	Script   string
	Source   int           // line of the script; 0 if not known
	Exchange intercept.Seq // 0 outside the command phase
	Conn     intercept.ConnID
	Text     string
	Failed   bool // it is an error
}
