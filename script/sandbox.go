package script

import (
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// withheld are the functions that a sandbox has not, by library; _G is the global ones. What is kept of
// a library that is withheld as a whole comes behind the library's name.
var (
	withheld = map[string][]string{
		"_G":      {"dofile", "loadfile"},
		"os":      {"execute", "exit", "getenv", "remove", "rename", "setenv", "setlocale", "tmpname"},
		"package": {"loadlib"},
	}
	keptOf = map[string][]string{"io": {"write", "stdout", "stderr"}, "debug": {"traceback"}}
)

// withhold makes the state a sandbox. Functions that are missing say why when they are called; require
// finds what is built in and nothing else.
func (u *universe) withhold() {
	l := u.l
	without := func(lib *lua.LTable, prefix, name string) {
		lib.RawSetString(name, l.NewFunction(func(l *lua.LState) int {
			l.RaiseError("%s is withheld by --sandbox", prefix+name)
			return 0
		}))
	}
	for lib, names := range withheld {
		for _, name := range names {
			if lib == "_G" {
				without(l.G.Global, "", name)
			} else {
				without(l.GetGlobal(lib).(*lua.LTable), lib+".", name)
			}
		}
	}
	for lib, kept := range keptOf {
		t := l.GetGlobal(lib).(*lua.LTable)
		t.ForEach(func(k, _ lua.LValue) {
			if name := k.String(); !slices.Contains(kept, name) {
				without(t, lib+".", name)
			}
		})
	}
	u.libs.ForgetFiles()
}
