package lua51

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openBase replaces the basic functions that differ from Lua 5.1 or would reach beyond the script.
func (b *Libs) openBase() {
	l := b.l
	l.SetGlobal("print", l.NewFunction(b.luaPrint))
	l.SetGlobal("tostring", l.NewFunction(luaToString))
	l.SetGlobal("tonumber", l.NewFunction(luaToNumber))
	l.SetGlobal("collectgarbage", l.NewFunction(collectGarbage))
	l.SetGlobal("loadstring", l.NewFunction(loadString))
	l.GetGlobal("math").(*lua.LTable).RawSetString("huge", lua.LNumber(math.Inf(1)))
	l.SetGlobal("_printregs", lua.LNil)
	l.SetGlobal("channel", lua.LNil) // waiting in Lua would hold up every connection
}

// Display is v as print and tostring show it.
func Display(l *lua.LState, v lua.LValue) string {
	switch v := v.(type) {
	case lua.LNumber:
		return NumberText(v)
	case lua.LString:
		return string(v)
	}
	return l.ToStringMeta(v).String()
}

func (b *Libs) luaPrint(l *lua.LState) int {
	parts := make([]string, l.GetTop())
	for i := range parts {
		parts[i] = Display(l, l.Get(i+1))
	}
	b.Print(l, strings.Join(parts, "\t"))
	return 0
}

func luaToString(l *lua.LState) int {
	if l.GetTop() == 0 {
		ArgError(l, 1, "tostring", "value expected")
	}
	l.Push(lua.LString(Display(l, l.Get(1))))
	return 1
}

func luaToNumber(l *lua.LState) int {
	base := OptInt(l, 2, "tonumber", 10)
	if base == 10 {
		if l.GetTop() == 0 {
			ArgError(l, 1, "tonumber", "value expected")
		}
		if f, ok := Number(l.Get(1)); ok {
			l.Push(lua.LNumber(f))
		} else {
			l.Push(lua.LNil)
		}
		return 1
	}
	if base < 2 || base > 36 {
		ArgError(l, 2, "tonumber", "base out of range")
	}
	s := strings.ToLower(strings.Trim(StringArg(l, 1, "tonumber"), " \t\n\v\f\r"))
	if base == 16 {
		s = strings.TrimPrefix(s, "0x")
	}
	if n, err := strconv.ParseUint(s, base, 64); err == nil {
		l.Push(lua.LNumber(n))
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

// collectGarbage answers without collecting: the process is not the script's alone.
func collectGarbage(l *lua.LState) int {
	if l.OptString(1, "collect") == "count" {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		l.Push(lua.LNumber(float64(m.HeapAlloc) / 1024))
		return 1
	}
	l.Push(lua.LNumber(0))
	return 1
}

func loadString(l *lua.LState) int {
	src := StringArg(l, 1, "loadstring")
	name := src
	if l.Get(2) != lua.LNil {
		name = StringArg(l, 2, "loadstring")
	}
	fn, err := Load(l, src, name)
	if err != nil {
		l.Push(lua.LNil)
		l.Push(lua.LString(err.Error()))
		return 2
	}
	l.Push(fn)
	return 1
}

// Load makes a function of a chunk that runs in _G. The name is as Lua has it, with @ before that of a
// file; it begins the text of the error.
func Load(l *lua.LState, src, name string) (*lua.LFunction, error) {
	name = ChunkID(name)
	proto, err := CompileChunk(src, name)
	if err != nil {
		line, msg := SyntaxError(err)
		if line == 0 {
			line = 1 + strings.Count(src, "\n")
		}
		return nil, fmt.Errorf("%s:%d: %s", name, line, msg)
	}
	fn := l.NewFunctionFromProto(proto)
	fn.Env = l.G.Global
	return fn, nil
}

// NeedsFile is a function that would read the terminal if it were not given the name of a file.
func NeedsFile(fn lua.LValue, name string) lua.LGFunction {
	return func(l *lua.LState) int {
		StringArg(l, 1, name)
		n := l.GetTop()
		l.Insert(fn, 1)
		l.Call(n, lua.MultRet)
		return l.GetTop()
	}
}

// openCoroutines puts coroutines under the clock that all code runs under; gopher-lua would give
// each a context of its own, which ends with the call that made it.
func (b *Libs) openCoroutines() {
	lib := b.l.GetGlobal("coroutine").(*lua.LTable)
	create, resume := lib.RawGetString("create"), lib.RawGetString("resume")
	makeThread := func(l *lua.LState) *lua.LState {
		if l.Get(1).Type() != lua.LTFunction {
			ArgError(l, 1, "create", "Lua function expected")
		}
		l.Push(create)
		l.Push(l.Get(1))
		l.Call(1, 1)
		th := l.Get(-1).(*lua.LState)
		l.Pop(1)
		th.SetContext(b.l.Context())
		return th
	}
	lib.RawSetString("create", b.l.NewFunction(func(l *lua.LState) int {
		l.Push(makeThread(l))
		return 1
	}))
	lib.RawSetString("wrap", b.l.NewFunction(func(l *lua.LState) int {
		th := makeThread(l)
		l.Push(l.NewFunction(func(l *lua.LState) int {
			n := l.GetTop()
			l.Insert(resume, 1)
			l.Insert(th, 2)
			l.Call(n+1, lua.MultRet)
			if l.Get(1) == lua.LTrue {
				return l.GetTop() - 1
			}
			l.Error(l.Get(2), 0)
			return 0
		}))
		return 1
	}))
}
