package lua51

import (
	lua "github.com/yuin/gopher-lua"
)

// mostResults bounds what one call of unpack or string.byte returns, as the stack of C functions does.
const mostResults = 8000

// openValues replaces the basic functions on values and tables whose errors or limits differ.
func (b *Libs) openValues() {
	l := b.l
	ipairs, pairs := l.GetGlobal("ipairs"), l.GetGlobal("pairs")
	for name, fn := range map[string]lua.LGFunction{
		"unpack": unpack, "select": selectArgs, "next": next, "assert": assert, "error": raise,
		"rawget": rawGet, "rawset": rawSet, "rawequal": rawEqual, "type": typeOf,
		"setmetatable": setMetatable, "getmetatable": b.getMetatable,
		"ipairs": func(l *lua.LState) int { return iterate(l, ipairs, "ipairs") },
		"pairs":  func(l *lua.LState) int { return iterate(l, pairs, "pairs") },
	} {
		l.SetGlobal(name, l.NewFunction(fn))
	}
}

func anyArg(l *lua.LState, n int, name string) lua.LValue {
	if n > l.GetTop() {
		ArgError(l, n, name, "value expected")
	}
	return l.Get(n)
}

func unpack(l *lua.LState) int {
	t := tableArg(l, 1, "unpack")
	from := OptInt(l, 2, "unpack", 1)
	to := t.Len()
	if l.Get(3) != lua.LNil {
		to = IntArg(l, 3, "unpack")
	}
	if from > to {
		return 0
	}
	n := to - from + 1
	if n <= 0 || n >= mostResults {
		l.RaiseError("too many results to unpack")
	}
	for i := from; i <= to; i++ {
		l.Push(t.RawGetInt(i))
	}
	return n
}

func selectArgs(l *lua.LState) int {
	n := l.GetTop()
	if s, ok := l.Get(1).(lua.LString); ok && len(s) > 0 && s[0] == '#' {
		l.Push(lua.LNumber(n - 1))
		return 1
	}
	i := IntArg(l, 1, "select")
	switch {
	case i < 0:
		i = n + i
	case i > n:
		i = n
	}
	if i < 1 {
		ArgError(l, 1, "select", "index out of range")
	}
	return n - i
}

func next(l *lua.LState) int {
	t := tableArg(l, 1, "next")
	key := l.Get(2)
	k, v := t.Next(key)
	l.Push(k)
	if k == lua.LNil {
		return 1
	}
	l.Push(v)
	return 2
}

func assert(l *lua.LState) int {
	if lua.LVAsBool(anyArg(l, 1, "assert")) {
		return l.GetTop()
	}
	msg := "assertion failed!"
	if l.Get(2) != lua.LNil {
		msg = StringArg(l, 2, "assert")
	}
	l.RaiseError("%s", msg)
	return 0
}

func raise(l *lua.LState) int {
	level := OptInt(l, 2, "error", 1)
	v := l.Get(1)
	if msg, ok := Text(v); ok && level > 0 {
		where := l.Where(level)
		if len(where) > 0 && where[len(where)-1] == ':' && where[0] != '[' || len(where) > 7 && where[:7] == "[string" {
			msg = where + " " + msg
		}
		v = lua.LString(msg)
	}
	l.Error(v, 0)
	return 0
}

func rawGet(l *lua.LState) int {
	l.Push(tableArg(l, 1, "rawget").RawGet(anyArg(l, 2, "rawget")))
	return 1
}

func rawSet(l *lua.LState) int {
	t := tableArg(l, 1, "rawset")
	key, v := anyArg(l, 2, "rawset"), anyArg(l, 3, "rawset")
	l.RawSet(t, key, v)
	l.SetTop(1)
	return 1
}

func rawEqual(l *lua.LState) int {
	l.Push(lua.LBool(anyArg(l, 1, "rawequal") == anyArg(l, 2, "rawequal")))
	return 1
}

func typeOf(l *lua.LState) int {
	l.Push(lua.LString(anyArg(l, 1, "type").Type().String()))
	return 1
}

func setMetatable(l *lua.LState) int {
	t := tableArg(l, 1, "setmetatable")
	meta := l.Get(2)
	if _, ok := meta.(*lua.LTable); !ok && (meta != lua.LNil || l.GetTop() < 2) {
		ArgError(l, 2, "setmetatable", "nil or table expected")
	}
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		l.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = meta
	l.SetTop(1)
	return 1
}

func (b *Libs) getMetatable(l *lua.LState) int {
	v := anyArg(l, 1, "getmetatable")
	meta := l.GetMetatable(v)
	if b.isHidden(meta) {
		meta = lua.LNil
	}
	if t, ok := meta.(*lua.LTable); ok {
		if protected := t.RawGetString("__metatable"); protected != lua.LNil {
			meta = protected
		}
	}
	l.Push(meta)
	return 1
}

// iterate is ipairs or pairs, after a look at the argument.
func iterate(l *lua.LState, fn lua.LValue, name string) int {
	t := tableArg(l, 1, name)
	l.SetTop(0)
	l.Push(fn)
	l.Push(t)
	l.Call(1, 3)
	return 3
}
