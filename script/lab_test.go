package script

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
)

// labBench is a bench whose engine serves a real proxy.
type labBench struct {
	*bench
	p *intercepttest.Proxy
	s intercepttest.Server
}

// closing are the databases that open has opened, by test.
var closing sync.Map

// closeAll closes the connections of open.
func (b *labBench) closeAll() {
	if db, ok := closing.Load(b); ok {
		_ = db.(*sql.DB).Close()
	}
}

// each runs a test of a script against every server.
func each(t *testing.T, src string, test func(t *testing.T, b *labBench)) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			b := &labBench{loadWith(t, src, Options{Servers: p, Deadline: 2 * time.Second}), p, s}
			p.SetHooks(b.e)
			test(t, b)
		})
	}
}

// open connects through the proxy with exactly one connection.
func (b *labBench) open(params string) *sql.Conn {
	b.t.Helper()
	db, err := sql.Open("mysql", b.s.DSN(b.p.Addr)+params)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	closing.Store(b, db)
	c, err := db.Conn(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// column is the first column of a query's rows.
func (b *labBench) column(c *sql.Conn, query string, args ...any) []string {
	b.t.Helper()
	rows, err := c.QueryContext(b.t.Context(), query, args...)
	if err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		columns, err := rows.Columns()
		if err != nil {
			b.t.Fatal(err)
		}
		cells := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			b.t.Fatal(err)
		}
		list = append(list, string(cells[0]))
	}
	if err := rows.Err(); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	return list
}

