package modules

import (
	"runtime"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// levels are those that scripts may log at. The original ends with the first; nothing ends here.
var levels = []string{"error", "critical", "warning", "message", "info", "debug"}

// chassis also turns print into a logger, for all that share the state.
func (s *set) chassis() map[string]lua.LGFunction {
	os := s.l.GetGlobal("os").(*lua.LTable)
	os.RawSetString("print", s.l.GetGlobal("print"))
	s.l.SetGlobal("print", s.l.NewFunction(func(l *lua.LState) int {
		s.Log(l, "message", logText(l, 1, "print"))
		return 0
	}))
	fns := map[string]lua.LGFunction{
		"log": s.chassisLog, "get_stats": stats,
		"mem_profile": func(*lua.LState) int { return 0 }, // as in the original on systems of today
		"set_shutdown": func(l *lua.LState) int {
			if s.Shutdown == nil {
				s.Log(l, "warning", "chassis.set_shutdown() does nothing here")
				return 0
			}
			s.Shutdown()
			return 0
		},
	}
	for _, level := range levels[1:] {
		fns[level] = func(l *lua.LState) int {
			s.Log(l, level, logText(l, 1, "?"))
			return 0
		}
	}
	return fns
}

func (s *set) chassisLog(l *lua.LState) int {
	level := "message"
	if l.Get(1) != lua.LNil {
		level = stringArg(l, 1)
	}
	text := logText(l, 2, "?")
	for _, known := range levels {
		if level == known {
			if level == "error" {
				level = "critical"
			}
			s.Log(l, level, text)
			return 0
		}
	}
	badArg(l, 1, "invalid option '"+level+"'")
	return 0
}

// logText is argument n as text; nil is "nil".
func logText(l *lua.LState, n int, name string) string {
	if l.Get(n) == lua.LNil {
		return "nil"
	}
	return lua51.StringArg(l, n, name)
}

// stats counts the memory of the process: that of one Lua state is not known by itself.
func stats(l *lua.LState) int {
	switch l.GetTop() {
	case 0:
	case 1:
		stringArg(l, 1)
		l.Push(lua.LNil) // no plugin keeps any
		return 1
	default:
		badArg(l, 2, "currently only zero or one arguments are allowed")
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	own := l.NewTable()
	for name, n := range map[string]uint64{
		"lua_mem_alloc": m.Mallocs, "lua_mem_free": m.Frees, "lua_mem_bytes": m.HeapAlloc, "lua_mem_bytes_max": m.HeapSys,
	} {
		own.RawSetString(name, lua.LNumber(n))
	}
	all := l.NewTable()
	all.RawSetString("chassis", own)
	l.Push(all)
	return 1
}
