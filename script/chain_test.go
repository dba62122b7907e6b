package script

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// echo is a server wholly in Lua: it lets everybody in and answers each command with an error that
// has the command's text.
const echo = `
	local proto = require("mysql.proto")
	function connect_server()
		proxy.response = { type = proxy.MYSQLD_PACKET_RAW, packets = { proto.to_challenge_packet({ server_version = 50114, thread_id = 7 }) } }
		return proxy.PROXY_SEND_RESULT
	end
	function read_auth() print("server sees", proxy.connection.client.username, proxy.connection.server) end
	function read_auth_result() print("never") end
	function read_query(packet)
		proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = "got " .. packet:sub(2), errcode = 1000 + packet:byte() }
		return proxy.PROXY_SEND_RESULT
	end
	function read_query_result() print("never") end`

// chain is a proxy with a script in front of one whose script is the server.
type chain struct {
	t     *testing.T
	back  *bench
	front *bench
	p     *intercepttest.Proxy
	*intercepttest.End
}

func newChain(t *testing.T, src string) *chain {
	t.Helper()
	c := &chain{t: t, back: load(t, echo)}
	server := intercepttest.NewProxy(t, intercept.Options{}, "")
	server.SetHooks(c.back.e)
	c.p = intercepttest.NewProxy(t, intercept.Options{}, server.Addr)
	c.front = loadWith(t, src, Options{Servers: c.p})
	c.p.SetHooks(c.front.e)
	conn, err := net.Dial("tcp", c.p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c.End = &intercepttest.End{Conn: conn}
	return c
}

// hears is the next packet in a word: greeting, ok, an error's text, or closed.
func (c *chain) hears() string {
	c.t.Helper()
	p, err := c.Receive()
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || err != nil && strings.Contains(err.Error(), "reset"):
		return "closed"
	case err != nil:
		c.t.Fatal(err)
	case p[0] == 0x0a:
		return "greeting"
	case p[0] == 0:
		return "ok"
	case p[0] == 0xff:
		text := string(p[3:])
		if text[0] == '#' {
			text = text[6:]
		}
		return text
	}
	return fmt.Sprintf("%q", p)
}

