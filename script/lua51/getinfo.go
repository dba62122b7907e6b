package lua51

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openGetInfo makes debug.getinfo that of Lua 5.1, but that namewhat is always empty.
func (b *Libs) openGetInfo() {
	b.l.GetGlobal("debug").(*lua.LTable).RawSetString("getinfo", b.l.NewFunction(getInfo))
}

func getInfo(l *lua.LState) int {
	of, arg := l, 1
	if th, ok := l.Get(1).(*lua.LState); ok {
		of, arg = th, 2
	}
	options := "flnSu"
	if l.Get(arg+1) != lua.LNil {
		options = StringArg(l, arg+1, "getinfo")
	}
	fn, isFunction := l.Get(arg).(*lua.LFunction)
	d := &lua.Debug{}
	if !isFunction {
		f, ok := Number(l.Get(arg))
		if !ok {
			ArgError(l, arg, "getinfo", "function or level expected")
		}
		if d, ok = of.GetStack(int(f)); !ok || f < 0 {
			l.Push(lua.LNil)
			return 1
		}
		v, err := of.GetInfo("nSlf", d, lua.LNil)
		if fn, ok = v.(*lua.LFunction); err != nil || !ok {
			l.Push(lua.LNil)
			return 1
		}
	}
	t := l.NewTable()
	for _, o := range options {
		switch o {
		case 'S':
			definition(t, fn)
		case 'l':
			line := -1
			if !isFunction && !fn.IsG && d.CurrentLine > 0 {
				line = d.CurrentLine
			}
			t.RawSetString("currentline", lua.LNumber(line))
		case 'u':
			n := len(fn.Upvalues)
			if fn.IsG {
				n = 0
			}
			t.RawSetString("nups", lua.LNumber(n))
		case 'n':
			t.RawSetString("namewhat", lua.LString(""))
			if !isFunction && isNamed(d) {
				t.RawSetString("name", lua.LString(d.Name))
			}
		case 'f':
			t.RawSetString("func", fn)
		case 'L':
			if !fn.IsG {
				t.RawSetString("activelines", activeLines(l, fn))
			}
		default:
			ArgError(l, arg+1, "getinfo", "invalid option")
		}
	}
	l.Push(t)
	return 1
}

// definition says where a function is defined.
func definition(t *lua.LTable, fn *lua.LFunction) {
	what, source, short, first, last := "C", "=[C]", "[C]", -1, -1
	if !fn.IsG {
		p := fn.Proto
		what, short, first, last = "Lua", p.SourceName, p.LineDefined, p.LastLineDefined
		source = sourceOf(short)
		if first == 0 {
			what, last = "main", 0
		}
	}
	t.RawSetString("what", lua.LString(what))
	t.RawSetString("source", lua.LString(source))
	t.RawSetString("short_src", lua.LString(short))
	t.RawSetString("linedefined", lua.LNumber(first))
	t.RawSetString("lastlinedefined", lua.LNumber(last))
}

// sourceOf is the name that a chunk was given. For one that is long forgotten it is made up.
func sourceOf(id string) string {
	remembered.Lock()
	defer remembered.Unlock()
	if c := remembered.chunks[id]; c != nil && c.name != "" {
		return c.name
	}
	if text, ok := strings.CutPrefix(id, `[string "`); ok {
		return strings.TrimSuffix(text, `"]`)
	}
	return "@" + id
}

// called remembers the name that a chunk was given.
func called(id, name string) {
	remembered.Lock()
	defer remembered.Unlock()
	if c := remembered.chunks[id]; c != nil {
		c.name = name
	}
}

func activeLines(l *lua.LState, fn *lua.LFunction) *lua.LTable {
	t := l.NewTable()
	for _, line := range fn.Proto.DbgSourcePositions {
		if line > 0 {
			t.RawSetInt(line, lua.LTrue)
		}
	}
	return t
}
