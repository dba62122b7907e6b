package script

import (
	"database/sql"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

// pooling is a script in the manner of MySQL Proxy's ro-pooling: a client has a server connection
// only while a statement runs.
const pooling = `
	local function idle(i) return proxy.global.backends[i].pool.users[proxy.connection.client.username].cur_idle_connections end
	function connect_server()
		proxy.connection.backend_ndx = 1
		print("connect", proxy.global.backends[1].pool.users[""].cur_idle_connections, proxy.connection.server ~= nil)
		if proxy.connection.server then return proxy.PROXY_IGNORE_RESULT end
	end
	function read_handshake() print("handshake") end
	function read_auth() print("auth", proxy.connection.client.username, proxy.connection.server ~= nil) end
	function read_auth_result(auth)
		print("result", auth.packet:byte())
		if auth.packet:byte() ~= proxy.MYSQLD_PACKET_OK then return end
		proxy.connection.backend_ndx = 0
		print(proxy.connection.server, proxy.global.backends[1].connected_clients, idle(1))
	end
	function read_query(packet)
		if packet:byte() == proxy.COM_QUIT then
			proxy.response = { type = proxy.MYSQLD_PACKET_OK }
			return proxy.PROXY_SEND_RESULT
		end
		proxy.connection.backend_ndx = 1
		local c, s = proxy.connection.client, proxy.connection.server
		if not s then print("none idle") return end
		if c.default_db ~= s.default_db and c.default_db ~= "" then
			proxy.queries:append(2, string.char(proxy.COM_INIT_DB) .. c.default_db, { resultset_is_needed = true })
		end
		proxy.queries:append(1, packet, { resultset_is_needed = true })
		return proxy.PROXY_SEND_QUERY
	end
	function read_query_result(inj)
		if inj.id ~= 1 then return proxy.PROXY_IGNORE_RESULT end
		if not inj.resultset.flags.in_trans then proxy.connection.backend_ndx = 0 end
	end`

// Trace 2 and 3 of the specification's appendix C.5, and statement pooling over them.
func TestLabPooling(t *testing.T) {
	each(t, pooling, func(t *testing.T, b *labBench) {
		idle := func(n int) {
			t.Helper()
			b.p.Until(fmt.Sprintf("%d connections are idle", n), func() bool { return len(b.p.Backends()[0].Idle) == n })
		}
		plain := "?allowNativePasswords=true"
		one := b.open(plain)
		first := b.column(one, "select connection_id()")[0]
		idle(1)
		if got := b.p.Backends()[0]; got.Clients != 0 || got.State != intercept.BackendUp {
			t.Errorf("while it is idle: got %d clients, state %v", got.Clients, got.State)
		}
		for range 3 {
			want(t, b.column(one, "select connection_id()"), first)
			idle(1)
		}
		// A second client takes the connection over by COM_CHANGE_USER.
		b.output()
		two := b.open(plain)
		idle(1)
		got := strings.Join(b.output(), "; ")
		if want := "print: connect\t0\ttrue; print: auth\t" + b.s.User + "\ttrue; print: result\t"; !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want it to begin with %s", got, want)
		}
		want(t, b.column(two, "select connection_id()"), first)
		want(t, b.column(two, "select database()"), b.s.Database)
		idle(1)

		// Each statement of a transaction gets the same connection, other clients a new one or none.
		if _, err := two.ExecContext(t.Context(), "begin"); err != nil {
			t.Fatal(err)
		}
		want(t, b.column(two, "select connection_id()"), first)
		if n := len(b.p.Backends()[0].Idle); n != 0 {
			t.Errorf("%d connections are idle in the transaction", n)
		}
		three := b.open(plain)
		idle(1)
		if other := b.column(three, "select connection_id()")[0]; other == first {
			t.Errorf("two clients have connection %s at once", other)
		}
		if _, err := two.ExecContext(t.Context(), "rollback"); err != nil {
			t.Fatal(err)
		}
		idle(2)
		if got := b.notices(); len(got) > 0 {
			t.Errorf("the core noted %q", got)
		}
	})
}

// A client leaves; what the script gives away at disconnect stays, everything else is closed.
func TestLabKeepAtDisconnect(t *testing.T) {
	each(t, `
		function read_query(packet)
			if packet:byte() == proxy.COM_QUIT then
				proxy.response = { type = proxy.MYSQLD_PACKET_OK }
				return proxy.PROXY_SEND_RESULT
			end
		end
		function disconnect_client()
			if keep then proxy.connection.backend_ndx = 0 end
			print("bye", proxy.connection.server ~= nil)
		end`, func(t *testing.T, b *labBench) {
		for _, keep := range []bool{false, true} {
			c := b.open("")
			id := b.p.Conns()[0].ID
			if keep {
				ev := b.commandEvent(id, "\x03x")
				ev.Conn = b.p.Conn(id)
				if r := NewConsole(Options{}, b.e).Run(t.Context(), ev, "keep = true"); r.Err != nil {
					t.Fatal(r.Err)
				}
			}
			_ = c.Close()
			b.closeAll()
			said := ""
			b.p.Until("the client has left", func() bool {
				for _, i := range b.p.Conns() {
					if i.ID == id && i.Phase != intercept.Closed {
						return false
					}
				}
				said += strings.Join(b.output(), "; ")
				return said != ""
			})
			if want := fmt.Sprintf("print: bye\t%v", !keep); said != want {
				t.Errorf("got %s, want %s", said, want)
			}
			n := 0
			if keep {
				n = 1
			}
			b.p.Until("the pool has what was kept", func() bool {
				at := b.p.Backends()[0]
				return len(at.Idle) == n && at.Clients == 0
			})
		}
	})
}

