package script

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// bench drives an engine with events made by hand.
type bench struct {
	t    testing.TB
	e    *Engine
	path string
	caps mysqlwire.Caps

	mu   sync.Mutex
	said []Line
	next intercept.HoldID
}

// load makes a bench with a script.
func load(t testing.TB, src string) *bench { return loadWith(t, src, Options{}) }

func loadWith(t testing.TB, src string, o Options) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "test.lua"), caps: mysqlwire.Protocol41}
	if o.Deadline == 0 {
		o.Deadline = 20 * time.Second // the machine may be busy
	}
	b.write(src)
	o.Output = func(l Line) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.said = append(b.said, l)
	}
	e, err := Load(b.path, o)
	if err != nil {
		t.Fatal(err)
	}
	b.e = e
	return b
}

// write changes the script's file, with a time of its own.
func (b *bench) write(src string) {
	b.t.Helper()
	if err := os.WriteFile(b.path, []byte(src), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.next++
	at := time.Unix(1_700_000_000+int64(b.next), 0)
	if err := os.Chtimes(b.path, at, at); err != nil {
		b.t.Fatal(err)
	}
}

// output is what was said since the last call, one line each: level, text.
func (b *bench) output() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for _, l := range b.said {
		list = append(list, l.Level.String()+": "+strings.ReplaceAll(l.Text, b.path, "SCRIPT"))
	}
	b.said = nil
	return list
}

func (b *bench) event(p intercept.Point, conn intercept.ConnID) *intercept.Event {
	b.next++
	return &intercept.Event{ID: b.next, Point: p, Conn: conns(conn), Exchange: intercept.Seq(b.next), Context: &mysqlwire.Context{Caps: b.caps}}
}

var (
	connsMu   sync.Mutex
	connsByID = map[intercept.ConnID]*intercept.Conn{}
)

func conns(id intercept.ConnID) *intercept.Conn {
	connsMu.Lock()
	defer connsMu.Unlock()
	if connsByID[id] == nil {
		connsByID[id] = &intercept.Conn{ID: id}
	}
	return connsByID[id]
}

// ask asks the engine about an event that must not fail.
func (b *bench) ask(ev *intercept.Event) intercept.Verdict {
	b.t.Helper()
	v, err := b.e.Handle(context.Background(), ev)
	if err != nil {
		b.t.Fatalf("%s: %v", ev.Point, err)
	}
	return v
}

func (b *bench) commandEvent(conn intercept.ConnID, packet string) *intercept.Event {
	ev := b.event(rule.ReadQuery, conn)
	ev.Packet, ev.PacketLen = []byte(packet), len(packet)
	if packet != "" {
		ev.Kind = mysqlwire.Command(packet[0]).Kind()
	}
	return ev
}

// query asks about a command of connection 1.
func (b *bench) query(packet string) intercept.Verdict {
	b.t.Helper()
	return b.ask(b.commandEvent(1, packet))
}

// resultEvent is the answer to the first query of v.
func (b *bench) resultEvent(v intercept.Verdict, a *mysqlwire.Answer) *intercept.Event {
	b.t.Helper()
	if len(v.Queries) != 1 {
		b.t.Fatalf("got %d queries, want 1", len(v.Queries))
	}
	ev := b.event(rule.ReadQueryResult, 1)
	ev.Query = v.Queries[0]
	ev.Context.Command = mysqlwire.Command(ev.Query.Packet[0])
	sum, err := a.Summary(ev.Context)
	if err != nil {
		b.t.Fatal(err)
	}
	ev.Counts = intercept.Counts{
		Rows: uint64(sum.Rows), Cols: uint64(sum.Cols), Results: sum.Results, Affected: sum.Affected,
		LastInsertID: sum.LastInsertID, Warnings: sum.Warnings, Status: sum.Status, Error: sum.Error,
	}
	for _, p := range a.Packets {
		if p.Kind.IsRow() {
			ev.Counts.RowBytes += uint64(mysqlwire.HeaderLen + len(p.Payload))
		}
	}
	ev.Timing = intercept.Timing{First: time.Now().Add(time.Millisecond), Last: time.Now().Add(2 * time.Millisecond)}
	if ev.Query.Need {
		ev.Answer = a
	}
	return ev
}

func (b *bench) result(v intercept.Verdict, a *mysqlwire.Answer) intercept.Verdict {
	b.t.Helper()
	return b.ask(b.resultEvent(v, a))
}

func okAnswer() *mysqlwire.Answer {
	a := mysqlwire.OKAnswer(3, 7, mysqlwire.StatusAutocommit|mysqlwire.StatusInTrans, 2, "")
	a.Command = mysqlwire.ComQuery
	return a
}