// notices are the errors the core has noted.
func (b *labBench) notices() []string {
	var list []string
	for _, n := range b.p.Journal.Notices(0, nil) {
		if n.Level == intercept.Error {
			list = append(list, n.Text)
		}
	}
	return list
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLabQueueAndAnswers(t *testing.T) {
	each(t, `
		local need = { resultset_is_needed = true }
		function read_query(packet)
			local sql = packet:sub(2)
			if packet:byte() ~= proxy.COM_QUERY then return end
			if sql == "select 'rewritten'" then
				proxy.queries:append(1, "\003select 'other'")
			elseif sql == "select 'around'" then
				proxy.queries:append(1, "\003set @n = 41", need)
				proxy.queries:append(2, "\003select @n + 1", need)
				proxy.queries:append(3, "\003set @n = 0", need)
			elseif sql == "select 'nothing'" then
				proxy.queries:append(4, packet, need)
			elseif sql == "select 'streamed'" then
				proxy.queries:append(1, "\003set @n = 1", need)
				proxy.queries:append(5, "\003select @n union select 2")
			elseif sql == "select 'chained'" then
				proxy.queries:append(6, "\003select 1", need)
			elseif sql == "select 'made'" then
				proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = {
					fields = { { name = "a", type = proxy.MYSQL_TYPE_VAR_STRING } }, rows = { { "x" }, { 5 } } } }
				return proxy.PROXY_SEND_RESULT
			elseif sql == "insert 'made'" then
				proxy.response = { type = proxy.MYSQLD_PACKET_OK, affected_rows = 3, insert_id = 9 }
				return proxy.PROXY_SEND_RESULT
			else
				return
			end
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj)
			if inj.id == 1 and inj.query:find("set") or inj.id == 3 or inj.id == 4 then return proxy.PROXY_IGNORE_RESULT end
			if inj.id == 5 then print("streamed", inj.resultset.row_count) end
			if inj.id == 6 then
				local n
				for row in inj.resultset.rows do n = tonumber(row[1]) end
				if n < 4 then
					proxy.queries:prepend(6, "\003select " .. n + 1, { resultset_is_needed = true })
					return proxy.PROXY_IGNORE_RESULT
				end
			end
		end`, func(t *testing.T, b *labBench) {
		for _, params := range []string{"", "?interpolateParams=true"} {
			c := b.open(params)
			want(t, b.column(c, "select 'untouched'"), "untouched")
			want(t, b.column(c, "select 'rewritten'"), "other")
			want(t, b.column(c, "select 'around'"), "42")
			want(t, b.column(c, "select 'streamed'"), "1", "2")
			want(t, b.column(c, "select 'chained'"), "4")
			want(t, b.column(c, "select 'made'"), "x", "5")
			want(t, b.column(c, "select ?", "prepared"), "prepared")
			r, err := c.ExecContext(t.Context(), "insert 'made'")
			if err != nil {
				t.Fatal(err)
			}
			n, _ := r.RowsAffected()
			id, _ := r.LastInsertId()
			if n != 3 || id != 9 {
				t.Errorf("got %d rows, id %d, want 3 and 9", n, id)
			}
			wantOutput(t, b.bench, "print: streamed\t2")
			if got := b.notices(); len(got) > 0 {
				t.Errorf("the core noted %q", got)
			}
		}
		c := b.open("")
		_, err := c.ExecContext(t.Context(), "select 'nothing'")
		var refused *mysql.MySQLError
		if !errors.As(err, &refused) || refused.Number != 1105 {
			t.Errorf("an ignored answer: got %v, want an error", err)
		}
		want(t, b.column(c, "select 'untouched'"), "untouched")
	})
}

func TestLabConnectionObject(t *testing.T) {
	each(t, `
		local login
		function connect_server() print("connect", #proxy.global.backends, proxy.global.backends[1].dst.name) end
		function read_handshake() print("handshake", proxy.connection.server.thread_id > 0, proxy.connection.server.mysqld_version > 50000, #proxy.connection.server.scramble_buffer) end
		function read_auth() print("auth", proxy.connection.client.username, proxy.connection.client.default_db) end
		function read_auth_result(auth) login = auth.packet:byte() end
		function read_query(packet)
			if packet ~= "\003select 'tell'" then return end
			local c, s = proxy.connection.client, proxy.connection.server
			print(login, s.username, c.default_db, s.default_db, proxy.connection.backend_ndx, proxy.global.backends[1].state, proxy.global.backends[1].connected_clients)
			print(c.src.type, c.src.address, c.dst.name, s.dst.name, c.thread_id == s.thread_id)
			proxy.connection.connection_close = true
		end
		function disconnect_client() print("bye", proxy.connection.client.username) end`, func(t *testing.T, b *labBench) {
		c := b.open("?maxAllowedPacket=1048576")
		want(t, b.column(c, "select 'tell'"), "tell")
		if err := c.PingContext(t.Context()); err == nil {
			t.Error("the connection is still open")
		}
		_ = c.Close()
		db := b.s.Database
		var got []string
		b.p.Until("the connection's end", func() bool {
			got = append(got, b.output()...)
			return slices.Contains(got, "print: bye\t"+b.s.User)
		})
		// The driver may log in once more after the connection was closed under it.
		wanted := []string{
			"print: connect\t1\t" + b.s.Addr, "print: handshake\ttrue\ttrue\t21", "print: auth\t" + b.s.User + "\t" + db,
			fmt.Sprintf("print: 0\t%s\t%s\t%s\t1\t1\t1", b.s.User, db, db),
			"print: 2\t127.0.0.1\t" + b.p.Addr + "\t" + b.s.Addr + "\ttrue",
		}
		if len(got) < len(wanted) || !slices.Equal(got[:len(wanted)], wanted) {
			t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
		}
	})
}

func TestLabLoginIsDeniedByTheScript(t *testing.T) {
	each(t, `
		function read_auth()
			if proxy.connection.client.default_db ~= "denied" then return end
			proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = "not today", errcode = 1045, sqlstate = "28000" }
			return proxy.PROXY_SEND_RESULT
		end`, func(t *testing.T, b *labBench) {
		want(t, b.column(b.open(""), "select 1"), "1")
		s := b.s
		s.Database = "denied"
		db, err := sql.Open("mysql", s.DSN(b.p.Addr))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var refused *mysql.MySQLError
		if err := db.PingContext(t.Context()); !errors.As(err, &refused) || refused.Number != 1045 || refused.Message != "not today" {
			t.Errorf("got %v, want the script's error", err)
		}
	})
}

func TestLabMockServer(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "")
	b := load(t, `
		-- protocol 10, version, thread, scramble, capabilities, charset, status
		local greeting = "\0105.1.99-mock\000\001\000\000\00012345678\000\005\162\008\002\000\000\000\000" ..
			("\000"):rep(10) .. "901234567890\000"
		function connect_server()
			proxy.response = { type = proxy.MYSQLD_PACKET_RAW, packets = { greeting } }
			return proxy.PROXY_SEND_RESULT
		end
		function read_query(packet)
			if packet == "\003select 'mock'" then
				proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = {
					fields = { { name = "who", type = proxy.MYSQL_TYPE_STRING } }, rows = { { proxy.connection.client.username } } } }
			else
				proxy.response = { type = proxy.MYSQLD_PACKET_OK }
			end
			return proxy.PROXY_SEND_RESULT
		end`)
	p.SetHooks(b.e)
	db, err := sql.Open("mysql", "somebody:secret@tcp("+p.Addr+")/")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var who string
	for range 2 {
		if err := db.QueryRowContext(t.Context(), "select 'mock'").Scan(&who); err != nil || who != "somebody" {
			t.Fatalf("got %q, %v", who, err)
		}
	}
}

