package lua51

import lua "github.com/yuin/gopher-lua"

// ArgError raises Lua's error about argument n of the function name.
func ArgError(l *lua.LState, n int, name, msg string) {
	if asMethod(l, name) {
		if n--; n == 0 {
			l.RaiseError("calling '%s' on bad self (%s)", name, msg)
		}
	}
	l.RaiseError("bad argument #%d to '%s' (%s)", n, name, msg)
}

// TypeName is the type of argument n as Lua's messages call it.
func TypeName(l *lua.LState, n int) string {
	if n > l.GetTop() {
		return "no value"
	}
	return l.Get(n).Type().String()
}

// StringArg is argument n as a string; a number is one, too.
func StringArg(l *lua.LState, n int, name string) string {
	s, ok := Text(l.Get(n))
	if !ok {
		ArgError(l, n, name, "string expected, got "+TypeName(l, n))
	}
	return s
}

// IntArg is argument n as an integer; a string that reads as a number is one, too.
func IntArg(l *lua.LState, n int, name string) int {
	i, ok := Integer(l.Get(n))
	if !ok {
		ArgError(l, n, name, "number expected, got "+TypeName(l, n))
	}
	return i
}

// OptInt is IntArg with a value for nil.
func OptInt(l *lua.LState, n int, name string, other int) int {
	if l.Get(n) == lua.LNil {
		return other
	}
	return IntArg(l, n, name)
}

func tableArg(l *lua.LState, n int, name string) *lua.LTable {
	t, ok := l.Get(n).(*lua.LTable)
	if !ok {
		ArgError(l, n, name, "table expected, got "+TypeName(l, n))
	}
	return t
}
