package script

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

func heldQuery(conn intercept.ConnID, sql string) *intercept.Event {
	packet := append([]byte{3}, sql...)
	return &intercept.Event{
		Point: rule.ReadQuery, Conn: conns(conn), Context: &mysqlwire.Context{Caps: mysqlwire.Protocol41},
		Kind: mysqlwire.KindQuery, Packet: packet, PacketLen: len(packet), SQL: sql,
	}
}

func TestSnippetsMakeDrafts(t *testing.T) {
	for _, tt := range []struct {
		name, code string
		output     []string
		verdict    *intercept.Verdict // nil: none; without packets
		queries    string
		shows      int // which query
		describe   string
	}{
		{"an expression", `packet:sub(2, 7), #proxy.queries`, []string{"select\t0"}, nil, "", 0, "no decision"},
		{"an expression that is a number decides nothing", `proxy.PROXY_SEND_RESULT`, []string{"2"}, nil, "", 0, "no decision"},
		{"a table", `{ a = 1, { "x" } }`, []string{`{1 = {1 = "x"}, a = 1}`}, nil, "", 0, "no decision"},
		{"a call", `print("a", nil, 1.5)`, []string{"a\tnil\t1.5"}, nil, "", 0, "no decision"},
		{
			"one query", `proxy.queries:append(1, "\003select 2") return proxy.PROXY_SEND_QUERY`, nil,
			&intercept.Verdict{Action: intercept.Forward, By: "you (lua)"}, "1:select 2", 1, "sends COM_QUERY",
		},
		{
			"queries around the client's", `
			proxy.queries:append(1, "\003begin")
			proxy.queries:append(2, packet)
			proxy.queries:append(3, "\003commit")
			return proxy.PROXY_SEND_QUERY`, nil,
			&intercept.Verdict{Action: intercept.Forward, By: "you (lua)"}, "1:begin, 2:select 1 from t, 3:commit", 2,
			"sends 3 queries; the client gets the answer to number 2",
		},
		{"a forgotten return", `proxy.queries:append(1, packet)`, nil, nil, "", 0, "nothing: 1 queries are queued, return proxy.PROXY_SEND_QUERY to send them"},
		{
			"an error for the client", `proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = "no", errcode = 1142, sqlstate = "42000" } return proxy.PROXY_SEND_RESULT`, nil,
			&intercept.Verdict{Action: intercept.Reply, By: "you (lua)"}, "", 0, "answers ERROR 1142 (42000): no",
		},
		{
			"rows for the client", `
			proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = { fields = { { name = "a", type = proxy.MYSQL_TYPE_STRING } }, rows = { { "x" }, { "y" } } } }
			proxy.connection.connection_close = true
			return proxy.PROXY_SEND_RESULT`, nil,
			&intercept.Verdict{Action: intercept.Reply, CloseAfter: true, By: "you (lua)"}, "", 0, "answers a result set of 2 rows, then closes the connection",
		},
		{"a decision of another hook", `return proxy.PROXY_IGNORE_RESULT`, nil, nil, "", 0, "nothing: 4 is no decision at read_query"},
		{"a warning", `return proxy.connection.client.foo`, []string{"critical: proxy.connection.client: nothing is known of it (looking for foo)"}, nil, "", 0, "no decision"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewConsole(Options{}).Run(t.Context(), heldQuery(1, "select 1 from t"), tt.code)
			if r.Err != nil || r.Describe != tt.describe || !slices.Equal(r.Output, tt.output) {
				t.Errorf("got %q, %q, %v, want %q, %q", r.Output, r.Describe, r.Err, tt.output, tt.describe)
			}
			if (r.Verdict == nil) != (tt.verdict == nil) {
				t.Fatalf("got verdict %+v, want %+v", r.Verdict, tt.verdict)
			}
			if tt.verdict == nil {
				return
			}
			v := r.Verdict
			if v.Action != tt.verdict.Action || v.By != tt.verdict.By || v.CloseAfter != tt.verdict.CloseAfter || sends(*v) != tt.queries {
				t.Errorf("got %+v sending %q, want %+v sending %q", *v, sends(*v), *tt.verdict, tt.queries)
			}
			for i, q := range v.Queries {
				if q.Show != (i+1 == tt.shows) {
					t.Errorf("query %d: shown is %v", i+1, q.Show)
				}
			}
		})
	}
}