func TestLabExamples(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			var hooks []intercept.Hook
			var mine []*bench
			for _, name := range []string{"flaky.lua", "mask.lua"} {
				b := example(t, name)
				mine = append(mine, b)
				hooks = append(hooks, b.e)
			}
			p.SetHooks(hooks...)
			b := &labBench{mine[0], p, s}
			c := b.open("")
			want(t, b.column(c, "select 'jane@example.com' union select 'nobody'"), "j***@example.com", "nobody")
			want(t, b.column(c, "select ?", "jane@example.com"), "jane@example.com") // prepared statements go past it
			if _, err := c.ExecContext(t.Context(), "create temporary table w (a int)"); err != nil {
				t.Fatal(err)
			}
			var numbers []uint16
			for range 3 {
				_, err := c.ExecContext(t.Context(), "insert into w values (1)")
				var e *mysql.MySQLError
				if errors.As(err, &e) {
					numbers = append(numbers, e.Number)
				}
			}
			if !slices.Equal(numbers, []uint16{1213}) {
				t.Errorf("got errors %v, want one deadlock", numbers)
			}
			want(t, b.column(c, "select count(*) from w"), "2")
		})
	}
}

func TestLabPreparedStatements(t *testing.T) {
	each(t, `
		function read_query(packet)
			if packet:byte() == proxy.COM_STMT_EXECUTE or packet:byte() == proxy.COM_STMT_CLOSE then
				proxy.queries:append(packet:byte(), packet, { resultset_is_needed = true })
				return proxy.PROXY_SEND_QUERY
			end
		end
		function read_query_result(inj)
			if not inj.resultset.rows then return end
			for row in inj.resultset.rows do print(inj.resultset.fields[2].name, row[1], row[2], row[3]) end
			proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = {
				fields = { { name = "n", type = proxy.MYSQL_TYPE_LONGLONG }, { name = "s", type = proxy.MYSQL_TYPE_VAR_STRING }, { name = "x", type = proxy.MYSQL_TYPE_NULL } },
				rows = { { 8, "changed" } } } }
			return proxy.PROXY_SEND_RESULT
		end`, func(t *testing.T, b *labBench) {
		c := b.open("")
		for range 2 {
			want(t, b.column(c, "select 7 as n, ? as s, null as x", "text"), "8")
		}
		wantOutput(t, b.bench, "print: s\t7\ttext\tnil", "print: s\t7\ttext\tnil")
		if got := b.notices(); len(got) > 0 {
			t.Errorf("the core noted %q", got)
		}
	})
}

func TestLabLoadDataLocal(t *testing.T) {
	each(t, `
		function read_query(packet)
			if packet:byte() ~= proxy.COM_QUERY then return end
			proxy.queries:append(1, packet, { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj) if inj.query:find("load data") then print(inj.resultset.affected_rows) end end`, func(t *testing.T, b *labBench) {
		mysql.RegisterReaderHandler("lines", func() io.Reader { return strings.NewReader("1\n2\n3\n") })
		defer mysql.DeregisterReaderHandler("lines")
		c := b.open("?allowAllFiles=true")
		if _, err := c.ExecContext(t.Context(), "create temporary table l (a int)"); err != nil {
			t.Fatal(err)
		}
		_, err := c.ExecContext(t.Context(), "load data local infile 'Reader::lines' into table l")
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && refused.Number == 3948 {
			t.Skip("it does not load local files")
		}
		if err != nil {
			t.Fatal(err)
		}
		want(t, b.column(c, "select count(*) from l"), "3")
		wantOutput(t, b.bench, "print: 3")
		if got := b.notices(); len(got) > 0 {
			t.Errorf("the core noted %q", got)
		}
	})
}

