package modules

import (
	"io/fs"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

func (s *set) lfs() map[string]lua.LGFunction {
	locking := func(l *lua.LState) int { return failed(l, "locking files is not available here") }
	return map[string]lua.LGFunction{
		"attributes": attributes,
		"chdir":      func(l *lua.LState) int { return done(l, os.Chdir(stringArg(l, 1))) },
		"mkdir":      func(l *lua.LState) int { return done(l, os.Mkdir(stringArg(l, 1), 0o775)) },
		"rmdir":      rmdir,
		"touch":      touch,
		"dir":        dir,
		"currentdir": func(l *lua.LState) int {
			path, err := os.Getwd()
			if err != nil {
				return failed(l, "%s", lua51.SystemMessage(err))
			}
			l.Push(lua.LString(path))
			return 1
		},
		"lock": locking, "unlock": locking,
	}
}

// done pushes true, or nil and why not.
func done(l *lua.LState, err error) int {
	if err != nil {
		return failed(l, "%s", lua51.SystemMessage(err))
	}
	l.Push(lua.LTrue)
	return 1
}

// modes are the words for kinds of files.
var modes = []struct {
	of   fs.FileMode
	name string
}{
	{fs.ModeDir, "directory"},
	{fs.ModeSymlink, "link"},
	{fs.ModeSocket, "socket"},
	{fs.ModeNamedPipe, "named pipe"},
	{fs.ModeCharDevice, "char device"},
	{fs.ModeDevice, "block device"},
	{fs.ModeIrregular, "other"},
}

func attributes(l *lua.LState) int {
	path := stringArg(l, 1)
	info, err := os.Stat(path)
	if err != nil {
		return failed(l, "cannot obtain information from file `%s'", path)
	}
	mode := "file"
	for _, m := range modes {
		if info.Mode()&m.of != 0 {
			mode = m.name
			break
		}
	}
	t, given := l.Get(2).(*lua.LTable)
	if !given {
		t = l.NewTable()
	}
	t.RawSetString("mode", lua.LString(mode))
	t.RawSetString("size", lua.LNumber(info.Size()))
	t.RawSetString("modification", lua.LNumber(info.ModTime().Unix()))
	for name, n := range systemAttributes(info) {
		t.RawSetString(name, lua.LNumber(n))
	}
	if name, ok := lua51.Text(l.Get(2)); ok {
		l.Push(t.RawGetString(name)) // nil for an unknown one
		return 1
	}
	l.Push(t)
	return 1
}

func rmdir(l *lua.LState) int {
	path := stringArg(l, 1)
	if info, err := os.Lstat(path); err == nil && !info.IsDir() {
		return failed(l, "Not a directory")
	}
	return done(l, os.Remove(path))
}

func touch(l *lua.LState) int {
	path := stringArg(l, 1)
	access := time.Now()
	if l.Get(2) != lua.LNil {
		access = time.Unix(int64(integerArg(l, 2)), 0)
	}
	modified := access
	if l.Get(3) != lua.LNil {
		modified = time.Unix(int64(integerArg(l, 3)), 0)
	}
	return done(l, os.Chtimes(path, access, modified))
}

func dir(l *lua.LState) int {
	path := stringArg(l, 1)
	entries, err := os.ReadDir(path)
	if err != nil {
		l.RaiseError("cannot open %s: %s", path, lua51.SystemMessage(err))
	}
	names := []string{".", ".."}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	l.Push(l.NewFunction(func(l *lua.LState) int {
		if len(names) == 0 {
			l.Push(lua.LNil)
			return 1
		}
		l.Push(lua.LString(names[0]))
		names = names[1:]
		return 1
	}))
	return 1
}
