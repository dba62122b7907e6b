package script

import (
	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// What the package uses of Lua 5.1, by the short names it is known by here.

func text(v lua.LValue) (string, bool)    { return lua51.Text(v) }
func number(v lua.LValue) (float64, bool) { return lua51.Number(v) }
func integer(v lua.LValue) (int, bool)    { return lua51.Integer(v) }
func unsigned(f float64) uint64           { return lua51.Unsigned(f) }
func numberText(n lua.LNumber) string     { return lua51.NumberText(n) }

func argError(l *lua.LState, n int, name, msg string)     { lua51.ArgError(l, n, name, msg) }
func typeName(l *lua.LState, n int) string                { return lua51.TypeName(l, n) }
func stringArg(l *lua.LState, n int, name string) string  { return lua51.StringArg(l, n, name) }
func intArg(l *lua.LState, n int, name string) int        { return lua51.IntArg(l, n, name) }
func display(l *lua.LState, v lua.LValue) string          { return lua51.Display(l, v) }
func needsFile(fn lua.LValue, name string) lua.LGFunction { return lua51.NeedsFile(fn, name) }
