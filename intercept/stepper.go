package intercept

import (
	"sync/atomic"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// StepMode says where a connection stops next, in the words of debuggers.
type StepMode int32

const (
	Continue   StepMode = iota // at breakpoints only
	StepEvent                  // step: at its next hook event
	StepNext                   // next: at its next command, letting answers through
	StepFinish                 // finish: at the end of the running answer
	StepCommit                 // at the first command after the transaction
)

var stepNames = [...]string{"", "step", "next", "finish", "until commit"}

func (m StepMode) String() string { return stepNames[m] }

// Stepper holds connections where they were told to stop. Unlike breakpoints it is asked by the
// session itself, since what it wants differs from connection to connection.
type Stepper struct{ all atomic.Bool }

// Set gives c a mode. It is used up by the next stop.
func (s *Stepper) Set(c *Conn, m StepMode) { c.step.Store(int32(m)) }

// PauseAll makes every connection stop at its next event, new ones included, until it is turned off.
func (s *Stepper) PauseAll(on bool) { s.all.Store(on) }

// PausingAll reports whether PauseAll is on.
func (s *Stepper) PausingAll() bool { return s.all.Load() }

// wants reports whether c may have to stop at p.
func (s *Stepper) wants(c *Conn, p Point) bool {
	if s.all.Load() {
		return true
	}
	switch StepMode(c.step.Load()) {
	case StepEvent:
		return true
	case StepNext, StepCommit:
		return p == rule.ReadQuery
	case StepFinish:
		return p == rule.ReadQueryResult
	}
	return false
}

// stop reports whether c stops here and uses its mode up.
func (s *Stepper) stop(c *Conn, ev *Event) (Verdict, bool) {
	mode := StepMode(c.step.Load())
	switch {
	case !s.wants(c, ev.Point), mode == StepFinish && ev.File != nil && !s.all.Load():
		return Verdict{}, false
	case mode == StepCommit && mysqlwire.Status(c.status.Load()).Has(mysqlwire.StatusInTrans):
		return Verdict{}, false
	case mode != Continue && c.step.CompareAndSwap(int32(mode), int32(Continue)):
		return Verdict{Action: Hold, By: "stepping (" + mode.String() + ")", Why: mode.String()}, true
	case s.all.Load():
		return Verdict{Action: Hold, By: "pause", Why: "every connection is paused"}, true
	}
	return Verdict{}, false
}
