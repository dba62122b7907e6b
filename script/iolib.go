package script

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// openIO keeps scripts off the terminal, which is the screen's, and off the end of the process.
// Files are theirs to use.
func (u *universe) openIO() {
	l := u.l
	os := l.GetGlobal("os").(*lua.LTable)
	os.RawSetString("exit", refusing(l, "os.exit"))
	os.RawSetString("execute", l.NewFunction(u.execute))

	lib := l.GetGlobal("io").(*lua.LTable)
	class, methods := l.NewTable(), l.NewTable()
	done := l.NewFunction(func(l *lua.LState) int { l.Push(lua.LTrue); return 1 })
	methods.RawSetString("write", l.NewFunction(u.write))
	for _, name := range []string{"flush", "close", "setvbuf"} {
		methods.RawSetString(name, done)
	}
	class.RawSetString("__index", methods)
	stream := &lua.LUserData{Metatable: class, Env: l.Env}
	lib.RawSetString("stdout", stream)
	lib.RawSetString("stderr", stream)
	lib.RawSetString("stdin", lua.LNil)
	lib.RawSetString("read", refusing(l, "io.read"))
	lib.RawSetString("lines", l.NewFunction(needsFile(lib.RawGetString("lines"), "lines")))
	u.openOutput(lib, stream)
}

// openOutput makes io.output and io.write: output goes to the script's output until the script
// names a file.
func (u *universe) openOutput(lib *lua.LTable, stream lua.LValue) {
	l := u.l
	open := lib.RawGetString("output")
	current := stream
	lib.RawSetString("output", l.NewFunction(func(l *lua.LState) int {
		if l.GetTop() > 0 && l.Get(1) != lua.LNil {
			if current = l.Get(1); current != stream {
				l.Push(open)
				l.Push(l.Get(1))
				l.Call(1, 1)
				current = l.Get(-1)
			}
		}
		l.Push(current)
		return 1
	}))
	lib.RawSetString("write", l.NewFunction(func(l *lua.LState) int {
		n := l.GetTop()
		l.Insert(l.GetField(current, "write"), 1)
		l.Insert(current, 2)
		l.Call(n+1, lua.MultRet)
		return l.GetTop()
	}))
}

func refusing(l *lua.LState, what string) *lua.LFunction {
	return l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("%s is not available here", what)
		return 0
	})
}

// write is io.stdout:write.
func (u *universe) write(l *lua.LState) int {
	var b strings.Builder
	for i := 2; i <= l.GetTop(); i++ {
		b.WriteString(stringArg(l, i, "write"))
	}
	u.print(l, strings.TrimSuffix(b.String(), "\n"))
	l.Push(lua.LTrue)
	return 1
}

// execute is os.execute. What the command writes is the script's output; it ends with the call's
// deadline.
func (u *universe) execute(l *lua.LState) int {
	if l.GetTop() == 0 { // whether there is a shell
		l.Push(lua.LNumber(1))
		return 1
	}
	ctx := context.Background()
	if u.clock.outer != nil {
		ctx = u.clock.outer
	}
	if !u.clock.end.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, u.clock.end)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", stringArg(l, 1, "execute"))
	cmd.WaitDelay = 100 * time.Millisecond // for what the shell has started and left behind
	out, err := cmd.CombinedOutput()
	if len(out) > 0 {
		u.print(l, strings.TrimSuffix(string(out), "\n"))
	}
	u.clock.check(l)
	status := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		status = exit.ExitCode() << 8 // as the shell reports it in C
	case err != nil:
		status = -1
	}
	l.Push(lua.LNumber(status))
	return 1
}
