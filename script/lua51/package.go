package lua51

import (
	"fmt"
	"os"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// loading stands in package.loaded for a module whose loading has begun.
var loading = &lua.LUserData{}

// openPackage makes require and module, and the loaders for package.preload and package.path.
func (b *Libs) openPackage() {
	l := b.l
	lib := l.GetGlobal("package").(*lua.LTable)
	loaders := l.NewTable()
	loaders.Append(l.NewFunction(b.preloaded))
	loaders.Append(l.NewFunction(b.luaFile))
	lib.RawSetString("loaders", loaders)
	lib.RawSetString("cpath", lua.LString(os.Getenv("LUA_CPATH")))
	lib.RawSetString("seeall", l.NewFunction(seeAll))
	lib.RawSetString("loadlib", l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LNil)
		l.Push(lua.LString("C libraries cannot be loaded here"))
		l.Push(lua.LString("absent"))
		return 3
	}))
	l.SetGlobal("require", l.NewFunction(func(l *lua.LState) int { return require(l, lib) }))
	l.SetGlobal("module", l.NewFunction(func(l *lua.LState) int { return module(l, lib) }))
}

// tableOf is a field of the package library that has to be a table.
func tableOf(l *lua.LState, lib *lua.LTable, name string) *lua.LTable {
	t, ok := lib.RawGetString(name).(*lua.LTable)
	if !ok {
		l.RaiseError("'package.%s' must be a table", name)
	}
	return t
}

func require(l *lua.LState, lib *lua.LTable) int {
	name := StringArg(l, 1, "require")
	loaded := tableOf(l, lib, "loaded")
	if v := loaded.RawGetString(name); lua.LVAsBool(v) {
		if v == loading {
			l.RaiseError("loop or previous error loading module '%s'", name)
		}
		l.Push(v)
		return 1
	}
	fn := findLoader(l, tableOf(l, lib, "loaders"), name)
	loaded.RawSetString(name, loading)
	l.Push(fn)
	l.Push(lua.LString(name))
	l.Call(1, 1)
	if v := l.Get(-1); v != lua.LNil {
		loaded.RawSetString(name, v)
	}
	l.Pop(1)
	if loaded.RawGetString(name) == loading {
		loaded.RawSetString(name, lua.LTrue)
	}
	l.Push(loaded.RawGetString(name))
	return 1
}

// findLoader asks the loaders one after the other.
func findLoader(l *lua.LState, loaders *lua.LTable, name string) *lua.LFunction {
	var tried strings.Builder
	for i := 1; ; i++ {
		loader := loaders.RawGetInt(i)
		if loader == lua.LNil {
			l.RaiseError("module '%s' not found:%s", name, tried.String())
		}
		l.Push(loader)
		l.Push(lua.LString(name))
		l.Call(1, 1)
		v := l.Get(-1)
		l.Pop(1)
		if fn, ok := v.(*lua.LFunction); ok {
			return fn
		}
		msg, _ := Text(v)
		tried.WriteString(msg)
	}
}

func (b *Libs) preloaded(l *lua.LState) int {
	name := StringArg(l, 1, "require")
	preload := tableOf(l, l.GetGlobal("package").(*lua.LTable), "preload")
	v := l.GetField(preload, name)
	if v == lua.LNil {
		v = lua.LString("\n\tno field package.preload['" + name + "']")
	}
	l.Push(v)
	return 1
}

// ForgetFiles has require look at no files, neither those of package.path nor those of package.cpath.
func (b *Libs) ForgetFiles() { b.noFiles = true }

// luaFile is the loader that looks at package.path.
func (b *Libs) luaFile(l *lua.LState) int {
	name := StringArg(l, 1, "require")
	if b.noFiles {
		l.Push(lua.LString("\n\tno files: they are withheld by --sandbox"))
		return 1
	}
	path, tried := Search(l, name, "path")
	if path == "" {
		l.Push(lua.LString(tried))
		return 1
	}
	fn, err := LoadFile(l, path)
	if err != nil {
		l.RaiseError("error loading module '%s' from file '%s':\n\t%s", name, path, err.Error())
	}
	l.Push(fn)
	return 1
}

// Search looks for the file of a module in package.path or package.cpath. If there is none, tried says
// where it looked, for the error of require.
func Search(l *lua.LState, name, field string) (path, tried string) {
	templates, ok := Text(l.GetField(l.GetGlobal("package"), field))
	if !ok {
		l.RaiseError("'package.%s' must be a string", field)
	}
	name = strings.ReplaceAll(name, ".", string(os.PathSeparator))
	var missing strings.Builder
	for template := range strings.SplitSeq(templates, ";") {
		if template == "" {
			continue
		}
		path := strings.ReplaceAll(template, "?", name)
		if f, err := os.Open(path); err == nil {
			f.Close()
			return path, ""
		}
		missing.WriteString("\n\tno file '" + path + "'")
	}
	return "", missing.String()
}

// LoadFile compiles a file into a function that runs in _G. A first line that begins with # is skipped.
func LoadFile(l *lua.LState, path string) (*lua.LFunction, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %s", path, SystemMessage(err))
	}
	text := string(src)
	if strings.HasPrefix(text, "#") {
		text = "--" + text
	}
	return Load(l, text, "@"+path)
}

func seeAll(l *lua.LState) int {
	t := tableArg(l, 1, "seeall")
	meta, ok := t.Metatable.(*lua.LTable)
	if !ok {
		meta = l.NewTable()
		t.Metatable = meta
	}
	meta.RawSetString("__index", l.G.Global)
	return 0
}

// module makes a table the environment of the function that calls it. New tables are stored with
// metamethods, so that module("proxy.x") stores into what proxy stands for.
func module(l *lua.LState, lib *lua.LTable) int {
	name := StringArg(l, 1, "module")
	loaded := tableOf(l, lib, "loaded")
	t, ok := loaded.RawGetString(name).(*lua.LTable)
	if !ok {
		if t = findTable(l, name); t == nil {
			l.RaiseError("name conflict for module '%s'", name)
		}
		loaded.RawSetString(name, t)
	}
	if t.RawGetString("_NAME") == lua.LNil {
		t.RawSetString("_M", t)
		t.RawSetString("_NAME", lua.LString(name))
		t.RawSetString("_PACKAGE", lua.LString(name[:strings.LastIndexByte(name, '.')+1]))
	}
	caller, ok := callerOf(l, 1)
	if !ok || caller.IsG {
		l.RaiseError("'module' not called from a Lua function")
	}
	caller.Env = t
	for i := 2; i <= l.GetTop(); i++ {
		l.Push(l.Get(i))
		l.Push(t)
		l.Call(1, 0)
	}
	return 0
}

// findTable finds or makes the table that a dotted name in _G is; nil if another value is in the way.
func findTable(l *lua.LState, name string) *lua.LTable {
	at := l.G.Global
	for part := range strings.SplitSeq(name, ".") {
		switch v := at.RawGetString(part).(type) {
		case *lua.LTable:
			at = v
		case *lua.LNilType:
			t := l.NewTable()
			l.SetField(at, part, t)
			at = t
		default:
			return nil
		}
	}
	return at
}

// callerOf is the function at a level of the stack, 0 being the library function that runs.
func callerOf(l *lua.LState, level int) (*lua.LFunction, bool) {
	dbg, ok := l.GetStack(level)
	if !ok {
		return nil, false
	}
	v, err := l.GetInfo("f", dbg, lua.LNil)
	fn, ok := v.(*lua.LFunction)
	return fn, err == nil && ok
}
