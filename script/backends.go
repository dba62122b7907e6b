package script

import (
	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
)

// Servers tells of the servers there are; *intercept.Proxy does.
type Servers interface {
	Backends() []intercept.Backend
	Conns() []intercept.ConnInfo
}

func (u *universe) backends() []intercept.Backend {
	if u.servers == nil {
		return nil
	}
	return u.servers.Backends()
}

// backend is an entry of proxy.global.backends, counted from 1.
type backend int

func (u *universe) backendsIndex(l *lua.LState) int {
	n := intArg(l, 2, "?")
	if n < 1 || n > len(u.backends()) {
		l.Push(lua.LNil)
	} else {
		l.Push(u.userdata(u.kinds.backend, backend(n)))
	}
	return 1
}

func (u *universe) backendIndex(l *lua.LState) int {
	n := self[backend](l, "backend")
	all := u.backends()
	if int(n) > len(all) {
		l.Push(lua.LNil)
		return 1
	}
	var v lua.LValue = lua.LNil
	switch key(l) {
	case "dst":
		v = u.address(all[n-1].Address)
	case "state":
		v = lua.LNumber(u.backendState(int(n)))
	case "type":
		v = lua.LNumber(1)
		if all[n-1].ReadOnly {
			v = lua.LNumber(2)
		}
	case "connected_clients":
		v = lua.LNumber(u.connected(int(n)))
	case "uuid":
		if id := u.pool(int(n)).uuid; id != "" {
			v = lua.LString(id)
		}
	case "pool":
		v = u.userdata(u.kinds.pool, u.pool(int(n)))
	}
	l.Push(v)
	return 1
}

// backendState is what a script has set, else up while connections show it.
func (u *universe) backendState(n int) int {
	if s, ok := u.state[n]; ok {
		return s
	}
	for _, c := range u.servers.Conns() {
		if c.BackendIndex == n && c.Server != "" {
			return stateUp
		}
	}
	return stateUnknown
}

func (u *universe) connected(n int) int {
	count := 0
	for _, c := range u.servers.Conns() {
		if c.BackendIndex == n && c.Closed.IsZero() {
			count++
		}
	}
	return count
}

// leastBusy is the server that a connection gets where the script does not choose: of those for
// writing that are not down, the one with the fewest clients. It is 0 where there is no choice.
func (u *universe) leastBusy() int {
	all := u.backends()
	if len(all) < 2 {
		return 0
	}
	best, fewest := 0, 0
	for i, b := range all {
		if b.ReadOnly || u.state[i+1] == stateDown {
			continue
		}
		if n := u.connected(i + 1); best == 0 || n < fewest {
			best, fewest = i+1, n
		}
	}
	return best
}

func (u *universe) backendNewIndex(l *lua.LState) int {
	n := self[backend](l, "backend")
	switch k := key(l); k {
	case "state":
		i, _ := integer(l.Get(3))
		u.state[int(n)] = i
	case "uuid":
		id, ok := text(l.Get(3))
		if !ok && l.Get(3) != lua.LNil {
			l.RaiseError("proxy.global.backends[...].uuid has to be a string")
		}
		u.pool(int(n)).uuid = id
	default:
		l.RaiseError("proxy.global.backends[...].%s is not writable", k)
	}
	return 0
}

// pool is what scripts keep at a backend. There are no pooled connections: every client has a
// server connection of its own, which is what makes its traffic easy to follow.
type pool struct {
	least, most int
	uuid        string
}

func (u *universe) pool(n int) *pool {
	p := u.pools[n]
	if p == nil {
		p = &pool{}
		u.pools[n] = p
	}
	return p
}

func (u *universe) poolIndex(l *lua.LState) int {
	p := self[*pool](l, "pool")
	var v lua.LValue = lua.LNil
	switch key(l) {
	case "min_idle_connections":
		v = lua.LNumber(p.least)
	case "max_idle_connections":
		v = lua.LNumber(p.most)
	case "users":
		v = u.userdata(u.kinds.poolUsers, poolUsers{})
	}
	l.Push(v)
	return 1
}

func poolNewIndex(l *lua.LState) int {
	p := self[*pool](l, "pool")
	n, _ := integer(l.Get(3))
	switch k := key(l); k {
	case "min_idle_connections":
		p.least = n
	case "max_idle_connections":
		p.most = n
	default:
		l.RaiseError("proxy.backend[...].%s is not writable", k)
	}
	return 0
}

type (
	poolUsers struct{}
	poolQueue struct{}
)

func (u *universe) poolUsersIndex(l *lua.LState) int {
	self[poolUsers](l, "pool users")
	stringArg(l, 2, "?")
	l.Push(u.userdata(u.kinds.poolQueue, poolQueue{}))
	return 1
}

func poolQueueIndex(l *lua.LState) int {
	self[poolQueue](l, "pool queue")
	if key(l) == "cur_idle_connections" {
		l.Push(lua.LNumber(0))
	} else {
		l.Push(lua.LNil)
	}
	return 1
}