func rowsAnswer(t testing.TB, caps mysqlwire.Caps) *mysqlwire.Answer {
	t.Helper()
	rs := mysqlwire.SimpleResultSet([]string{"a", "b"}, [][]string{{"1", "x\x00y"}, {"2", ""}})
	rs.Rows[1][1] = nil
	rs.Columns[0].Type, rs.Columns[0].Table, rs.Columns[0].OrgTable, rs.Columns[0].OrgName = value.Long, "t", "tt", "aa"
	rs.Rows[0][0], rs.Rows[1][0] = int64(1), int64(2)
	a, err := rs.Answer(&mysqlwire.Context{Caps: caps}, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sends shows the queries of a verdict.
func sends(v intercept.Verdict) string {
	var list []string
	for _, q := range v.Queries {
		s := fmt.Sprintf("%d:%s", q.ID, q.Packet[1:])
		if q.Need {
			s += " buffered"
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func wantOutput(t testing.TB, b *bench, want ...string) {
	t.Helper()
	if got := b.output(); !slices.Equal(got, want) {
		t.Errorf("got output\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestReturnValuesOfReadQuery(t *testing.T) {
	const discard = "critical: proxy.queue:append() or :prepend() used without 'return proxy.PROXY_SEND_QUERY'. Discarding 1 elements from the queue."
	const hintQueue = "hint: proxy.queries is sent only if read_query() ends with return proxy.PROXY_SEND_QUERY; PROXY_SEND_QUERY alone, without proxy., is nil"
	queue := `proxy.queries:append(1, "\003other") `
	for _, tt := range []struct {
		name, body string
		action     intercept.Action
		queries    string
		output     []string
	}{
		{"nothing passes", "", intercept.Pass, "", nil},
		{"nil passes", "return nil", intercept.Pass, "", nil},
		{"true passes", "return true", intercept.Pass, "", nil},
		{"a table passes", "return {1}", intercept.Pass, "", nil},
		{"0 discards the queue", queue + "return 0", intercept.Pass, "", []string{discard, hintQueue}},
		{"1 sends the queue", queue + "return proxy.PROXY_SEND_QUERY", intercept.Forward, "1:other", nil},
		{"a numeric string counts", queue + `return "1"`, intercept.Forward, "1:other", nil},
		{"a fraction is cut", queue + `return 1.9`, intercept.Forward, "1:other", nil},
		{"1 without a queue passes", "return 1", intercept.Pass, "", []string{
			"critical: 'return proxy.PROXY_SEND_QUERY' used without proxy.queue:append() or :prepend(). Assuming 'nil' was returned",
		}},
		{"2 answers", queue + "proxy.response.type = 0 return 2", intercept.Reply, "", nil},
		{"4 passes", "return 4", intercept.Pass, "", []string{"critical: read_query() returned 4, which means nothing here. Assuming 'nil' was returned"}},
		{"only the first value counts", "return nil, 2", intercept.Pass, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := load(t, "function read_query(packet) "+tt.body+" end")
			v := b.query("\x03select 1")
			if v.Action != tt.action || sends(v) != tt.queries {
				t.Errorf("got %v %q, want %v %q", v.Action, sends(v), tt.action, tt.queries)
			}
			wantOutput(t, b, tt.output...)
		})
	}
}

// 5.8.3: how answers of queries are dealt out.
func TestReturnValuesOfReadQueryResult(t *testing.T) {
	const (
		drop, pass, reply, forward = intercept.Drop, intercept.Pass, intercept.Reply, intercept.Forward
		need                       = "{ resultset_is_needed = true }"
		closes                     = "critical: proxy.queries:append() in SCRIPT can only have one injected query without { resultset_is_needed = true } set. We close the client connection now."
		modifies                   = "critical: read_query_result() in SCRIPT tries to modify the resultset, but hasn't asked to buffer it in proxy.query:append(..., { resultset_is_needed = true }). We ignore the change to the result-set."
		buffer                     = "hint: the client has this result already: queue the query as proxy.queries:append(1, packet, { resultset_is_needed = true }) to change its result"
		second                     = "critical: got asked to send a resultset, but ignoring it as we already have sent 1 resultset(s). injection-id: 2"
		neither                    = "message: return-code for read_query_result() was neither PROXY_SEND_RESULT or PROXY_IGNORE_RESULT, will ignore the result"
	)
	for _, tt := range []struct {
		name    string
		queue   string // B and U: buffered or not
		answers string // per query what the hook returns
		actions []intercept.Action
		output  []string
		closes  bool
	}{
		{"U: nil", "U", "nil", []intercept.Action{pass}, nil, false},
		{"B: nil", "B", "nil", []intercept.Action{pass}, nil, false},
		{"B: replaced", "B", "2", []intercept.Action{reply}, nil, false},
		{"B: ignored", "B", "4", []intercept.Action{drop}, nil, false},
		{"B: 1 is no decision", "B", "1", []intercept.Action{drop}, []string{neither}, false},
		{"U: cannot be replaced", "U", "2", []intercept.Action{pass}, []string{modifies, buffer}, false},
		{"U: cannot be ignored", "U", "4", []intercept.Action{pass}, []string{modifies, buffer}, false},
		{"B, B: first ignored", "BB", "4 nil", []intercept.Action{drop, pass}, nil, false},
		{"B, B: second dropped", "BB", "nil nil", []intercept.Action{forward, drop}, []string{second}, false},
		{"B, B: second replacement dropped", "BB", "2 2", []intercept.Action{reply, drop}, []string{second}, false},
		{"B, U", "BU", "4 nil", []intercept.Action{drop, pass}, nil, false},
		{"U, B", "UB", "nil 4", []intercept.Action{pass, drop}, nil, false},
		{"U, U closes", "UU", "nil nil", []intercept.Action{pass}, []string{closes}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var queue strings.Builder
			for i, c := range tt.queue {
				options := ""
				if c == 'B' {
					options = ", " + need
				}
				fmt.Fprintf(&queue, "proxy.queries:append(%d, '\\003q%d'%s) ", i+1, i+1, options)
			}
			b := load(t, `
				local answers = {`+strings.ReplaceAll(strings.ReplaceAll(tt.answers, "nil", "false"), " ", ",")+`}
				function read_query(packet) `+queue.String()+` return 1 end
				function read_query_result(inj) proxy.response.type = 0 return answers[inj.id] end`)
			v := b.query("\x03select 1")
			var actions []intercept.Action
			for len(v.Queries) > 0 {
				v = b.result(v, okAnswer())
				actions = append(actions, v.Action)
			}
			if !slices.Equal(actions, tt.actions) {
				t.Errorf("got %v, want %v", actions, tt.actions)
			}
			if v.CloseAfter != tt.closes {
				t.Errorf("closes: got %v, want %v", v.CloseAfter, tt.closes)
			}
			wantOutput(t, b, tt.output...)
		})
	}
}

// Trace 4 of the specification's appendix C.5.
func TestQueueMayChangeWhileItRuns(t *testing.T) {
	b := load(t, `
		function read_query(packet)
			for id = 1, 3 do proxy.queries:append(id, "\003q" .. id, { resultset_is_needed = true }) end
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj)
			print(inj.id, #proxy.queries, proxy.queries:len())
			if inj.id == 1 then
				proxy.queries:prepend(9, "\003q9", { resultset_is_needed = true })
				return proxy.PROXY_IGNORE_RESULT
			end
			proxy.queries:reset()
		end`)
	v := b.query("\x03select 1")
	var order []string
	for len(v.Queries) > 0 {
		order = append(order, sends(v))
		v = b.result(v, okAnswer())
	}
	if got, want := strings.Join(order, "; "), "1:q1 buffered; 9:q9 buffered"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	wantOutput(t, b, "print: 1\t2\t2", "print: 9\t2\t2")
}

// Trace 5: proxy.response is emptied by read_query only.
func TestResponseIsEmptiedByReadQueryOnly(t *testing.T) {
	b := load(t, `
		proxy.response.tag = "chunk"
		function read_auth_result(auth) print(proxy.response.tag, auth.packet:byte()) end
		function read_query(packet)
			print(proxy.response.tag)
			proxy.response.tag = "query"
			proxy.queries:append(1, packet, { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj) print(proxy.response.tag) end
		function disconnect_client() print(proxy.response.tag) end`)
	ev := b.event(rule.ReadAuthResult, 1)
	ev.Packet, ev.Kind = []byte{0, 0, 0, 2, 0, 0, 0}, mysqlwire.KindOK
	b.ask(ev)
	b.result(b.query("\x03select 1"), okAnswer())
	b.ask(b.event(rule.Disconnect, 1))
	wantOutput(t, b, "print: chunk\t0", "print: nil", "print: query", "print: query")
}

func TestResultSetObject(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options string
		answer  func(testing.TB) *mysqlwire.Answer
		want    []string
	}{
		{"a result set", "{ resultset_is_needed = true }", func(t testing.TB) *mysqlwire.Answer { return rowsAnswer(t, mysqlwire.Protocol41) }, []string{
			"print: status 0 rows 2 affected nil id nil warnings 0",
			"print: flags false true",
			"print: raw 2 fields 2",
			"print: 1 3 a aa t tt", "print: 2 253 b nil nil nil",
			"print: 1 3 nil", "print: 2 nil nil",
			"print: bytes 17",
		}},
		{"OK", "{ resultset_is_needed = true }", func(testing.TB) *mysqlwire.Answer { return okAnswer() }, []string{
			"print: status 0 rows 0 affected 3 id 7 warnings 2", "print: flags true true", "print: raw 0 fields 0", "print: bytes 0",
		}},
		{"ERR", "{ resultset_is_needed = true }", func(testing.TB) *mysqlwire.Answer {
			a := mysqlwire.ERRAnswer(1064, "42000", "no")
			a.Command = mysqlwire.ComQuery
			return a
		}, []string{
			"print: status 255 rows 0 affected 0 id 0 warnings 0", "print: flags false false", "print: raw 255 fields 0", "print: bytes 0",
		}},
		{"not buffered", "nil", func(testing.TB) *mysqlwire.Answer { return okAnswer() }, []string{
			"print: status 0 rows 0 affected 3 id 7 warnings 2", "print: flags true true",
			"print: .resultset.raw isn't available if 'resultset_is_needed ~= true'",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := load(t, `
				function read_query(packet) proxy.queries:append(1, packet, `+tt.options+`) return proxy.PROXY_SEND_QUERY end
				local function say(...)
					local out = {}
					for i = 1, select("#", ...) do out[i] = tostring((select(i, ...))) end
					print(table.concat(out, " "))
				end
				function read_query_result(inj)
					local res = inj.resultset
					say("status", res.query_status, "rows", res.row_count, "affected", res.affected_rows, "id", res.insert_id, "warnings", res.warning_count)
					say("flags", res.flags.in_trans, res.flags.auto_commit)
					local ok, err = pcall(function() return res.raw end)
					if not ok then print((err:gsub("^.-:%d+: ", ""))) return end
					say("raw", res.raw:byte(), "fields", #res.fields)
					for i = 1, #res.fields do
						local f = res.fields[i]
						say(i, f.type, f.name, f.org_name, f.table, f.org_table)
					end
					assert(res.fields[0] == nil and res.fields[99] == nil)
					if res.rows then
						for row in res.rows do say(row[1], row[2] and #row[2], row[3]) end
					end
					say("bytes", res.bytes)
					assert(inj.query_time > 0 and inj.response_time >= inj.query_time, "times")
					assert(inj.type == inj.id and inj.query == "\003select 1")
				end`)
			b.result(b.query("\x03select 1"), tt.answer(t))
			wantOutput(t, b, tt.want...)
		})
	}
}

func TestRowCursorBelongsToTheResultSet(t *testing.T) {
	b := load(t, `
		function read_query(packet) proxy.queries:append(1, packet, { resultset_is_needed = true }) return 1 end
		function read_query_result(inj)
			local n = 0
			local one = inj.resultset
			for _ in one.rows do for _ in one.rows do n = n + 1 end end
			print(n)
			n = 0
			for _ in inj.resultset.rows do for _ in inj.resultset.rows do n = n + 1 end end
			print(n)
		end`)
	b.result(b.query("\x03select 1"), rowsAnswer(t, mysqlwire.Protocol41))
	wantOutput(t, b, "print: 2", "print: 4")
}

func TestEnvironments(t *testing.T) {
	b := load(t, `
		local mine = 0
		global = (global or 0) + 1
		_G.shared = (_G.shared or 0) + 1
		proxy.global.count = (proxy.global.count or 0) + 1
		proxy.own = "own " .. proxy.global.count
		function read_query(packet)
			mine = mine + 1
			print(mine, global, shared, proxy.global.count, proxy.own, rawget(_G, "global"), rawget(proxy, "connection"), proxy == _G.proxy, __proxy.own)
		end`)
	b.ask(b.commandEvent(1, "\x03a"))
	b.ask(b.commandEvent(2, "\x03a"))
	b.ask(b.commandEvent(1, "\x03a"))
	wantOutput(t, b,
		"print: 1\t1\t1\t1\town 1\tnil\tnil\ttrue\town 1",
		"print: 1\t1\t2\t2\town 2\tnil\tnil\ttrue\town 2",
		"print: 2\t1\t2\t2\town 1\tnil\tnil\ttrue\town 1")
}

func TestProxyTable(t *testing.T) {
	b := load(t, `
		function read_query(packet)
			local n = 0
			for _ in pairs(proxy) do n = n + 1 end
			print(n, proxy.PROXY_VERSION, proxy.COM_QUERY, proxy.MYSQL_TYPE_GEOMETRY, proxy.MYSQLD_PACKET_EOF, proxy.nothing)
			print(type(proxy.connection), type(proxy.queries), type(proxy.response), #proxy.global.backends, proxy.global.backends[1])
			for _, code in ipairs{
				"proxy.queries:append('x', 'y')", "proxy.queries:append(1)", "proxy.queries:append(1, 'x', 2)",
				"proxy.queries:append(1, 'x', { resultset_is_needed = 1 })", "proxy.queries.append(1, 2)",
				"proxy.connection.foo = 1", "proxy.connection.connection_close = 1", "return proxy.connection.thread_id",
				"return proxy.global.backends.x", "return proxy.connection.client.address", "proxy.connection.client.src = 1",
			} do
				local f = assert(loadstring(code))
				local ok, err = pcall(f)
				print((tostring(err):gsub("^.-:%d+: ", "")))
			end
		end`)
	b.query("\x03a")
	wantOutput(t, b,
		"print: 70\t2053\t3\t255\t254\tnil",
		"print: userdata\tuserdata\ttable\t0\tnil",
		"print: bad argument #1 to 'append' (number expected, got string)",
		"print: bad argument #2 to 'append' (string expected, got no value)",
		"print: bad argument #3 to 'append' (table expected, got number)",
		"print: bad argument #3 to 'append' (:append(..., { resultset_is_needed = boolean } ), is number)",
		"print: bad argument #1 to 'append' (userdata expected, got number)",
		"print: proxy.connection.foo is not writable",
		"print: bad argument #3 to '?' (boolean expected, got number)",
		"print: proxy.connection.thread_id is deprecated, use proxy.connection.server.thread_id instead",
		"print: bad argument #2 to '?' (number expected, got string)",
		"print: .address is deprecated. Use .src.name or .dst.name instead",
		"print: attempt to index a userdata value (socket objects cannot be written)",
	)
}

func TestFileIsReadAgainForNewConnections(t *testing.T) {
	b := load(t, `function read_query() print("one") end`)
	b.ask(b.commandEvent(1, "\x03a"))
	b.write(`function read_query() print("two") end`)
	b.ask(b.commandEvent(1, "\x03a"))
	b.ask(b.commandEvent(2, "\x03a"))
	wantOutput(t, b, "print: one", "print: one", "print: two")

	b.write("function read_query(\n")
	b.ask(b.commandEvent(2, "\x03a"))
	v := b.ask(b.event(rule.ConnectServer, 3))
	var e mysqlwire.ERR
	if v.Action != intercept.Reply || e.Decode(v.Answer.Packets[0].Payload, nil) != nil ||
		e.Error() != "ERROR 1105 (07000): MySQL Proxy Lua script failed to load. Check the error log." {
		t.Errorf("got %v, %v", v.Action, &e)
	}
	if st := b.e.Status(); st.OK || st.Err == nil {
		t.Errorf("got status %+v, want the load error", st)
	}
	wantOutput(t, b, "print: two", "error: test.lua: unexpected symbol near '<eof>'")

	b.write(`function read_query() print("three") end`)
	b.ask(b.commandEvent(3, "\x03a")) // tried again at the next hook
	wantOutput(t, b, "print: three")
	if st := b.e.Status(); !st.OK {
		t.Errorf("got status %+v, want OK", st)
	}

	b.write(`error("at load")`)
	v = b.ask(b.commandEvent(4, "\x03a"))
	if v.Action != intercept.Reply || !strings.Contains(string(v.Answer.Packets[0].Payload), "failed to execute") {
		t.Errorf("got %v, want an error for the client", v.Action)
	}
	if err := os.Remove(b.path); err != nil {
		t.Fatal(err)
	}
	v = b.ask(b.commandEvent(5, "\x03a"))
	if v.Action != intercept.Reply || !strings.Contains(string(v.Answer.Packets[0].Payload), "failed to load") {
		t.Errorf("got %v, want an error for the client", v.Action)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	b := load(t, "function read_query(packet)\n  proxy.queries:append(1, packet)\n  local x = nil\n  return x.y\nend")
	_, err := b.e.Handle(t.Context(), b.commandEvent(4, "\x03a"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	trace := e.Trace
	e.Trace = ""
	want := Error{Script: b.path, Line: 4, Hook: "read_query", Conn: 4, Msg: e.Msg}
	if *e != want || !strings.Contains(e.Msg, "attempt to index local 'x' (a nil value)") || !strings.Contains(trace, "traceback") {
		t.Errorf("got %+v with trace %q", *e, trace)
	}
	if got, want := e.Error(), "test.lua:4: attempt to index local 'x' (a nil value)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// What was queued before the error is gone.
	if v, _ := b.e.Handle(t.Context(), b.commandEvent(4, "\x03a")); v.Touches() {
		t.Errorf("got %+v, want nothing", v)
	}
	lines := b.e.Lines()
	if l := lines[len(lines)-1]; l.Level != Failure || l.Err == nil || l.Source != 4 || l.Conn != 4 || l.Hook != "read_query" {
		t.Errorf("got line %+v", l)
	}

	for _, tt := range []struct {
		name, src string
		line      int
		msg       string
	}{
		{"syntax", "x = 1\ny = = 2", 2, "unexpected symbol near '='"},
		{"vararg", "\nlocal a = ...", 2, "cannot use '...' outside a vararg function"},
		{"a #! line", "#!/usr/bin/lua\n", 1, "unexpected symbol near '#'"},
		{"no file", "", 0, "no such file"},
	} {
		path := filepath.Join(t.TempDir(), "bad.lua")
		if tt.src != "" {
			if err := os.WriteFile(path, []byte(tt.src), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Load(path, Options{})
		if !errors.As(err, &e) || e.Line != tt.line || !strings.Contains(e.Msg, tt.msg) {
			t.Errorf("%s: got %+v, want line %d, %q", tt.name, err, tt.line, tt.msg)
		}
	}
	for _, src := range []string{"", "return 5", "x = 1 -- no newline"} {
		b := load(t, src)
		b.query("\x03a")
		wantOutput(t, b)
	}
}

func TestEndlessLoopIsStopped(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"plain", "while true do end"},
		{"under pcall", "while true do pcall(function() while true do end end) end"},
		{"in a coroutine", "coroutine.wrap(function() while true do end end)()"},
		{"in an old coroutine", "co = co or coroutine.create(function() coroutine.yield() while true do end end) coroutine.resume(co) local ok, err = coroutine.resume(co) error(err, 0)"},
		{"in a pattern", `local s = ("a"):rep(60) return s:find(("a*"):rep(30) .. "b")`},
		{"in a pattern of lpeg", `local lpeg = require "lpeg" return lpeg.P{"a" * lpeg.V(1) * "b" + "a" * lpeg.V(1) * "c" + lpeg.P""}:match(("a"):rep(150))`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := loadWith(t, "function read_query(packet) if packet:byte() == 3 then\n"+tt.body+" end print('alive') end", Options{Deadline: 10 * time.Millisecond})
			_, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03a"))
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Msg, "ran longer than 10ms") || e.Hook != "read_query" {
				t.Errorf("got %v, want the deadline", err)
			}
			b.output()
			b.query("\x0e")
			wantOutput(t, b, "print: alive")
		})
	}
}

func TestCoroutinesOutliveTheirCall(t *testing.T) {
	b := load(t, `
		local step = coroutine.wrap(function() for i = 1, 100 do coroutine.yield(i) end end)
		function read_query(packet) print(step()) end`)
	for range 3 {
		b.query("\x03a")
	}
	wantOutput(t, b, "print: 1", "print: 2", "print: 3")
}

func TestCoroutinesOutsideOfThemselves(t *testing.T) {
	b := load(t, `function read_query(packet)
		if packet:byte() == proxy.COM_QUERY then coroutine.yield() end
		print(coroutine.resume(coroutine.create(function() error("no", 0) end)))
		print(pcall(coroutine.wrap(function(a) error(a, 0) end), "wrapped"))
	end`)
	if _, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03a")); err == nil {
		t.Error("a hook has yielded")
	}
	b.output()
	b.query("\x0e")
	wantOutput(t, b, "print: false\tno", "print: false\twrapped")
}

func TestRequireLooksBesideTheScript(t *testing.T) {
	b := load(t, `print(require("neighbour"))`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(b.path), "neighbour.lua"), []byte("return 'found'"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.query("\x03a")
	wantOutput(t, b, "print: found")
}

func TestRequiredModulesDefineSharedHooks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shared_hooks.lua"), []byte("local n = 0\nfunction read_query() n = n + 1 print('module', n) end"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := loadWith(t, `require("shared_hooks")`, Options{Path: filepath.Join(dir, "?.lua")})
	b.ask(b.commandEvent(1, "\x03a"))
	b.ask(b.commandEvent(2, "\x03a"))
	wantOutput(t, b, "print: module\t1", "print: module\t2")
}

// The vectors of C.3.
func TestResponsePackets(t *testing.T) {
	for _, tt := range []struct{ name, response, want string }{
		{"OK", `{type=0}`, "00 00 00 0200 0000"},
		{"OK with numbers", `{type=0, affected_rows="5", insert_id=2^40}`, "00 05 fe0000000000010000 0200 0000"},
		{"OK with -1", `{type=0, affected_rows=-1}`, "00 feffffffffffffffff 00 0200 0000"},
		{"type as text", `{type="0"}`, "00 00 00 0200 0000"},
		{"ERR without message", `{type=255}`, "ff 5104 23" + hex.EncodeToString([]byte("07000(lua) proxy.response.errmsg is nil"))},
		{"ERR", `{type=255, errmsg="m", errcode=70000, sqlstate="HY000XX"}`, "ff 7011 23" + hex.EncodeToString([]byte("HY000m"))},
		{"ERR with odd types", `{type=255, errmsg="m", errcode="x", sqlstate=12345}`, "ff 5104 23" + hex.EncodeToString([]byte("12345m"))},
		{"ERR with a short state", `{type=255, errmsg="m", sqlstate="A"}`, "ff 5104 23 41 00000000 6d"},
		{
			"result set", `{type=0, resultset={fields={{name="a",type=3},{name="b",type=254}}, rows={{1},{nil,2},{1.5,"x\0y"},{true,{}}}}}`,
			"02 / 03646566 00 00 00 01 61 00 0c 0800 20000000 03 0200 00 0000 / 03646566 00 00 00 01 62 00 0c 0800 20000000 fe 0200 00 0000 / fe 0000 0200" +
				" / 01 31 fb / fb 01 32 / 03 312e35 01 78 / fb fb / fe 0000 0200",
		},
		{"RAW", `{type=250, packets={5, "\001ab"}}`, "35 / 01 6162"},
		{"no response", `nil`, "LUA"},
		{"not a table", `5`, "LUA"},
		{"no type", `{}`, "LUA"},
		{"a type that is none", `{type="x"}`, "LUA"},
		{"an unknown type", `{type=254}`, "LUA"},
		{"RAW without packets", `{type=250}`, "LUA"},
		{"RAW with an odd packet", `{type=250, packets={{}}}`, "LUA"},
		{"RAW that is empty", `{type=250, packets={}}`, "LUA"},
		{"no rows", `{type=0, resultset={fields={{name="a"}}}}`, "LUA"},
		{"no fields", `{type=0, resultset={fields={}, rows={}}}`, "LUA"},
		{"an odd row", `{type=0, resultset={fields={{name="a"}}, rows={5}}}`, "LUA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := load(t, "function read_query() proxy.response = "+tt.response+" return proxy.PROXY_SEND_RESULT end")
			want := strings.ReplaceAll(tt.want, " ", "")
			if want == "LUA" {
				want = "ff510423" + hex.EncodeToString([]byte("07000(lua) handling proxy.response failed, check error-log"))
			}
			if got := hexPackets(b.query("\x03select 1").Answer); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func hexPackets(a *mysqlwire.Answer) string {
	var list []string
	for _, p := range a.Packets {
		list = append(list, hex.EncodeToString(p.Payload))
	}
	return strings.Join(list, "/")
}

// What scripts make in the form of MySQL 5.1 reaches clients in the form they agreed to.
func TestResponsesKeepToCapabilities(t *testing.T) {
	caps := mysqlwire.Protocol41 | mysqlwire.DeprecateEOF | mysqlwire.OptionalResultsetMetadata | mysqlwire.MariaDBExtendedMetadata
	classic := `{type=250, packets={"\001", "\003def\000\000\000\001a\000\012\008\000\032\000\000\000\254\002\000\000\000\000",
		"\254\000\000\002\000", "\001x", "\001y", "\254\000\000\002\000"}}`
	for _, response := range []string{`{type=0, resultset={fields={{name="a", type=254}}, rows={{"x"}, {"y"}}}}`, classic} {
		b := load(t, "function read_query() proxy.response = "+response+" return 2 end")
		b.caps = caps
		a := b.query("\x03select 1").Answer
		cx := &mysqlwire.Context{Caps: caps, Command: mysqlwire.ComQuery}
		results, err := a.Results(cx)
		if err != nil || len(results) != 1 || results[0].Rows.Len() != 2 || results[0].End == nil || results[0].End.Status != mysqlwire.StatusAutocommit {
			t.Fatalf("got %s, %v", hexPackets(a), err)
		}
		if c := results[0].Columns; len(c) != 1 || c[0].Name != "a" {
			t.Errorf("got columns %+v", c)
		}
		for i, want := range []string{"x", "y"} {
			row, err := results[0].Rows.Row(i)
			if err != nil || row.Text(0) != want {
				t.Errorf("row %d: got %q, %v, want %q", i, row.Text(0), err, want)
			}
		}
	}
}

func TestExecuteGetsBinaryRows(t *testing.T) {
	b := load(t, `function read_query()
		proxy.response = {type=0, resultset={fields={{name="n", type=proxy.MYSQL_TYPE_LONG}, {name="s", type=proxy.MYSQL_TYPE_STRING}}, rows={{-5, "x"}, {}}}}
		return 2
	end`)
	a := b.query("\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00").Answer
	results, err := a.Results(&mysqlwire.Context{Caps: b.caps, Command: mysqlwire.ComStmtExecute})
	if err != nil || len(results) != 1 || !results[0].Binary {
		t.Fatalf("got %s, %v", hexPackets(a), err)
	}
	row, err := results[0].Rows.Row(0)
	if err != nil || row.Text(0) != "-5" || row.Text(1) != "x" {
		t.Errorf("got %q %q, %v", row.Text(0), row.Text(1), err)
	}
}

func TestQueryAttributesAreTakenOffAndPutBack(t *testing.T) {
	b := load(t, `function read_query(packet)
		print(packet:sub(2))
		if packet:find("rewrite") then packet = packet .. " limit 1" end
		proxy.queries:append(1, "\003set @a = 1", { resultset_is_needed = true })
		proxy.queries:append(2, packet, { resultset_is_needed = true })
		return proxy.PROXY_SEND_QUERY
	end
	function read_query_result(inj) print(inj.query:sub(2)) if inj.id == 1 then return proxy.PROXY_IGNORE_RESULT end end`)
	b.caps |= mysqlwire.QueryAttributes
	cx := &mysqlwire.Context{Caps: b.caps}
	for _, sql := range []string{"select 1", "rewrite"} {
		m := &mysqlwire.Query{SQL: sql, Attributes: []mysqlwire.QueryAttr{{Name: "shard", Type: value.VarString, Raw: []byte("\x017")}}}
		packet, err := m.Encode(nil, cx)
		if err != nil {
			t.Fatal(err)
		}
		v := b.query(string(packet))
		var sent []string
		for len(v.Queries) > 0 {
			var q mysqlwire.Query
			if err := q.Decode(v.Queries[0].Packet, cx); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, fmt.Sprintf("%s with %d", q.SQL, len(q.Attributes)))
			v = b.result(v, okAnswer())
		}
		want := "set @a = 1 with 0, " + sql + " with 1"
		if sql == "rewrite" {
			want = "set @a = 1 with 0, rewrite limit 1 with 1"
		}
		if got := strings.Join(sent, ", "); got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
	wantOutput(t, b, "print: select 1", "print: set @a = 1", "print: select 1", "print: rewrite", "print: set @a = 1", "print: rewrite limit 1")
}

func TestCommandsWithoutAnswer(t *testing.T) {
	b := load(t, `function read_query(packet)
		if packet:byte() == proxy.COM_QUIT then proxy.response.type = proxy.MYSQLD_PACKET_OK return proxy.PROXY_SEND_RESULT end
		proxy.queries:append(1, packet, { resultset_is_needed = true })
		return proxy.PROXY_SEND_QUERY
	end`)
	v := b.query("\x01")
	if v.Action != intercept.Forward || v.Queries == nil || len(v.Queries) != 0 {
		t.Errorf("COM_QUIT: got %+v, want a plan without queries", v)
	}
	v = b.query("\x19\x01\x00\x00\x00")
	if len(v.Queries) != 1 || !v.Queries[0].Show || v.Queries[0].Origin != intercept.FromClient {
		t.Errorf("COM_STMT_CLOSE: got %+v", v)
	}
}

func TestConnectionCloseFollowsTheAnswer(t *testing.T) {
	b := load(t, `function read_query(packet)
		proxy.connection.connection_close = true
		if packet == "\003q" then
			proxy.queries:append(1, packet, { resultset_is_needed = true })
			proxy.queries:append(2, packet, { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
	end`)
	if v := b.ask(b.commandEvent(1, "\x03other")); !v.CloseAfter {
		t.Errorf("got %+v, want it to close", v)
	}
	v := b.query("\x03q")
	if v = b.result(v, okAnswer()); !v.CloseAfter || len(v.Queries) != 0 {
		t.Errorf("got %+v, want it to close and send nothing more", v)
	}
}

func TestHooksOfTheLogin(t *testing.T) {
	b := load(t, `
		function connect_server() print("connect", proxy.connection.server, proxy.connection.backend_ndx) proxy.connection.backend_ndx = 2 end
		function read_handshake() print("handshake", proxy.connection.client.thread_id) end
		function read_auth()
			local c = proxy.connection.client
			print(c.username, c.default_db ~= nil, c.auth_plugin_name, c.mysqld_version, c.thread_id, #c.scramble_buffer, c.foo)
			proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = "no", errcode = 1045, sqlstate = "28000" }
			return proxy.PROXY_SEND_RESULT
		end
		read_auth_result = "not a function"`)
	if v := b.ask(b.event(rule.ConnectServer, 8)); v.Action != intercept.Forward || v.Backend != 2 {
		t.Errorf("connect_server: got %+v, want backend 2", v)
	}
	greeting, err := (&mysqlwire.Greeting{
		Version: "8.4.3", ConnectionID: 77, Scramble: []byte("01234567890123456789"), PluginName: "caching_sha2_password",
		Caps: mysqlwire.Protocol41 | mysqlwire.PluginAuth | mysqlwire.LongPassword,
	}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ev := b.event(rule.ReadHandshake, 8)
	ev.Kind, ev.Packet = mysqlwire.KindGreeting, greeting
	b.ask(ev)
	login, err := (&mysqlwire.Login{
		Caps: mysqlwire.Protocol41 | mysqlwire.PluginAuth | mysqlwire.SecureConnection, User: "app", PluginName: "mysql_native_password",
	}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ev = b.event(rule.ReadAuth, 8)
	ev.Kind, ev.Packet = mysqlwire.KindLogin, login
	v := b.ask(ev)
	if v.Action != intercept.Reply || !strings.Contains(string(v.Answer.Packets[0].Payload), "#28000no") {
		t.Errorf("read_auth: got %+v", v)
	}
	ev = b.event(rule.ReadAuthResult, 8)
	ev.Kind, ev.Packet = mysqlwire.KindOK, []byte{0, 0, 0, 2, 0, 0, 0}
	b.ask(ev)
	b.ask(b.event(rule.Disconnect, 8))
	wantOutput(t, b,
		"print: connect\tnil\t0",
		"critical: proxy.connection.client: nothing is known of it (looking for thread_id)",
		"print: handshake\tnil",
		"critical: proxy.connection.client: nothing is known of it (looking for foo)",
		"print: app\ttrue\tmysql_native_password\t80403\t77\t21\tnil",
		"message: read_auth_result is a string, not a function: it is not called",
	)
	if len(b.e.conns) != 0 {
		t.Errorf("%d connections are remembered after disconnect", len(b.e.conns))
	}
}

func TestDecisionsInTheLogin(t *testing.T) {
	const full = `proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = "full", errcode = 1040 } `
	for _, tt := range []struct {
		name, src string
		point     intercept.Point
		kind      mysqlwire.Kind
		action    intercept.Action
		output    []string
	}{
		{"a greeting is refused", `function read_handshake() ` + full + `return proxy.PROXY_SEND_RESULT end`, rule.ReadHandshake, mysqlwire.KindGreeting, intercept.Reply, nil},
		{
			"in the old way", `function read_handshake() ` + full + `return proxy.PROXY_SEND_QUERY end`, rule.ReadHandshake, mysqlwire.KindGreeting, intercept.Reply,
			[]string{"warning: read_handshake() returned PROXY_SEND_QUERY, which is deprecated: use PROXY_SEND_RESULT"},
		},
		{"an error in place of a greeting is not shown", `function read_handshake() error("called") end`, rule.ReadHandshake, mysqlwire.KindERR, intercept.Pass, nil},
		{
			"a login needs a server", `function read_auth() proxy.queries:append(1, "login") return proxy.PROXY_SEND_QUERY end`, rule.ReadAuth, mysqlwire.KindLogin, intercept.Pass,
			[]string{"critical: read_auth() wants to send a query, but there is no server"},
		},
		{"a login without a queue passes", `function read_auth() return proxy.PROXY_SEND_QUERY end`, rule.ReadAuth, mysqlwire.KindLogin, intercept.Pass, nil},
		{"a result is replaced", `function read_auth_result(auth) ` + full + `return proxy.PROXY_SEND_RESULT end`, rule.ReadAuthResult, mysqlwire.KindOK, intercept.Reply, nil},
		{"4 is no decision there", `function read_auth_result(auth) return 4 end`, rule.ReadAuthResult, mysqlwire.KindOK, intercept.Pass, nil},
	} {
		b := load(t, tt.src)
		ev := b.event(tt.point, 1)
		ev.Kind, ev.Packet = tt.kind, []byte{0}
		if v := b.ask(ev); v.Action != tt.action {
			t.Errorf("%s: got %v, want %v", tt.name, v.Action, tt.action)
		}
		wantOutput(t, b, tt.output...)
	}
}

func TestLoadedCodeSeesTheRealGlobals(t *testing.T) {
	b := load(t, `
		mine = "script's"
		_G.everybodys = "all"
		function read_query()
			print(assert(loadstring("return mine, everybodys"))())
			print(loadstring("x = = 1"))
			print(pcall(assert(loadstring("error('here')", "=named"))))
			print(collectgarbage("count") > 0, collectgarbage())
			local ok, err = pcall(error, { code = 5 })
			print(ok, err.code)
		end`)
	b.query("\x03a")
	wantOutput(t, b, "print: nil\tall", "print: nil\t[string \"x = = 1\"]:1: unexpected symbol near '='",
		"print: false\tnamed:1: here", "print: true\t0", "print: false\t5")
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want address
	}{
		{"127.0.0.1:3306", address{"127.0.0.1:3306", "127.0.0.1", 3306, familyIPv4}},
		{"[::1]:3306", address{"[::1]:3306", "::1", 3306, familyIPv6}},
		{"unix:/tmp/my.sock", address{"/tmp/my.sock", "/tmp/my.sock", noPort, familyUnix}},
		{"", address{"", "", noPort, familyUnix}},
	} {
		if got := parseAddress(tt.in); got != tt.want {
			t.Errorf("%q: got %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

func TestConnectionsMayRunAtOnce(t *testing.T) {
	b := load(t, `
		proxy.global.n = 0
		local mine = 0
		function read_query(packet) proxy.global.n = proxy.global.n + 1 mine = mine + 1 proxy.response.mine = mine end
		function disconnect_client() print(mine == proxy.response.mine) end`)
	var wg sync.WaitGroup
	const perConn = 50
	for id := intercept.ConnID(1); id <= 8; id++ {
		events := make([]*intercept.Event, perConn)
		for i := range events {
			events[i] = b.commandEvent(id, "\x03a")
		}
		last := b.event(rule.Disconnect, id)
		wg.Go(func() {
			for _, ev := range append(events, last) {
				if _, err := b.e.Handle(context.Background(), ev); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, l := range b.output() {
		if l != "print: true" {
			t.Error(l)
		}
	}
	for _, h := range b.e.Status().Hooks {
		if h.Name == "read_query" && h.Calls != 8*perConn {
			t.Errorf("counted %d calls, want %d", h.Calls, 8*perConn)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	b := load(t, `local n = 0 function read_query() for i = 1, 100 do n = n + 1 print(n) end end`)
	for range keptLines/100 + 3 {
		b.query("\x03a")
	}
	lines := b.e.Lines()
	if len(lines) != keptLines || lines[0].Text != "301" || lines[keptLines-1].Text != "1300" || lines[0].Source != 1 {
		t.Errorf("got %d lines from %+v", len(lines), lines[0])
	}
}

const benchmarked = "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer WHERE o.total > 12.5 AND c.city = 'Bern' LIMIT 10"

// What a read_query that takes the statement apart adds to a query.
func BenchmarkTokenizingReadQuery(b *testing.B) {
	benchmarkReadQuery(b, `local tokenizer = require("mysql.tokenizer")
		function read_query(packet)
			local tokens = tokenizer.tokenize(packet:sub(2))
			for i = 1, #tokens do
				if tokens[i].token_name == "TK_SQL_INSERT" then return proxy.PROXY_SEND_RESULT end
			end
		end`)
}

// What one adds that makes the normalized text as well, in Lua.
func BenchmarkNormalizingReadQuery(b *testing.B) {
	benchmarkReadQuery(b, `local tokenizer = require("proxy.tokenizer")
		function read_query(packet)
			local text = tokenizer.normalize(tokenizer.tokenize(packet:sub(2)))
			if text == "COMMIT " then return proxy.PROXY_SEND_RESULT end
		end`)
}

func benchmarkReadQuery(b *testing.B, src string) {
	bench := load(b, src)
	ev := bench.commandEvent(1, "\x03"+benchmarked)
	b.ReportAllocs()
	for b.Loop() {
		if v := bench.ask(ev); v.Touches() {
			b.Fatalf("got %+v", v)
		}
	}
}