// An answer over the core's limit is decided on by its first part.
func TestLabLargeAnswers(t *testing.T) {
	const rows = 20000
	const ten = "(select 0 union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 " +
		"union all select 6 union all select 7 union all select 8 union all select 9)"
	// MySQL 5.6 has no recursive tables.
	large := "select repeat('x', 1000) from " + ten + " a, " + ten + " b, " + ten + " c, " + ten + " d, (select 1 union all select 2) e"
	each(t, `
		function read_query(packet)
			if not packet:find("repeat") then return end
			proxy.queries:append(1, packet, { resultset_is_needed = true })
			proxy.queries:append(2, "\003select 'second'", { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj)
			if inj.id == 2 then return ret ~= proxy.PROXY_IGNORE_RESULT and proxy.PROXY_IGNORE_RESULT or nil end
			proxy.response.type = proxy.MYSQLD_PACKET_OK
			return ret
		end`, func(t *testing.T, b *labBench) {
		c := b.open("")
		for _, tt := range []struct {
			ret, first string
			n          int
			output     []string
		}{
			{"nil", strings.Repeat("x", 1000), rows, nil},
			{"2", strings.Repeat("x", 1000), rows, []string{"critical: the answer is too large to be replaced: it goes to the client as it is"}},
			{"4", "second", 1, nil},
		} {
			want(t, b.column(c, "select 1"), "1")
			ev := &intercept.Event{Point: rule.ReadQuery, Conn: b.p.Conn(b.p.Conns()[0].ID), Context: heldQuery(1, "").Context}
			if r := NewConsole(Options{}, b.e).Run(t.Context(), ev, "ret = "+tt.ret); r.Err != nil {
				t.Fatal(r.Err)
			}
			got := b.column(c, large)
			if len(got) != tt.n || got[0] != tt.first {
				t.Errorf("%s: got %d rows, want %d", tt.ret, len(got), tt.n)
			}
			wantOutput(t, b.bench, tt.output...)
		}
		if got := b.notices(); len(got) > 0 {
			t.Errorf("the core noted %q", got)
		}
	})
}

// A draft made at a held event is applied by the person.
func TestLabSnippet(t *testing.T) {
	each(t, `seen = 0 function read_query(packet) seen = seen + 1 end`, func(t *testing.T, b *labBench) {
		c := b.open("")
		console := NewConsole(Options{}, b.e)
		b.p.Break(`stop if sql contains "held"`)
		for _, tt := range []struct {
			code string
			want []string
		}{
			{`proxy.queries:append(1, "\003set @x = 5") proxy.queries:append(2, "\003select @x, " .. seen) return proxy.PROXY_SEND_QUERY`, []string{"5"}},
			{`proxy.response = { type = 0, resultset = { fields = { { name = "a", type = 254 } }, rows = { { "by hand" } } } } return proxy.PROXY_SEND_RESULT`, []string{"by hand"}},
			{`proxy.queries:append(1, (packet:gsub("held", "free"))) return proxy.PROXY_SEND_QUERY`, []string{"free"}},
		} {
			var got []string
			var done sync.WaitGroup
			done.Go(func() { got = b.column(c, "select 'held'") })
			h := b.p.Held(rule.ReadQuery)
			r := console.Run(t.Context(), h.Event, tt.code)
			if r.Err != nil || r.Verdict == nil {
				t.Fatalf("%s: %+v", tt.code, r)
			}
			b.p.Resolve(h, *r.Verdict)
			done.Wait()
			want(t, got, tt.want...)
		}
	})
}

func TestLabManyConnections(t *testing.T) {
	each(t, `
		function read_query(packet)
			proxy.queries:append(1, packet, { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj) proxy.global.n = (proxy.global.n or 0) + inj.resultset.row_count end`, func(t *testing.T, b *labBench) {
		var wg sync.WaitGroup
		for range 4 {
			c := b.open("")
			wg.Go(func() {
				for i := range 50 {
					var n int
					if err := c.QueryRowContext(context.Background(), fmt.Sprintf("select %d", i)).Scan(&n); err != nil || n != i {
						t.Errorf("got %d, %v, want %d", n, err, i)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}
