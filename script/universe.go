package script

import (
	"context"
	"fmt"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/script/lua51"
)

// universe is one Lua state with everything that all its connections share.
type universe struct {
	turn  chan struct{} // one slot: taken by whoever has the turn
	l     *lua.LState
	libs  *lua51.Libs
	clock clock

	shared   *lua.LTable // _G.proxy
	layer    *lua.LTable // its metatable: what is not shared is the running connection's
	global   *lua.LTable // proxy.global
	extras   *lua.LTable // what is read where neither has a key
	kinds    kinds
	servers  Servers
	current  *intercept.Conn // whose hook runs
	now      moment          // what runs
	said     []Line          // during the running call
	captured bool            // print writes into printed
	printed  []string
}

// moment is what output is filed under.
type moment struct {
	script string
	line   Line // template: event, exchange, connection, hook
}

// Stack limits: Lua's own are 20,000 calls; the registry holds the values of all frames.
const (
	callDepth     = 8192
	registryStart = 1024
	registryMost  = 1 << 20
)

// newUniverse makes a state with Lua's libraries and the proxy table.
func newUniverse(o Options) *universe {
	u := &universe{
		turn: make(chan struct{}, 1), servers: o.Servers,
		l: lua.NewState(lua.Options{
			CallStackSize: callDepth, MinimizeStackMemory: true,
			RegistrySize: registryStart, RegistryMaxSize: registryMost,
		}),
	}
	u.l.SetContext(&u.clock)
	u.libs = lua51.Open(u.l, lua51.Host{Tick: u.clock.check, Print: u.print})
	u.openIO()
	u.openProxy()
	u.openModules(o)
	if o.Sandbox {
		u.withhold()
	}
	pkg := u.l.GetGlobal("package").(*lua.LTable)
	if o.Path != "" {
		pkg.RawSetString("path", lua.LString(o.Path))
	}
	if o.CPath != "" {
		pkg.RawSetString("cpath", lua.LString(o.CPath))
	}
	return u
}

// enter takes the turn, unless ctx ends first.
func (u *universe) enter(ctx context.Context) error {
	select {
	case u.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case u.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for Lua: %w", context.Cause(ctx))
	}
}

// leave gives the turn back and returns what was said meanwhile.
func (u *universe) leave() []Line {
	said := u.said
	u.said = nil
	<-u.turn
	return said
}

// call runs fn under a deadline and returns its first result.
func (u *universe) call(ctx context.Context, limit time.Duration, fn *lua.LFunction, args ...lua.LValue) (lua.LValue, error) {
	if err := u.run(ctx, limit, fn, 1, args...); err != nil {
		return lua.LNil, err
	}
	v := u.l.Get(-1)
	u.l.Pop(1)
	return v, nil
}

// run calls fn and leaves its results on the stack.
func (u *universe) run(ctx context.Context, limit time.Duration, fn *lua.LFunction, results int, args ...lua.LValue) error {
	u.clock.start(ctx, limit)
	l := u.l
	l.Push(fn)
	for _, a := range args {
		l.Push(a)
	}
	err := l.PCall(len(args), results, nil)
	if over := u.clock.over; err != nil && over != nil {
		// Whatever the script made of it: this is why it ended.
		e := luaError(err, u.now.script, fn)
		e.Msg = over.Error()
		u.clock.stop()
		return e
	}
	u.clock.stop()
	if err != nil {
		return luaError(err, u.now.script, fn)
	}
	return nil
}

// say files a line of output under what runs now.
func (u *universe) say(level Level, format string, args ...any) {
	line := u.now.line
	line.At, line.Script, line.Level = time.Now(), u.now.script, level
	line.Text = fmt.Sprintf(format, args...)
	u.said = append(u.said, line)
}

// print files what a script printed.
func (u *universe) print(l *lua.LState, text string) {
	if u.captured {
		u.printed = append(u.printed, strings.Split(text, "\n")...)
		return
	}
	line := u.now.line
	line.At, line.Script, line.Level, line.Text = time.Now(), u.now.script, Print, text
	line.Source = lineOf(l)
	u.said = append(u.said, line)
}

// lineOf is the line that calls the running library function; 0 if it is not known.
func lineOf(l *lua.LState) (line int) {
	if m := position.FindStringSubmatch(l.Where(1)); m != nil {
		_, _ = fmt.Sscan(m[2], &line) // stays 0 where it is no number
	}
	return line
}

// userdata makes an object of a class.
func (u *universe) userdata(class *lua.LTable, value any) *lua.LUserData {
	return &lua.LUserData{Value: value, Metatable: class, Env: u.l.Env}
}