// login says the login and hears its result.
func (c *chain) login() string {
	c.t.Helper()
	m := &mysqlwire.Login{Caps: mysqlwire.Protocol41 | mysqlwire.SecureConnection, User: "app", AuthResponse: []byte("12345678901234567890")}
	b, err := m.Encode(nil, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.Send(b); err != nil {
		c.t.Fatal(err)
	}
	return c.hears()
}

// query sends a statement and hears the answer.
func (c *chain) query(sql string) string {
	c.t.Helper()
	c.Seq = 0
	if err := c.Send([]byte("\x03" + sql)); err != nil {
		return "closed"
	}
	return c.hears()
}

// Section 4: every row of the tables of return values, as client and server meet it.
func TestReturnValueTables(t *testing.T) {
	const (
		deny   = `proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = "denied" } `
		accept = `proxy.response = { type = proxy.MYSQLD_PACKET_OK } `
		normal = "greeting, ok, got q"
		queue  = `proxy.queries:append(5, "\003other") `
		needed = `function read_query(packet) proxy.queries:append(5, packet, { resultset_is_needed = true }) return 1 end `
		stream = `function read_query(packet) proxy.queries:append(5, packet) return 1 end `
		self   = `function read_query(packet) proxy.response = { type = 255, errmsg = "self" } return 2 end `
		none   = "critical: I have no server backend, closing connection"
		nobuf  = "tries to modify the resultset"
		drops  = "message: return-code for read_query_result() was neither"
		left   = "mydbg: script test.lua left this command without an answer"
	)
	for _, tt := range []struct{ hook, body, want, log string }{
		{"connect_server", "", normal, ""},
		{"connect_server", "return 0", normal, ""},
		{"connect_server", "return 1", normal, ""},
		{"connect_server", deny + "return 2", "denied, closed", ""},
		{"connect_server", "return 2", "(lua) handling proxy.response failed, check error-log, closed", "proxy.response.type isn't set"},
		{"connect_server", "return 3", normal, ""},
		{"connect_server", "return 4", normal, ""},
		{"connect_server", "return 9", normal, ""},
		{"connect_server", "error('no')", normal, "error: "},
		{"connect_server", "proxy.connection.backend_ndx = 1 return 4", normal, ""},
		{"connect_server", "proxy.connection.backend_ndx = 5", "(proxy) all backends are down, closed", ""},
		{"read_handshake", "return 0", normal, ""},
		{"read_handshake", deny + "return 1", "denied, closed", "warning: read_handshake() returned PROXY_SEND_QUERY"},
		{"read_handshake", deny + "return 2", "denied, closed", ""},
		{"read_handshake", accept + "return 2", "ok, closed", ""},
		{"read_handshake", "return 3", normal, ""},
		{"read_handshake", "return 4", normal, ""},
		{"read_handshake", "return 9", normal, ""},
		{"read_handshake", "error('no')", normal, "error: "},
		{"read_handshake", "proxy.connection.backend_ndx = 0", normal, "nobody has logged in on it yet"},
		{"read_auth", "return 0", normal, ""},
		{"read_auth", queue + "return 1", "greeting, ok, got q", ""},
		{"read_auth", "return 1", normal, ""},
		{"read_auth", deny + "return 2", "greeting, denied, closed", none},
		{"read_auth", accept + "return 2", "greeting, ok, closed", none},
		{"read_auth", deny + "return 2 end " + self + "do", "greeting, denied, self", ""},
		{"read_auth", accept + "return 2 end " + self + "do", "greeting, ok, self", ""},
		{"read_auth", "return 3", normal, ""},
		{"read_auth", "return 4", normal, ""},
		{"read_auth", "return 9", normal, ""},
		{"read_auth", "error('no')", normal, "error: "},
		{"read_auth_result", "return 0", normal, ""},
		{"read_auth_result", "return 1", normal, ""},
		{"read_auth_result", deny + "return 2", "greeting, denied, got q", ""},
		{"read_auth_result", "return 3", normal, ""},
		{"read_auth_result", "return 4", normal, ""},
		{"read_auth_result", "return 9", normal, ""},
		{"read_auth_result", "error('no')", normal, "error: "},
		{"read_auth_result", "proxy.connection.backend_ndx = 0", "greeting, ok, closed", none},
		{"read_query", "return 0", normal, ""},
		{"read_query", queue + "return 0", normal, "Discarding 1 elements from the queue."},
		{"read_query", queue + "return 1", "greeting, ok, got other", ""},
		{"read_query", "return 1", normal, "Assuming 'nil' was returned"},
		{"read_query", deny + "return 2", "greeting, ok, denied", ""},
		{"read_query", queue + deny + "return 2", "greeting, ok, denied", ""},
		{"read_query", deny + "return '2'", "greeting, ok, denied", ""},
		{"read_query", deny + "return 2.7", "greeting, ok, denied", ""},
		{"read_query", deny + "return true", normal, "hint"},
		{"read_query", "return {}, 2", normal, ""},
		{"read_query", "return 3", normal, "Assuming 'nil' was returned"},
		{"read_query", "return 4", normal, "Assuming 'nil' was returned"},
		{"read_query", "return 9", normal, "Assuming 'nil' was returned"},
		{"read_query", queue + "error('no')", normal, "error: "},
		{"read_query_result", "return 0 end " + needed + "do", normal, ""},
		{"read_query_result", "return 1 end " + needed + "do", "greeting, ok, " + left, drops},
		{"read_query_result", deny + "return 2 end " + needed + "do", "greeting, ok, denied", ""},
		{"read_query_result", "return 3 end " + needed + "do", "greeting, ok, " + left, drops},
		{"read_query_result", "return 4 end " + needed + "do", "greeting, ok, " + left, ""},
		{"read_query_result", "return 9 end " + needed + "do", "greeting, ok, " + left, drops},
		{"read_query_result", "error('no') end " + needed + "do", normal, "error: "},
		{"read_query_result", "proxy.connection.backend_ndx = 0 end " + needed + "do", normal, ""},
		{"read_query_result", "return 0 end " + stream + "do", normal, ""},
		{"read_query_result", "return 1 end " + stream + "do", normal, nobuf},
		{"read_query_result", deny + "return 2 end " + stream + "do", normal, nobuf},
		{"read_query_result", "return 3 end " + stream + "do", normal, nobuf},
		{"read_query_result", "return 4 end " + stream + "do", normal, nobuf},
		{"read_query_result", "return 9 end " + stream + "do", normal, nobuf},
		{"no_such_hook", "end " + needed + "do", normal, ""},
		{"disconnect_client", "return 2", normal, ""},
	} {
		t.Run(tt.hook+" "+tt.body, func(t *testing.T) {
			c := newChain(t, "function "+tt.hook+"(...) "+tt.body+" end")
			heard := []string{c.hears()}
			if heard[0] == "greeting" {
				heard = append(heard, c.login(), c.query("q"))
			} else {
				heard = append(heard, c.hears())
			}
			if got := strings.Join(heard, ", "); got != tt.want {
				t.Errorf("the client hears %s, want %s", got, tt.want)
			}
			var said []string
			c.p.Until("the log says "+tt.log, func() bool { // an answer that streams is there before its hook has run
				said = append(said, c.front.output()...)
				return strings.Contains(strings.Join(said, "\n"), tt.log)
			})
			got := strings.Join(said, "\n")
			if tt.log == "" && got != "" || !strings.Contains(got, tt.log) {
				t.Errorf("the log has %q, want %q in it", got, tt.log)
			}
		})
	}
}

// A script in front of a server that is a script: what each sees of the other.
func TestChainOfScripts(t *testing.T) {
	c := newChain(t, `
		local proto = require("mysql.proto")
		function read_handshake() print("handshake", proxy.connection.server.mysqld_version, proxy.connection.server.thread_id) end
		function read_auth()
			print("auth", proxy.connection.client.scrambled_password, #proxy.connection.client.scramble_buffer)
			proxy.queries:append(1, proto.to_response_packet({ server_capabilities = 0x8200, username = "other", response = ("x"):rep(20) }))
			return proxy.PROXY_SEND_QUERY
		end
		function read_auth_result(auth)
			local c, s = proxy.connection.client, proxy.connection.server
			print("result", auth.packet:byte(), c.username, s.src.name == c.src.name, s.src.address, s.dst.name == proxy.global.backends[1].dst.name)
		end
		function read_query(packet)
			proxy.queries:append(1, packet, { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj) print(inj.resultset.query_status, inj.resultset.raw:sub(10)) end`)
	if got := c.hears() + ", " + c.login() + ", " + c.query("one") + ", " + c.query("two"); got != "greeting, ok, got one, got two" {
		t.Errorf("got %s", got)
	}
	wantOutput(t, c.back, "print: server sees\tother\tnil")
	wantOutput(t, c.front, "print: handshake\t50114\t7", "print: auth\t12345678901234567890\t20", "print: result\t0\tapp\tfalse\t127.0.0.1\ttrue",
		"print: 255\tgot one", "print: 255\tgot two")
}

// Commands of several frames reach scripts whole, and are sent on as such.
func TestLargeCommands(t *testing.T) {
	c := newChain(t, `function read_query(packet)
		print(#packet, packet:sub(-3))
		if packet:sub(-3) == "new" then
			proxy.queries:append(1, packet:sub(1, -4) .. "else")
			return proxy.PROXY_SEND_QUERY
		end
	end`)
	if got := c.hears() + c.login(); got != "greetingok" {
		t.Fatal(got)
	}
	for _, n := range []int{mysqlwire.MaxFrame - 1, mysqlwire.MaxFrame, mysqlwire.MaxFrame + 5} {
		for _, end := range []string{"new", "old"} {
			if got := c.query(strings.Repeat("x", n-len(end)) + end); got != "got "+strings.Repeat("x", 508) {
				t.Fatalf("%d bytes: got %.40s of %d bytes", n+1, got, len(got))
			}
			wantOutput(t, c.front, fmt.Sprintf("print: %d\t%s", n+1, end))
		}
	}
}