func TestSnippetAtAResult(t *testing.T) {
	c := NewConsole(Options{})
	ev := heldQuery(1, "")
	ev.Point, ev.Packet = rule.ReadQueryResult, nil
	ev.Query = intercept.Query{ID: 5, Packet: []byte("\x03select a, b from t")}
	ev.Answer = rowsAnswer(t, mysqlwire.Protocol41)
	ev.Counts = intercept.Counts{Rows: 2, Cols: 2, Results: 1}
	r := c.Run(t.Context(), ev, `
		print(inj.id, inj.query:sub(2), #inj.resultset.fields)
		for row in inj.resultset.rows do print(row[1]) end
		return proxy.PROXY_IGNORE_RESULT`)
	if want := []string{"5\tselect a, b from t\t2", "1", "2"}; r.Err != nil || !slices.Equal(r.Output, want) {
		t.Errorf("got %q, %v, want %q", r.Output, r.Err, want)
	}
	if r.Verdict == nil || r.Verdict.Action != intercept.Drop {
		t.Errorf("got %+v, want drop", r.Verdict)
	}
	ev.Query.Show = true
	r = c.Run(t.Context(), ev, `return proxy.PROXY_IGNORE_RESULT`)
	if r.Err == nil || !strings.Contains(r.Err.Error(), "the client waits for this answer") || r.Verdict != nil {
		t.Errorf("got %+v, want a refusal", r)
	}
	r = c.Run(t.Context(), ev, `proxy.queries:append(1, "\003select 2") return proxy.PROXY_IGNORE_RESULT`)
	if r.Err != nil || r.Verdict == nil || len(r.Verdict.Queries) != 1 || r.Describe != "keeps the result from the client and sends COM_QUERY" {
		t.Errorf("got %+v, want another query in its place", r)
	}
}

func TestSnippetsInTheLogin(t *testing.T) {
	c := NewConsole(Options{Servers: newFleet()})
	for _, tt := range []struct {
		point    intercept.Point
		code     string
		describe string
		action   intercept.Action
	}{
		{rule.ConnectServer, `proxy.connection.backend_ndx = 2`, "connects to backend 2", intercept.Forward},
		{rule.ReadHandshake, `proxy.response = { type = 255, errmsg = "full", errcode = 1040 } return 2`, "answers ERROR 1040 (07000): full", intercept.Reply},
		{rule.ReadAuthResult, `assert(auth.packet == packet) proxy.response = { type = 0 } return 2`, "answers OK", intercept.Reply},
	} {
		ev := &intercept.Event{Point: tt.point, Conn: conns(1), Context: &mysqlwire.Context{}, Packet: []byte{0, 0, 0, 2, 0, 0, 0}, PacketLen: 7}
		r := c.Run(t.Context(), ev, tt.code)
		if r.Err != nil || r.Verdict == nil || r.Verdict.Action != tt.action || r.Describe != tt.describe {
			t.Errorf("%s: got %+v, want %q", tt.point, r, tt.describe)
		}
	}
}

func TestSnippetsShareGlobalsOfTheirConnection(t *testing.T) {
	run := func(c *Console, conn intercept.ConnID, code string) string {
		r := c.Run(t.Context(), heldQuery(conn, "select 1"), code)
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return strings.Join(r.Output, "|")
	}
	c := NewConsole(Options{})
	run(c, 1, "x = 5")
	if a, b := run(c, 1, "x"), run(c, 2, "x"); a != "5" || b != "nil" {
		t.Errorf("got %s and %s, want 5 and nil", a, b)
	}

	b := load(t, `count = 40 function read_query(packet) count = count + 1 print(count) end`)
	b.ask(b.commandEvent(1, "\x03a"))
	c = NewConsole(Options{}, b.e)
	if got := run(c, 1, "count"); got != "41" {
		t.Errorf("got %s, want the script's 41", got)
	}
	run(c, 1, "count = 0")
	b.ask(b.commandEvent(1, "\x03a"))
	wantOutput(t, b, "print: 41", "print: 1")
	if l := c.Lines(); len(l) != 2 || l[1].Text != "1" {
		t.Errorf("got lines %+v", l)
	}
	if s := c.Scripts(); len(s) != 1 || !s[0].OK || s[0].Hooks[0].Name != "read_query" || s[0].Hooks[0].Calls != 2 {
		t.Errorf("got %+v", s)
	}
}

