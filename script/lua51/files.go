package lua51

import (
	"errors"
	"os"
	"strings"
	"syscall"

	lua "github.com/yuin/gopher-lua"
)

// openFiles gives the functions that take file names the messages of C.
func (b *Libs) openFiles() {
	l := b.l
	l.SetGlobal("loadfile", l.NewFunction(func(l *lua.LState) int {
		fn, err := LoadFile(l, StringArg(l, 1, "loadfile"))
		if err != nil {
			l.Push(lua.LNil)
			l.Push(lua.LString(err.Error()))
			return 2
		}
		l.Push(fn)
		return 1
	}))
	l.SetGlobal("dofile", l.NewFunction(func(l *lua.LState) int {
		fn, err := LoadFile(l, StringArg(l, 1, "dofile"))
		if err != nil {
			l.Error(lua.LString(err.Error()), 0)
		}
		l.SetTop(0)
		l.Push(fn)
		l.Call(0, lua.MultRet)
		return l.GetTop()
	}))
	lib := l.GetGlobal("os").(*lua.LTable)
	lib.RawSetString("remove", l.NewFunction(func(l *lua.LState) int {
		path := StringArg(l, 1, "remove")
		return fileResult(l, path, os.Remove(path))
	}))
	lib.RawSetString("rename", l.NewFunction(func(l *lua.LState) int {
		path := StringArg(l, 1, "rename")
		return fileResult(l, path, os.Rename(path, StringArg(l, 2, "rename")))
	}))
	files := l.GetGlobal("io").(*lua.LTable)
	open := files.RawGetString("open")
	files.RawSetString("open", l.NewFunction(func(l *lua.LState) int { return ioOpen(l, open) }))
}

// ioOpen opens a file by gopher-lua's function, with the message of C if that fails.
func ioOpen(l *lua.LState, open lua.LValue) int {
	path := StringArg(l, 1, "open")
	n := l.GetTop()
	l.Insert(open, 1)
	if err := l.PCall(n, lua.MultRet, nil); err != nil {
		return fileResult(l, path, syscall.EINVAL) // the mode
	}
	if l.GetTop() > 0 && l.Get(1) != lua.LNil {
		return l.GetTop()
	}
	_, err := os.Stat(path)
	if err == nil {
		err = syscall.EACCES
	}
	return fileResult(l, path, err)
}

// fileResult pushes true, or nil with the message and the number of an error.
func fileResult(l *lua.LState, path string, err error) int {
	if err == nil {
		l.Push(lua.LTrue)
		return 1
	}
	var number syscall.Errno
	errors.As(err, &number)
	l.Push(lua.LNil)
	l.Push(lua.LString(path + ": " + SystemMessage(err)))
	l.Push(lua.LNumber(number))
	return 3
}

// SystemMessage is an error of the system in the words of C.
func SystemMessage(err error) string {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return err.Error()
	}
	s := number.Error()
	return strings.ToUpper(s[:1]) + s[1:]
}
