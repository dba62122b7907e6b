package script

import (
	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
)

// Servers are the servers there are, with their pools; *intercept.Proxy is. Numbers count from 1.
type Servers interface {
	Backends() []intercept.BackendInfo
	Idle(n int, user string, by *intercept.Conn) int
	SetBackendState(n int, s intercept.BackendState) bool
	SetBackendUUID(n int, id string) bool
	SetPoolLimits(n, minIdle, maxIdle int) bool
	AddBackend(intercept.Backend) (n int, err error)
}

func (u *universe) backends() []intercept.BackendInfo {
	if u.servers == nil {
		return nil
	}
	return u.servers.Backends()
}

// backend is an entry of proxy.global.backends, counted from 1.
type backend int

func (u *universe) backendsIndex(l *lua.LState) int {
	if l.Get(2) == lua.LString("add") { // not in the original, where this is an error
		l.Push(u.l.NewFunction(u.addBackend))
		return 1
	}
	n := intArg(l, 2, "?")
	if n < 1 || n > len(u.backends()) {
		l.Push(lua.LNil)
	} else {
		l.Push(u.userdata(u.kinds.backend, backend(n)))
	}
	return 1
}

// addBackend is proxy.global.backends:add(address [, type]), which returns the number of the new server,
// or nil and why there is none.
func (u *universe) addBackend(l *lua.LState) int {
	address := stringArg(l, 2, "add")
	kind, _ := integer(l.Get(3))
	if u.servers == nil {
		l.RaiseError("there are no servers here")
	}
	n, err := u.servers.AddBackend(intercept.Backend{Address: address, ReadOnly: kind == backendRO})
	if err != nil {
		l.Push(lua.LNil)
		l.Push(lua.LString(err.Error()))
		return 2
	}
	l.Push(lua.LNumber(n))
	return 1
}

// Types of backends.
const (
	backendRW = 1
	backendRO = 2
)

func (u *universe) backendIndex(l *lua.LState) int {
	n := self[backend](l, "backend")
	b := u.backends()[n-1] // they do not become fewer
	var v lua.LValue = lua.LNil
	switch key(l) {
	case "dst":
		v = u.address(b.Numeric)
	case "state":
		v = lua.LNumber(b.State)
	case "type":
		v = lua.LNumber(backendRW)
		if b.ReadOnly {
			v = lua.LNumber(backendRO)
		}
	case "connected_clients":
		v = lua.LNumber(b.Clients)
	case "uuid":
		if b.UUID != "" {
			v = lua.LString(b.UUID)
		}
	case "pool":
		v = u.userdata(u.kinds.pool, pool(n))
	}
	l.Push(v)
	return 1
}

func (u *universe) backendNewIndex(l *lua.LState) int {
	n := self[backend](l, "backend")
	switch k := key(l); k {
	case "state":
		i, _ := integer(l.Get(3))
		u.servers.SetBackendState(int(n), intercept.BackendState(i))
	case "uuid":
		id, ok := text(l.Get(3))
		if !ok && l.Get(3) != lua.LNil {
			l.RaiseError("proxy.global.backends[...].uuid has to be a string")
		}
		u.servers.SetBackendUUID(int(n), id)
	default:
		l.RaiseError("proxy.global.backends[...].%s is not writable", k)
	}
	return 0
}

// Objects of a backend's pool.
type (
	pool      int // of the backend with that number
	poolUsers int
	poolQueue struct {
		backend int
		user    string
	}
)

func (u *universe) poolIndex(l *lua.LState) int {
	n := self[pool](l, "pool")
	b := u.backends()[n-1]
	var v lua.LValue = lua.LNil
	switch key(l) {
	case "min_idle_connections":
		v = lua.LNumber(b.MinIdle)
	case "max_idle_connections":
		v = lua.LNumber(b.MaxIdle)
	case "users":
		v = u.userdata(u.kinds.poolUsers, poolUsers(n))
	}
	l.Push(v)
	return 1
}

func (u *universe) poolNewIndex(l *lua.LState) int {
	n := self[pool](l, "pool")
	b := u.backends()[n-1]
	i, _ := integer(l.Get(3))
	switch k := key(l); k {
	case "min_idle_connections":
		u.servers.SetPoolLimits(int(n), i, b.MaxIdle)
	case "max_idle_connections":
		u.servers.SetPoolLimits(int(n), b.MinIdle, i)
	default:
		l.RaiseError("proxy.backend[...].%s is not writable", k)
	}
	return 0
}

func (u *universe) poolUsersIndex(l *lua.LState) int {
	n := self[poolUsers](l, "pool users")
	user := stringArg(l, 2, "?")
	l.Push(u.userdata(u.kinds.poolQueue, poolQueue{int(n), user}))
	return 1
}

func (u *universe) poolQueueIndex(l *lua.LState) int {
	q := self[poolQueue](l, "pool queue")
	if key(l) != "cur_idle_connections" {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(lua.LNumber(u.servers.Idle(q.backend, q.user, u.current)))
	return 1
}
