package rule

import (
	"fmt"
	"strings"
	"sync"

	"github.com/expr-lang/expr/vm"
)

// An Expr is a compiled condition. It is immutable and safe for concurrent use. A nil Expr
// matches everything.
type Expr struct {
	src   string
	uses  FieldSet
	point Point
	hooks []Point // points that `hook ==` or `hook in` name
	// programs has one program for each point: the condition with what cannot be known there
	// taken as not true. A nil program is never true.
	programs [Disconnect + 1]*vm.Program
	always   [Disconnect + 1]bool // the program is constantly true
}

// Compile parses and checks a condition. Its errors are of type *SyntaxError.
func Compile(src string) (*Expr, error) {
	if strings.TrimSpace(src) == "" {
		return nil, &SyntaxError{Src: src, Msg: "empty condition", Hint: `try: verb == "UPDATE" and rows > 100`}
	}
	return compile(src)
}

var machines = sync.Pool{New: func() any { return new(vm.VM) }}

// Eval reports whether the condition holds. Parts that ask what is not yet known at env.At are not
// true, and neither are their opposites, as NULL in SQL. A nil env is one without any knowledge.
func (e *Expr) Eval(env *Env) (ok bool, err error) {
	if e == nil {
		return true, nil
	}
	if env == nil {
		env = &Env{}
	}
	at := env.At
	if at > Disconnect || env.Over {
		at = 0
	}
	program := e.programs[at]
	if program == nil {
		return e.always[at], nil
	}
	defer func() {
		if r := recover(); r != nil {
			ok, err = false, fmt.Errorf("evaluate %s: %v", e.src, r)
		}
	}()
	m := machines.Get().(*vm.VM)
	defer machines.Put(m)
	out, err := m.Run(program, env)
	if err != nil {
		return false, fmt.Errorf("evaluate %s: %w", e.src, asSyntaxError(e.src, err))
	}
	ok, _ = out.(bool)
	return ok, nil
}

// Uses is the set of fields the condition asks for: what the caller must fill.
func (e *Expr) Uses() FieldSet {
	if e == nil {
		return 0
	}
	return e.uses
}

// Point is the first point at which all fields of the condition are known.
func (e *Expr) Point() Point {
	if e == nil {
		return ConnectServer
	}
	return e.point
}

// String is the condition as it was written.
func (e *Expr) String() string {
	if e == nil {
		return ""
	}
	return e.src
}

// MayHoldAt reports whether the condition can be true at p at all.
func (e *Expr) MayHoldAt(p Point) bool {
	if e == nil || p > Disconnect {
		return e == nil
	}
	return e.programs[p] != nil || e.always[p]
}
