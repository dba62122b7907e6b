package script

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// clock ends Lua code that runs too long. It is the context of all code of a universe; gopher-lua
// asks Done before each instruction, which is where the time is looked at now and then. Nothing has
// to be started or stopped per call. It belongs to whoever has the turn.
type clock struct {
	steps uint
	end   time.Time     // zero: no deadline
	limit time.Duration // for the message
	outer context.Context
	over  error // why the call has to end
}

// stepsPerLook is how many instructions pass between looks at the time, some 30 µs.
const stepsPerLook = 1024

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// start begins a call; a limit of 0 is none.
func (c *clock) start(ctx context.Context, limit time.Duration) {
	*c = clock{outer: ctx, limit: limit}
	if limit > 0 {
		c.end = time.Now().Add(limit)
	}
}

// stop ends a call: nothing runs, nothing is watched.
func (c *clock) stop() { *c = clock{} }

// look finds out whether the call's time is over.
func (c *clock) look() error {
	switch {
	case c.over != nil || c.outer == nil:
	case c.outer.Err() != nil:
		c.over = fmt.Errorf("stopped: %w", context.Cause(c.outer))
		if errors.Is(c.outer.Err(), context.Canceled) {
			c.over = errors.New("stopped: cancelled")
		}
	case !c.end.IsZero() && time.Now().After(c.end):
		c.over = fmt.Errorf("stopped: it ran longer than %v", c.limit)
	}
	return c.over
}

// check raises an error in l when the call's time is over.
func (c *clock) check(l *lua.LState) {
	if err := c.look(); err != nil {
		l.RaiseError("%s", err.Error())
	}
}

// Done is asked before each instruction. A nil channel is never ready and costs the least.
func (c *clock) Done() <-chan struct{} {
	if c.steps++; c.steps%stepsPerLook == 0 {
		_ = c.look()
	}
	if c.over != nil {
		return closed
	}
	return nil
}

func (c *clock) Err() error                       { return c.over }
func (c *clock) Deadline() (t time.Time, ok bool) { return c.end, !c.end.IsZero() }
func (c *clock) Value(any) any                    { return nil }
