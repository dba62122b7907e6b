// Package rule is the one language of filters, breakpoints and rules.
//
// A condition is an expression of expr-lang over the fields of [Env]:
//
//	"orders" in tables and verb == "UPDATE" and rows > 100
//	error.code in [1205, 1213]
//	ms > 200 and not chatter
//	param(1) == "SKU-77"
//	any(row, .email matches "@test")
//
// [Compile] refuses unknown names, wrong types and bad patterns, with place and suggestion.
// [Expr.Uses] says which fields to fill in, so that nobody parses SQL for a condition that asks
// for the user only. A comparison of something not yet known, of NULL or of an absent parameter
// is not true and its opposite neither; a condition is therefore asked at the first point where
// all its fields are known ([Expr.Point]), and asking earlier does no harm.
//
// Beyond expr-lang's own meaning, words for hook, cmd, dir and verb match in any case, a digest
// by its first digits, "orders" in tables a table of any schema, and error alone says there is one.
//
// A rule is a condition with a place and actions around it, see [ParseRule]. The package knows
// nothing of connections and packets: who intercepts fills an Env and does what [Rule.Do] says.
package rule

import (
	"fmt"
	"time"
)

// A Rule says where to stop or act, when, and what to do. See [ParseRule] for its text.
type Rule struct {
	Name string
	At   []Point // as named by `at`; empty means where the condition says, see Points
	Hit  HitCond
	Prob float64       // chance to fire, 0 to 1; 0 means not given: always
	Once bool          // fires one time, or one time for each connection or digest of Hit.Per
	Pre  bool          // look at the event as received, before scripts
	For  time.Duration // a pause ends by itself after this long,
	Then Action        // doing this
	Do   []Action      // never empty after ParseRule: pause is the default
	If   *Expr         // nil matches everything
	Off  bool
}

// Per says what hits are counted by.
type Per uint8

// Hits are counted for the whole rule, for each connection or for each statement digest.
const (
	PerRule Per = iota
	PerConn
	PerDigest
)

func (p Per) String() string { return [...]string{"", "conn", "digest"}[p] }

// HitCond is the part `hit OP N per KEY` of a rule. The zero value lets every hit through.
type HitCond struct {
	Op  string // one of = != < <= > >= %, or empty for none
	N   uint64
	Per Per
}

// Fires reports whether hit number n (from 1) satisfies the condition.
func (h HitCond) Fires(n uint64) bool {
	switch h.Op {
	case "=":
		return n == h.N
	case "!=":
		return n != h.N
	case "<":
		return n < h.N
	case "<=":
		return n <= h.N
	case ">":
		return n > h.N
	case ">=":
		return n >= h.N
	case "%":
		return h.N > 0 && n%h.N == 0
	}
	return true
}

// ActionKind is what an action does.
type ActionKind uint8

// The actions. Continue is only for `then`: it lets a paused event go on.
const (
	Pause ActionKind = iota + 1
	Log
	Bell
	Mark
	Delay
	Err
	OK
	Close
	Hang
	Rewrite
	Continue
)

var actionNames = [...]string{
	Pause: "pause", Log: "log", Bell: "bell", Mark: "mark", Delay: "delay", Err: "err", OK: "ok",
	Close: "close", Hang: "hang", Rewrite: "rewrite", Continue: "continue",
}

func (k ActionKind) String() string {
	if k >= Pause && k <= Continue {
		return actionNames[k]
	}
	return fmt.Sprintf("action(%d)", uint8(k))
}

// An Action is one thing a rule does.
type Action struct {
	Kind  ActionKind
	Text  string        // of log, err (the message, empty means the code's own) and rewrite
	Delay time.Duration // of delay
	Code  int           // of err
}

// defaultActions is what a rule without `do` does.
var defaultActions = []Action{{Kind: Pause}}
