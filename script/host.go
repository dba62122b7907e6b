package script

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/modules"
)

// openModules lets require find MySQL Proxy's modules.
func (u *universe) openModules(o Options) {
	modules.Open(u.l, modules.Host{
		Log: u.log, Sleep: u.sleep, Tick: u.clock.check, Shutdown: o.Shutdown, Sandbox: o.Sandbox,
	})
}

// logLevels are the levels of chassis as levels of output.
var logLevels = map[string]Level{
	"critical": Critical, "warning": Warning, "message": Message, "info": Message, "debug": Message,
}

// log files what a script says through a module.
func (u *universe) log(l *lua.LState, level, text string) {
	u.say(logLevels[level], "%s", text)
	u.said[len(u.said)-1].Source = lineOf(l)
}

// sleep waits, at most until the running call's time is over.
func (u *universe) sleep(l *lua.LState, d time.Duration) {
	if end := u.clock.end; !end.IsZero() {
		d = min(d, time.Until(end)+time.Millisecond)
	}
	if d > 0 {
		var ended <-chan struct{}
		if u.clock.outer != nil {
			ended = u.clock.outer.Done()
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ended:
		}
	}
	u.clock.check(l)
}
