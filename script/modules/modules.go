// Package modules has what scripts written for MySQL Proxy can require: the native modules
// mysql.tokenizer, mysql.proto, mysql.password, chassis, glib2, posix, lfs and lpeg, and the Lua libraries
// proxy.*, which are embedded. Files of the user with the same names come first.
//
// As in the original each native module is also a global table under the last part of its name.
package modules

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lpeg"
	"mydbg/script/lua51"
)

// Host is what the modules need of the program around them.
type Host struct {
	// Log files a message of chassis or of a module. The levels are those of chassis: critical, warning,
	// message, info, debug.
	Log func(l *lua.LState, level, text string)
	// Sleep waits, or raises an error when the call's time is over.
	Sleep func(l *lua.LState, d time.Duration)
	// Tick is called now and then in functions that may take long. It raises an error to end them.
	Tick func(l *lua.LState)
	// Shutdown ends the program in good order; nil logs that it does not.
	Shutdown func()
	// Sandbox leaves out posix and lfs.
	Sandbox bool
}

//go:embed proxy/*.lua
var sources embed.FS

// set is the modules of one Lua state.
type set struct {
	Host
	l *lua.LState
}

// module is one native module.
type module struct {
	global  string // the last part of the name that require knows
	version string
	open    func(*set) map[string]lua.LGFunction
}

var native = map[string]module{
	"mysql.tokenizer": {"tokenizer", "LuaMySQLTokenizer 0.1", (*set).tokenizer},
	"mysql.proto":     {"proto", "LuaMySQLProto 0.1", (*set).proto},
	"mysql.password":  {"password", "LuaMySQLPassword 0.1", (*set).password},
	"chassis":         {"chassis", "LuaChassis 0.2", (*set).chassis},
	"glib2":           {"glib2", "LuaGlib2 0.1", (*set).glib},
	"posix":           {"posix", "LuaPosix 0.1", (*set).posix},
	"lfs":             {"lfs", "LuaFileSystem 1.2", (*set).lfs},
	"lpeg":            {"lpeg", "", nil}, // see package lpeg
}

// reaching are the modules that reach beyond the proxy.
var reaching = []string{"posix", "lfs"}

// Open lets require find the modules, after everything else it looks at.
func Open(l *lua.LState, h Host) {
	s := &set{Host: h, l: l}
	loaders := l.GetField(l.GetGlobal("package"), "loaders").(*lua.LTable)
	loaders.Append(l.NewFunction(s.load))
	if !h.Sandbox {
		loaders.Append(l.NewFunction(library))
	}
}

// Names are all that require finds, sorted.
func Names() []string {
	names := slices.Collect(maps.Keys(native))
	files, _ := sources.ReadDir("proxy") // it is embedded
	for _, f := range files {
		names = append(names, "proxy."+strings.TrimSuffix(f.Name(), ".lua"))
	}
	slices.Sort(names)
	return names
}

// load is a loader as package.loaders has them.
func (s *set) load(l *lua.LState) int {
	name := lua51.StringArg(l, 1, "require")
	if s.Sandbox && slices.Contains(reaching, name) {
		l.Push(lua.LString("\n\tmodule '" + name + "' is withheld by --sandbox"))
		return 1
	}
	if m, ok := native[name]; ok {
		l.Push(l.NewFunction(func(l *lua.LState) int {
			l.Push(s.register(l, m))
			return 1
		}))
		return 1
	}
	if file, ok := strings.CutPrefix(name, "proxy."); ok {
		path := "proxy/" + file + ".lua"
		if src, err := sources.ReadFile(path); err == nil {
			l.Push(s.compile(l, src, path))
			return 1
		}
	}
	l.Push(lua.LString("\n\tno built-in module '" + name + "'"))
	return 1
}

// library is the loader that looks at package.cpath. It loads nothing and says so: a library that is
// there should not be called missing.
func library(l *lua.LState) int {
	name := lua51.StringArg(l, 1, "require")
	path, tried := lua51.Search(l, name, "cpath")
	if path != "" {
		l.RaiseError("module '%s' is the C library '%s', which cannot be loaded here. Built in are %s", name, path, strings.Join(Names(), ", "))
	}
	l.Push(lua.LString(tried))
	return 1
}

func (s *set) compile(l *lua.LState, src []byte, path string) lua.LValue {
	fn, err := lua51.Load(l, string(src), "@"+path)
	if err != nil {
		l.RaiseError("%s", err.Error()) // a test compiles them all
	}
	return fn
}

// register makes a module's table, a global and an entry of package.loaded at once.
func (s *set) register(l *lua.LState, m module) *lua.LTable {
	loaded := l.GetField(l.GetGlobal("package"), "loaded").(*lua.LTable)
	t, ok := loaded.RawGetString(m.global).(*lua.LTable)
	if !ok {
		if t, ok = l.G.Global.RawGetString(m.global).(*lua.LTable); !ok {
			t = l.NewTable()
		}
	}
	if m.open == nil {
		lpeg.Open(l, t, lpeg.Host{Tick: s.Tick})
	} else {
		for name, fn := range m.open(s) {
			t.RawSetString(name, l.NewFunction(fn))
		}
		t.RawSetString("_COPYRIGHT", lua.LString("Copyright (C) the mydbg authors"))
		t.RawSetString("_DESCRIPTION", lua.LString("part of mydbg, with the interface of MySQL Proxy 0.8"))
		t.RawSetString("_VERSION", lua.LString(m.version))
	}
	l.G.Global.RawSetString(m.global, t)
	loaded.RawSetString(m.global, t)
	return t
}

// badArg raises the argument error of the original's modules, which name no function.
func badArg(l *lua.LState, n int, msg string) { lua51.ArgError(l, n, "?", msg) }

// integerArg is argument n as an integer, as C's Lua converts it.
func integerArg(l *lua.LState, n int) int { return lua51.IntArg(l, n, "?") }

func stringArg(l *lua.LState, n int) string { return lua51.StringArg(l, n, "?") }

func tableArg(l *lua.LState, n int) *lua.LTable {
	t, ok := l.Get(n).(*lua.LTable)
	if !ok {
		badArg(l, n, "table expected, got "+lua51.TypeName(l, n))
	}
	return t
}

// failed pushes nil and a message.
func failed(l *lua.LState, format string, args ...any) int {
	l.Push(lua.LNil)
	l.Push(lua.LString(fmt.Sprintf(format, args...)))
	return 2
}
