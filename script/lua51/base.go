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
	l.SetGlobal("load", l.NewFunction(loadPieces))
	l.SetGlobal("gcinfo", l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LNumber(heap() / 1024))
		return 1
	}))
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
	s, negative := strings.CutPrefix(s, "-")
	if n, err := strconv.ParseUint(s, base, 64); err == nil {
		if negative {
			n = -n // as an unsigned number of C
		}
		l.Push(lua.LNumber(n))
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

// collectGarbage answers without collecting: the process is not the script's alone.
func collectGarbage(l *lua.LState) int {
	option := "collect"
	if l.Get(1) != lua.LNil {
		option = StringArg(l, 1, "collectgarbage")
	}
	switch option {
	case "collect", "stop", "restart", "setpause", "setstepmul":
		l.Push(lua.LNumber(0))
	case "step":
		l.Push(lua.LTrue)
	case "count":
		l.Push(lua.LNumber(float64(heap()) / 1024))
	default:
		ArgError(l, 1, "collectgarbage", "invalid option '"+option+"'")
	}
	return 1
}

// heap is how many bytes the process has in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// loadPieces is load: the chunk comes from a function piece by piece.
func loadPieces(l *lua.LState) int {
	reader := functionArg(l, 1, "load")
	name := "=(load)"
	if l.Get(2) != lua.LNil {
		name = StringArg(l, 2, "load")
	}
	var src strings.Builder
	for {
		l.Push(reader)
		l.Call(0, 1)
		v := l.Get(-1)
		l.Pop(1)
		if v == lua.LNil || v == lua.LString("") {
			break
		}
		piece, ok := Text(v)
		if !ok {
			l.Push(lua.LNil)
			l.Push(lua.LString("reader function must return a string"))
			return 2
		}
		src.WriteString(piece)
		if src.Len() > longestString {
			l.RaiseError("chunk too large")
		}
	}
	return loaded(l, src.String(), name)
}

func loadString(l *lua.LState) int {
	src := StringArg(l, 1, "loadstring")
	name := src
	if l.Get(2) != lua.LNil {
		name = StringArg(l, 2, "loadstring")
	}
	return loaded(l, src, name)
}

// loaded pushes a chunk as a function, or nil and why it is none.
func loaded(l *lua.LState, src, name string) int {
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
	given := name
	name = ChunkID(name)
	proto, err := CompileChunk(src, name)
	if err != nil {
		line, msg := SyntaxError(err)
		if line == 0 {
			line = 1 + strings.Count(src, "\n")
		}
		return nil, fmt.Errorf("%s:%d: %s", name, line, msg)
	}
	called(name, given)
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
	makeThread := func(l *lua.LState, name string) *lua.LState {
		if fn, ok := l.Get(1).(*lua.LFunction); !ok || fn.IsG {
			ArgError(l, 1, name, "Lua function expected")
		}
		l.Push(create)
		l.Push(l.Get(1))
		l.Call(1, 1)
		th := l.Get(-1).(*lua.LState)
		l.Pop(1)
		if cx := b.l.Context(); cx != nil {
			th.SetContext(cx)
		}
		return th
	}
	lib.RawSetString("create", b.l.NewFunction(func(l *lua.LState) int {
		l.Push(makeThread(l, "create"))
		return 1
	}))
	lib.RawSetString("resume", b.l.NewFunction(func(l *lua.LState) int {
		if _, ok := l.Get(1).(*lua.LState); !ok {
			ArgError(l, 1, "resume", "coroutine expected")
		}
		n := l.GetTop()
		l.Insert(resume, 1)
		l.Call(n, lua.MultRet)
		if l.GetTop() == 2 && l.Get(1) == lua.LFalse {
			v := message(l.Get(2))
			if s, ok := v.(lua.LString); ok {
				switch s {
				case "can not resume a dead thread":
					v = lua.LString("cannot resume dead coroutine")
				case "can not resume a running thread":
					v = lua.LString("cannot resume running coroutine")
				}
			}
			l.Pop(1)
			l.Push(v)
		}
		return l.GetTop()
	}))
	lib.RawSetString("wrap", b.l.NewFunction(func(l *lua.LState) int {
		th := makeThread(l, "wrap")
		l.Push(l.NewFunction(func(l *lua.LState) int {
			n := l.GetTop()
			l.Insert(resume, 1)
			l.Insert(th, 2)
			l.Call(n+1, lua.MultRet)
			if l.Get(1) == lua.LTrue {
				return l.GetTop() - 1
			}
			l.Error(message(l.Get(2)), 0)
			return 0
		}))
		return 1
	}))
}