// A snippet must not disturb the queue of the hook whose query is held.
func TestSnippetsHaveAQueueOfTheirOwn(t *testing.T) {
	b := load(t, `
		function read_query(packet)
			proxy.queries:append(1, "\003one", { resultset_is_needed = true })
			proxy.queries:append(2, "\003two", { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj) if inj.id == 1 then return proxy.PROXY_IGNORE_RESULT end end`)
	v := b.query("\x03q")
	ev := b.resultEvent(v, okAnswer())
	if r := NewConsole(Options{}, b.e).Run(t.Context(), ev, `proxy.queries:reset() proxy.queries:append(9, "\003nine") print(#proxy.queries)`); r.Err != nil || !slices.Equal(r.Output, []string{"1"}) {
		t.Errorf("got %q, %v", r.Output, r.Err)
	}
	if got := sends(b.ask(ev)); got != "2:two buffered" {
		t.Errorf("sends %q, want the script's second query", got)
	}
}

func TestSnippetErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name, code string
		ctx        context.Context
		line       int
		msg        string
	}{
		{"syntax", "x = 1\nif x then", t.Context(), 0, "unexpected symbol near '<eof>'"},
		{"at run time", "local x\n\nreturn x.y", t.Context(), 3, "attempt to index local 'x' (a nil value)"},
		{"error()", "error('no', 0)", t.Context(), 0, "no"},
		{"cancelled", "while true do end", cancelled, 1, "stopped: cancelled"},
		{"a response that cannot be sent", "return proxy.PROXY_SEND_RESULT", t.Context(), 0, "proxy.response.type isn't set in snippet"},
		{
			"a plan without an answer for the client", "proxy.queries:append(1, '\\025\\001\\000\\000\\000') return proxy.PROXY_SEND_QUERY", t.Context(), 0,
			"query 1 of 1: COM_STMT_CLOSE cannot take the place of COM_QUERY: only one of them has an answer",
		},
		{"too deep", "local function f() return 1 + f() end\nf()", t.Context(), 1, "stack overflow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewConsole(Options{})
			r := c.Run(tt.ctx, heldQuery(1, "select 1"), tt.code)
			var e *Error
			if !errors.As(r.Err, &e) || e.Line != tt.line || e.Msg != tt.msg || r.Verdict != nil {
				t.Errorf("got %#v, want line %d, %q", r.Err, tt.line, tt.msg)
			}
			if r = c.Run(t.Context(), heldQuery(1, "select 1"), "1"); r.Err != nil || !slices.Equal(r.Output, []string{"1"}) {
				t.Errorf("afterwards: got %q, %v", r.Output, r.Err)
			}
		})
	}
}

// A connection that is over, or that the script has not met, has the script loaded for a snippet or a trial.
func TestSnippetSeesTheScriptOfAPastConnection(t *testing.T) {
	b := load(t, `
		limit = 7
		function read_query(packet)
			print(proxy.connection.client.username, proxy.connection.server.mysqld_version)
			return nil
		end`)
	c := NewConsole(Options{}, b.e)
	ev := b.commandEvent(990, "\x03select 1")
	ev.Conn = intercept.PastConn(intercept.ConnInfo{ID: 990, User: "app", Server: "8.4.2", Thread: 7})
	for range 2 {
		if r := c.Run(t.Context(), ev, "limit"); r.Err != nil || strings.Join(r.Output, "") != "7" {
			t.Errorf("got %+v", r)
		}
	}
	list, err := c.Try(t.Context(), ev)
	if err != nil || len(list) != 1 || strings.Join(list[0].Output, "") != "app\t80402" {
		t.Errorf("got %+v, %v", list, err)
	}
	if st := b.e.Status(); st.Conns != 0 || len(st.Hooks) != 0 {
		t.Errorf("it was counted: %+v", st)
	}
	b.write("nonsense(")
	if r := c.Run(t.Context(), ev, "limit"); r.Err == nil || !strings.Contains(r.Err.Error(), "unexpected symbol") {
		t.Errorf("with a script that does not load: %+v", r)
	}
}
