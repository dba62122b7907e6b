package lua51

import lua "github.com/yuin/gopher-lua"

// ArgError raises Lua's error about argument n of the function name.
func ArgError(l *lua.LState, n int, name, msg string) {
	l.RaiseError("bad argument #%d to '%s' (%s)", n, name, msg)
}

// TypeName is the type of argument n as Lua's messages call it.
func TypeName(l *lua.LState, n int) string {
	if n > l.GetTop() {
		return "no value"
	}
	return l.Get(n).Type().String()
}

func StringArg(l *lua.LState, n int, name string) string {
	s, ok := Text(l.Get(n))
	if !ok {
		ArgError(l, n, name, "string expected, got "+TypeName(l, n))
	}
	return s
}

func IntArg(l *lua.LState, n int, name string) int {
	i, ok := Integer(l.Get(n))
	if !ok {
		ArgError(l, n, name, "number expected, got "+TypeName(l, n))
	}
	return i
}

func OptInt(l *lua.LState, n int, name string, other int) int {
	if l.Get(n) == lua.LNil {
		return other
	}
	return IntArg(l, n, name)
}
