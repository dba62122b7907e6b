package script

import (
	"slices"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// entry is a query a script has queued.
type entry struct {
	id     int
	packet string
	need   bool // resultset_is_needed
	queued time.Time
}

// queue is proxy.queries.
type queue struct {
	entries []entry
}

// pop takes the next query off the queue.
func (q *queue) pop() *entry {
	e := q.entries[0]
	q.entries = q.entries[1:]
	return &e
}

func (q *queue) reset() { q.entries = nil }

// queueClass makes the metatable of proxy.queries, which is its own table of methods.
func (u *universe) queueClass() *lua.LTable {
	t := u.l.NewTable()
	length := u.l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LNumber(len(self[*queue](l, "queries").entries)))
		return 1
	})
	add := func(name string, at func(q *queue) int) {
		t.RawSetString(name, u.l.NewFunction(func(l *lua.LState) int {
			q := self[*queue](l, name)
			e := readEntry(l, name)
			q.entries = slices.Insert(q.entries, at(q), e)
			return 0
		}))
	}
	add("append", func(q *queue) int { return len(q.entries) })
	add("prepend", func(*queue) int { return 0 })
	t.RawSetString("reset", u.l.NewFunction(func(l *lua.LState) int {
		self[*queue](l, "reset").reset()
		return 0
	}))
	t.RawSetString("len", length) // the manual has it, the original has not
	t.RawSetString("__len", length)
	t.RawSetString("__index", t)
	t.RawSetString("__newindex", u.l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("attempt to index a userdata value (proxy.queries cannot be written)")
		return 0
	}))
	return t
}

// readEntry reads the arguments of append and prepend. Messages count them without self.
func readEntry(l *lua.LState, name string) entry {
	id, ok := integer(l.Get(2))
	if !ok {
		argError(l, 1, name, "number expected, got "+typeName(l, 2))
	}
	packet, ok := text(l.Get(3))
	if !ok {
		argError(l, 2, name, "string expected, got "+typeName(l, 3))
	}
	e := entry{id: id, packet: packet, queued: time.Now()}
	switch options := l.Get(4).(type) {
	case *lua.LNilType:
	case *lua.LTable:
		switch need := l.GetField(options, "resultset_is_needed").(type) {
		case *lua.LNilType:
		case lua.LBool:
			e.need = bool(need)
		default:
			argError(l, 3, name, ":"+name+"(..., { resultset_is_needed = boolean } ), is "+need.Type().String())
		}
	default:
		argError(l, 3, name, "table expected, got "+typeName(l, 4))
	}
	return e
}
