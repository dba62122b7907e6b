package script

import (
	lua "github.com/yuin/gopher-lua"
)

// kinds are the metatables of the objects that scripts see.
type kinds struct {
	connection, socket, address      *lua.LTable
	queries                          *lua.LTable
	injection, result, fields, field *lua.LTable
	backends, backend                *lua.LTable
	pool, poolUsers, poolQueue       *lua.LTable
}

// makeKinds makes the metatables.
func (u *universe) makeKinds() {
	u.kinds = kinds{
		connection: u.class("connection", u.connIndex, u.connNewIndex),
		socket:     u.class("socket", u.socketIndex, nil),
		address:    u.class("address", addressIndex, nil),
		queries:    u.queueClass(),
		injection:  u.class("injection", u.injIndex, nil),
		result:     u.class("resultset", u.resultIndex, nil),
		fields:     u.class("fields", u.fieldsIndex, nil),
		field:      u.class("field", fieldIndex, nil),
		backends:   u.class("backends", u.backendsIndex, nil),
		backend:    u.class("backend", u.backendIndex, u.backendNewIndex),
		pool:       u.class("pool", u.poolIndex, u.poolNewIndex),
		poolUsers:  u.class("pool users", u.poolUsersIndex, nil),
		poolQueue:  u.class("pool queue", u.poolQueueIndex, nil),
	}
	u.kinds.fields.RawSetString("__len", u.l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LNumber(len(self[fields](l, "fields").columns)))
		return 1
	}))
	u.kinds.backends.RawSetString("__len", u.l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LNumber(len(u.backends())))
		return 1
	}))
}

func (u *universe) class(name string, index, newIndex lua.LGFunction) *lua.LTable {
	t := u.l.NewTable()
	t.RawSetString("__index", u.l.NewFunction(index))
	if newIndex == nil {
		newIndex = func(l *lua.LState) int {
			l.RaiseError("attempt to index a userdata value (%s objects cannot be written)", name)
			return 0
		}
	}
	t.RawSetString("__newindex", u.l.NewFunction(newIndex))
	return t
}

// self is argument 1 as an object of Go type T. Calling a method with . in place of : is an error
// here, and memory corruption in the original.
func self[T any](l *lua.LState, name string) T {
	if ud, ok := l.Get(1).(*lua.LUserData); ok {
		if v, ok := ud.Value.(T); ok {
			return v
		}
	}
	var none T
	argError(l, 1, name, "userdata expected, got "+typeName(l, 1))
	return none
}

// key is the key of an index operation as text; "" for what is neither text nor a number.
func key(l *lua.LState) string {
	k, _ := text(l.Get(2))
	return k
}