// Trace 1 of appendix C.5: the first server refuses, the hook is asked again.
func TestLabFailover(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			dead := l.Addr().String()
			_ = l.Close()
			p := intercepttest.NewProxy(t, intercept.Options{Backends: []intercept.Backend{{Address: dead}}}, s.Addr)
			b := &labBench{loadWith(t, `
				function connect_server()
					print("connect", proxy.global.backends[1].state, proxy.connection.backend_ndx)
					proxy.connection.backend_ndx = 1
				end
				function read_query() print(proxy.connection.backend_ndx) end
				function disconnect_client() print("bye") end`, Options{Servers: p, Deadline: 20 * time.Second}), p, s}
			p.SetHooks(b.e)
			c := b.open("")
			want(t, b.column(c, "select 1"), "1")
			got := b.output()
			if len(got) < 3 || got[0] != "print: connect\t0\t0" || got[1] != "print: connect\t2\t0" || got[2] != "print: 2" {
				t.Errorf("got %q", got)
			}
			if up := p.Backends()[1]; up.State != intercept.BackendUp || up.Clients != 1 {
				t.Errorf("got state %v, %d clients", up.State, up.Clients)
			}
			// With all of them down the client is told so.
			p.SetBackendState(2, intercept.BackendDown)
			raw, err := net.Dial("tcp", p.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			reply := make([]byte, 100)
			n, _ := raw.Read(reply)
			if want := "\x23\x00\x00\x00\xff\x51\x04(proxy) all backends are down"; string(reply[:n]) != strings.Replace(want, "\x23", string(rune(len(want)-4)), 1) {
				t.Errorf("got %q", reply[:n])
			}
		})
	}
}

// What is pooled is used by those only whose bytes can cross it: others get a new connection to the
// same server, for which they are asked to prove themselves once more.
func TestLabPooledConnectionThatDoesNotFit(t *testing.T) {
	each(t, pooling, func(t *testing.T, b *labBench) {
		first := b.column(b.open(""), "select connection_id()")[0]
		b.p.Until("it is idle", func() bool { return len(b.p.Backends()[0].Idle) == 1 })
		other := b.open("?clientFoundRows=true")
		if got := b.column(other, "select connection_id()")[0]; got == first {
			t.Errorf("a client with other capabilities has connection %s, too", got)
		}
		warned := func() bool {
			for _, n := range b.p.Journal.Notices(0, nil) {
				if strings.Contains(n.Text, "the pooled connection to "+b.s.Addr+" is not used") && strings.Contains(n.Text, "FOUND_ROWS") {
					return true
				}
			}
			return false
		}
		if !warned() {
			for _, n := range b.p.Journal.Notices(0, nil) {
				t.Log(n.Text)
			}
			t.Error("the log does not say why", b.output())
		}
	})
}

// A connection to the server that is encrypted does for clients that are, and the other way round.
func TestLabPooledConnectionOfOtherEncryption(t *testing.T) {
	each(t, pooling, func(t *testing.T, b *labBench) {
		const plain, encrypted = "?tls=false&allowNativePasswords=true", "?tls=skip-verify&allowNativePasswords=true"
		straight, err := sql.Open("mysql", b.s.DSN("")+encrypted)
		if err != nil {
			t.Fatal(err)
		}
		defer straight.Close()
		if err := straight.PingContext(t.Context()); err != nil {
			t.Skipf("%s has no TLS", b.s.Name)
		}
		idle := func(n int) {
			t.Helper()
			b.p.Until(fmt.Sprintf("%d connections are idle", n), func() bool { return len(b.p.Backends()[0].Idle) == n })
		}
		one := b.open(plain)
		first := b.column(one, "select connection_id()")[0]
		idle(1)
		if got := b.p.Conns()[0]; got.ServerTLS != "" {
			t.Fatalf("the first client's connection to the server has %s", got.ServerTLS)
		}
		two := b.open(encrypted)
		second := b.column(two, "select connection_id()")[0]
		if second == first {
			t.Errorf("a client with TLS has the plain connection %s", first)
		}
		b.p.Until("the log says why", func() bool {
			for _, n := range b.p.Journal.Notices(0, nil) {
				if strings.Contains(n.Text, "the pooled connection to "+b.s.Addr+" is not used") && strings.Contains(n.Text, "TLS") {
					return true
				}
			}
			return false
		})
	})
}

// With --proxy-pool-no-change-user nobody is asked: who proves exactly what the last one did gets in.
func TestLabPoolWithoutChangeUser(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{PoolNoChangeUser: true}, s.Addr)
			b := &labBench{loadWith(t, pooling, Options{Servers: p, Deadline: intercepttest.Patience}), p, s}
			p.SetHooks(b.e)
			var empty intercepttest.User
			for _, u := range s.Users {
				if u.Name == "lab_empty" {
					empty = u
				}
			}
			if empty.Name == "" {
				t.Skip("no account without a password, whose proof is always the same")
			}
			b.s.User, b.s.Password, b.s.Database = empty.Name, empty.Password, ""
			first := b.column(b.open(""), "select connection_id()")[0]
			p.Until("it is idle", func() bool { return len(p.Backends()[0].Idle) == 1 })
			b.output()
			second := b.open("")
			want(t, b.column(second, "select connection_id()"), first)
			if got := strings.Join(b.output(), "; "); strings.Contains(got, "result") {
				t.Errorf("the server was asked: %s", got)
			}
			b.s.User = s.User
			b.s.Password = s.Password
			db, err := sql.Open("mysql", b.s.DSN(p.Addr))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			p.Until("it is idle", func() bool { return len(p.Backends()[0].Idle) == 1 })
			if err := db.PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), "(proxy-pool) login failed") {
				t.Errorf("another user: got %v", err)
			}
		})
	}
}
