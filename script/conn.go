package script

import (
	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// conn is what a universe keeps for one client connection.
type conn struct {
	of      *intercept.Conn
	env     *lua.LTable // the script's globals
	private *lua.LTable // the connection's part of proxy
	loaded  bool        // the script has run

	queue    queue
	running  *entry // the query whose answer comes next
	over     bool   // the running query was decided on by the head of its answer
	sent     int    // answers the client has had for this command
	answered bool   // the client's command has an answer
	attrs    []mysqlwire.QueryAttr
	original string // the client's command as the script saw it
	wire     []byte // and as it came
	show     string // the packet whose answer is the command's own, for the journal

	closing bool // connection_close
	wanted  *int // backend_ndx as a snippet has set it

	greeting *mysqlwire.Greeting
	greeted  bool // the client has seen it
	login    *mysqlwire.Login
}

func (c *conn) info() intercept.ConnInfo { return c.of.Info() }

// newConn makes the environment of a connection: reads fall through to _G, writes stay.
func (u *universe) newConn(of *intercept.Conn) *conn {
	c := &conn{of: of}
	c.private = u.private(c)
	u.emptied(c)
	return c
}

// emptied gives a connection globals anew.
func (u *universe) emptied(c *conn) {
	c.env = u.layered(u.l.G.Global, false)
	c.env.RawSetString("__proxy", c.private)
}

// layered is an empty table that reads from below what it has not; with writes it writes there too.
func (u *universe) layered(below *lua.LTable, writes bool) *lua.LTable {
	t, meta := u.l.NewTable(), u.l.NewTable()
	meta.RawSetString("__index", below)
	if writes {
		meta.RawSetString("__newindex", below)
	}
	t.Metatable = meta
	return t
}

// note takes from an event what the objects of proxy.connection tell.
func (c *conn) note(ev *intercept.Event) {
	switch ev.Kind {
	case mysqlwire.KindGreeting:
		if g := new(mysqlwire.Greeting); g.Decode(ev.Packet, nil) == nil {
			c.greeting = g
		}
	case mysqlwire.KindLogin:
		if m := new(mysqlwire.Login); m.Decode(ev.Packet, nil) == nil {
			c.login, c.greeted = m, true
		}
	}
}
