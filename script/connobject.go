package script

import (
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
		l.Push(u.userdata(u.kinds.socket, socket{c, intercept.ClientLeg}))
	case "server":
		if c.info().Backend == "" {
			l.Push(lua.LNil)
			break
		}
		l.Push(u.userdata(u.kinds.socket, socket{c, intercept.ServerLeg}))
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
		if n == 0 && c.info().Backend != "" && !c.pooling {
			c.pooling = true
			u.say(Warning, "proxy.connection.backend_ndx = 0: there is no connection pool, the server connection stays with its client")
		}
		c.wanted = &n
	default:
		l.RaiseError("proxy.connection.%s is not writable", k)
	}
	return 0
}

// socket is one side of a connection.
type socket struct {
	c    *conn
	side intercept.Leg
}

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
	c := s.c
	switch k {
	case "default_db":
		return lua.LString(c.info().DB)
	case "src":
		a := c.info().Client
		if s.side == intercept.ServerLeg {
			a = "" // the proxy's own end is not told
		}
		return u.address(a)
	case "dst":
		a := c.info().Listen
		if s.side == intercept.ServerLeg {
			a = c.info().Backend
		}
		return u.address(a)
	case "address":
		l.RaiseError(".address is deprecated. Use .src.name or .dst.name instead")
	}
	if v := c.loginField(s.side, k); v != nil {
		return v
	}
	return c.greetingField(s.side, k)
}

// loginField is what the login told.
func (c *conn) loginField(side intercept.Leg, k string) lua.LValue {
	if side == intercept.ServerLeg && !c.passedOn {
		return nil
	}
	if c.login == nil {
		if i := c.info(); k == "username" && i.User != "" { // the script came later than the client
			return lua.LString(i.User)
		}
		return nil
	}
	switch k {
	case "username":
		return lua.LString(c.login.User)
	case "scrambled_password":
		return lua.LString(c.login.AuthResponse)
	case "auth_plugin_name":
		if c.login.PluginName != "" {
			return lua.LString(c.login.PluginName)
		}
	}
	return nil
}

// greetingField is what the greeting told.
func (c *conn) greetingField(side intercept.Leg, k string) lua.LValue {
	g := c.greeting
	if side == intercept.ClientLeg && !c.greeted {
		g = nil
	}
	if g == nil {
		i := c.info()
		switch {
		case i.Server == "" || i.Phase < intercept.Ready:
		case k == "mysqld_version":
			return lua.LNumber(versionNumber(i.Server))
		case k == "thread_id":
			return lua.LNumber(i.Thread)
		}
		return nil
	}
	switch k {
	case "mysqld_version":
		return lua.LNumber(versionNumber(g.Version))
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
