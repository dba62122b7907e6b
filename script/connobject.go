package script

import (
	"errors"
	"net"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// connIndex reads proxy.connection.
func (u *universe) connIndex(l *lua.LState) int {
	c := self[*conn](l, "connection")
	switch k := key(l); k {
	case "client":
		l.Push(u.userdata(u.kinds.socket, socket{c, c.clientPeer(), intercept.ClientLeg}))
	case "server":
		p := c.serverPeer()
		if p == nil {
			l.Push(lua.LNil)
			break
		}
		l.Push(u.userdata(u.kinds.socket, socket{c, *p, intercept.ServerLeg}))
	case "backend_ndx":
		n := c.info().BackendIndex
		if c.wanted != nil {
			n = *c.wanted
		}
		l.Push(lua.LNumber(n))
	case "default_db":
		l.RaiseError("proxy.connection.default_db is deprecated, use proxy.connection.client.default_db or proxy.connection.server.default_db instead")
	case "thread_id", "mysqld_version":
		l.RaiseError("proxy.connection.%s is deprecated, use proxy.connection.server.%[1]s instead", k)
	default:
		l.Push(lua.LNil)
	}
	return 1
}

// connNewIndex writes proxy.connection.
func (u *universe) connNewIndex(l *lua.LState) int {
	c := self[*conn](l, "connection")
	switch k := key(l); k {
	case "connection_close":
		b, ok := l.Get(3).(lua.LBool)
		if !ok {
			argError(l, 3, "?", "boolean expected, got "+typeName(l, 3))
		}
		c.closing = bool(b)
	case "backend_ndx":
		n := intArg(l, 3, "?")
		switch err := c.of.Pick(n); {
		case errors.Is(err, intercept.ErrNoHook): // a snippet at a held event: a draft
			c.wanted = &n
		case err != nil:
			l.RaiseError("proxy.connection.backend_ndx = %d: %s", n, err.Error())
		default:
			c.wanted = nil
		}
	default:
		l.RaiseError("proxy.connection.%s is not writable", k)
	}
	return 0
}

// socket is one side of a connection, as it was when a script asked for it.
type socket struct {
	c    *conn
	peer intercept.Peer
	side intercept.Leg
}

// clientPeer is the client's side: what the core knows, and what events have told besides.
func (c *conn) clientPeer() intercept.Peer {
	p := c.of.Client()
	if p.Login == nil {
		p.Login = c.login
	}
	if p.Greeting == nil && c.greeted {
		p.Greeting = c.greeting
	}
	return p
}

// serverPeer is the server's side; nil where there is no server.
func (c *conn) serverPeer() *intercept.Peer { return c.of.Server() }

func (u *universe) socketIndex(l *lua.LState) int {
	s := self[socket](l, "socket")
	k := key(l)
	if v := u.socketField(l, s, k); v != nil {
		l.Push(v)
		return 1
	}
	u.say(Critical, "proxy.connection.%s: nothing is known of it (looking for %s)", map[intercept.Leg]string{intercept.ClientLeg: "client", intercept.ServerLeg: "server"}[s.side], k)
	l.Push(lua.LNil)
	return 1
}

// socketField is a field of a side; nil when it is not known, or not known yet.
func (u *universe) socketField(l *lua.LState, s socket, k string) lua.LValue {
	switch k {
	case "default_db":
		return lua.LString(s.peer.DB)
	case "src":
		return u.address(s.peer.Src)
	case "dst":
		return u.address(s.peer.Dst)
	case "address":
		l.RaiseError(".address is deprecated. Use .src.name or .dst.name instead")
	}
	if v := loginField(s.peer.Login, k); v != nil {
		return v
	}
	return greetingField(s.peer.Greeting, k)
}

// loginField is what a login told; nil if it told nothing.
func loginField(m *mysqlwire.Login, k string) lua.LValue {
	if m == nil {
		return nil
	}
	switch k {
	case "username":
		return lua.LString(m.User)
	case "scrambled_password":
		return lua.LString(m.AuthResponse)
	case "auth_plugin_name":
		if m.PluginName != "" {
			return lua.LString(m.PluginName)
		}
	}
	return nil
}

// greetingField is what a greeting told.
func greetingField(g *mysqlwire.Greeting, k string) lua.LValue {
	if g == nil {
		return nil
	}
	switch k {
	case "mysqld_version":
		return lua.LNumber(versionNumber(g.ServerVersion()))
	case "thread_id":
		return lua.LNumber(g.ConnectionID)
	case "scramble_buffer":
		if g.Caps.Has(mysqlwire.PluginAuth) {
			return lua.LString(string(g.Scramble) + "\x00")
		}
		return lua.LString(g.Scramble)
	case "auth_plugin_name":
		return lua.LString(g.PluginName)
	}
	return nil
}

// versionNumber is a.b.c as a*10000 + b*100 + c.
func versionNumber(v string) int {
	n, factor := 0, 10000
	for _, part := range strings.SplitN(v, ".", 3) {
		end := 0
		for end < len(part) && part[end] >= '0' && part[end] <= '9' {
			end++
		}
		i, _ := strconv.Atoi(part[:end])
		n += i * factor
		factor /= 100
	}
	return n
}

// address is an endpoint taken apart.
type address struct {
	name, host string
	port       int // -1 of a Unix socket
	family     int
}

// Address families as Linux numbers them.
const (
	familyUnix  = 1
	familyIPv4  = 2
	familyIPv6  = 10
	noPort      = -1
	unixAddress = "unix:"
)

func (u *universe) address(s string) lua.LValue {
	return u.userdata(u.kinds.address, parseAddress(s))
}

func parseAddress(s string) address {
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.HasPrefix(s, unixAddress) {
		path := strings.TrimPrefix(s, unixAddress)
		return address{name: path, host: path, port: noPort, family: familyUnix}
	}
	a := address{name: s, host: host, family: familyIPv4}
	a.port, _ = strconv.Atoi(port)
	if strings.Contains(host, ":") {
		a.family = familyIPv6
	}
	return a
}

func addressIndex(l *lua.LState) int {
	a := self[address](l, "address")
	var v lua.LValue = lua.LNil
	switch key(l) {
	case "type":
		v = lua.LNumber(a.family)
	case "name":
		v = lua.LString(a.name)
	case "address":
		v = lua.LString(a.host)
	case "port":
		if a.port != noPort {
			v = lua.LNumber(a.port)
		}
	}
	l.Push(v)
	return 1
}
