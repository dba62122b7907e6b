package script

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

func TestHints(t *testing.T) {
	const answer = "proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = 'no', %s } return 2"
	for _, tt := range []struct{ name, body, want string }{
		{"errno", strings.ReplaceAll(answer, "%s", "errno = 5"), "hint: proxy.response.errno is not looked at: write proxy.response.errcode"},
		{"rows at the wrong level", strings.ReplaceAll(answer, "%s", "rows = {}"), "hint: proxy.response.rows is not looked at: write proxy.response.resultset.rows"},
		{
			"resultset.flags", "proxy.response = { type = 0, resultset = { fields = { { name = 'a', type = 3 } }, rows = {}, warning_count = 1 } } return 2",
			"hint: proxy.response.resultset.warning_count is not sent: it can only be read of inj.resultset",
		},
		{
			"a decision that is not returned", "proxy.response.type = 0 return PROXY_SEND_RESULT",
			"hint: read_query() has set proxy.response and returned nothing, so the command goes on: end it with return proxy.PROXY_SEND_RESULT",
		},
		{"nothing wrong", strings.ReplaceAll(answer, "%s", "errcode = 5, mine = 1"), ""},
	} {
		b := load(t, "function read_query(packet) "+tt.body+" end")
		b.query("\x03a")
		b.query("\x03a") // it is said once
		if got := strings.Join(b.output(), "; "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A script that runs for ever is ended, and its event goes on; without a deadline it is not.
func TestDeadlineEndsALoop(t *testing.T) {
	b := loadWith(t, "function read_query(packet) if packet:find('loop') then while true do end end return 4 end", Options{Deadline: DefaultDeadline})
	v, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03loop"))
	var bad *Error
	if !errors.As(err, &bad) || bad.Line != 1 || bad.Hook != "read_query" || !strings.Contains(bad.Msg, "50ms") || v.Touches() {
		t.Errorf("got %v, %v", v, err)
	}
	b = loadWith(t, "function read_query(packet) local n = 0 for i = 1, 2000000 do n = n + i end print(n) end", Options{Deadline: -1})
	b.query("\x03a")
	wantOutput(t, b, "print: 2000001000000")
}

func TestStatusOfHooks(t *testing.T) {
	b := load(t, `function read_query(packet)
		if packet:find("fail") then error("no") end
		if packet:find("two") then proxy.queries:append(1, packet) proxy.queries:append(2, packet) return 1 end
	end`)
	b.query("\x03a")
	if _, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03fail")); err == nil {
		t.Error("no error")
	}
	b.query("\x03two")
	st := b.e.Status()
	if len(st.Hooks) != 1 {
		t.Fatalf("got %+v", st)
	}
	h := st.Hooks[0]
	if h.Name != "read_query" || h.Calls != 3 || h.Errors != 1 || h.Last != "sends COM_QUERY" || h.LastAt.IsZero() || h.Worst <= 0 || h.Total < h.Worst {
		t.Errorf("got %+v", h)
	}
}

func TestTryHooksOnACopy(t *testing.T) {
	b := load(t, `
		calls = 0
		function read_query(packet)
			calls = calls + 1
			print("call", calls, packet:sub(2), proxy.connection.backend_ndx)
			if packet:find("answer") then
				proxy.response = { type = 255, errmsg = "no" }
				return proxy.PROXY_SEND_RESULT
			end
			proxy.queries:append(7, packet, { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj)
			print(inj.id, inj.resultset.row_count)
			proxy.response.type = 0
			return proxy.PROXY_SEND_RESULT
		end`)
	v := b.query("\x03one")
	b.output()
	c := NewConsole(Options{}, b.e)
	try := func(ev *intercept.Event) Tried {
		t.Helper()
		list, err := c.Try(t.Context(), ev)
		if err != nil || len(list) != 1 {
			t.Fatalf("got %v, %v", list, err)
		}
		return list[0]
	}
	got := try(b.commandEvent(1, "\x03answer"))
	if !got.Exists || got.Describe != "answers ERROR 1105 (07000): no" || !slices.Equal(got.Output, []string{"call\t2\tanswer\t0"}) || got.Err != nil {
		t.Errorf("got %+v", got)
	}
	ev := b.resultEvent(v, rowsAnswer(t, b.caps))
	if got := try(ev); got.Hook != "read_query_result" || got.Describe != "answers OK" || !slices.Equal(got.Output, []string{"7\t2"}) {
		t.Errorf("got %+v", got)
	}
	if got := try(b.event(rule.ReadHandshake, 1)); got.Exists || got.Describe != "passes" {
		t.Errorf("without the hook: got %+v", got)
	}
	// The trial has left no trace but in variables: the queue that runs goes on, nothing was counted.
	if w := b.result(v, rowsAnswer(t, b.caps)); w.Action != intercept.Reply {
		t.Errorf("after the trial: got %v", w.Action)
	}
	if st := b.e.Status(); st.Hooks[0].Calls != 1 || len(b.output()) != 1 {
		t.Errorf("it was counted or logged: %+v", st)
	}
	// A connection that the script has not met.
	ev = b.commandEvent(77, "\x03fresh")
	if got := try(ev); !slices.Equal(got.Output, []string{"call\t1\tfresh\t0"}) || got.Describe != "sends COM_QUERY" {
		t.Errorf("got %+v", got)
	}
	if b.e.conns[77] != nil {
		t.Error("the trial has made a connection")
	}
}

func TestSaveAndReload(t *testing.T) {
	b := load(t, `function read_query() print("old") end`)
	b.query("\x03a")
	var bad *Error
	if err := b.e.Save(t.Context(), []byte("function (")); !errors.As(err, &bad) || bad.Line != 1 {
		t.Errorf("a text that does not compile: got %v", err)
	}
	b.query("\x03a")
	if err := b.e.Save(t.Context(), []byte(`function read_query() print("new") end`)); err != nil {
		t.Fatal(err)
	}
	b.query("\x03a")
	wantOutput(t, b, "print: old", "print: old", "print: new")
	text, err := b.e.Source()
	if err != nil || !strings.Contains(string(text), "new") {
		t.Errorf("got %s, %v", text, err)
	}
	left, _ := os.ReadDir(filepath.Dir(b.path))
	if info, err := os.Stat(b.path); err != nil || info.Mode().Perm() != 0o600 || len(left) != 1 {
		t.Errorf("got %v, %v, files %v", info, err, left)
	}
}

// Where a script acted, the journal has the stages; output is tied to its exchange.
func TestLabStagesWhereAScriptActed(t *testing.T) {
	each(t, `
		function read_query(packet)
			if not packet:find("acted") then return end
			print("acts")
			proxy.queries:append(1, packet:gsub("acted", "changed"), { resultset_is_needed = true })
			return proxy.PROXY_SEND_QUERY
		end
		function read_query_result(inj)
			proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = { fields = { { name = "a", type = 254 } }, rows = { { "mine" } } } }
			return proxy.PROXY_SEND_RESULT
		end`, func(t *testing.T, b *labBench) {
		c := b.open("")
		want(t, b.column(c, "select 'left alone'"), "left alone")
		want(t, b.column(c, "select 'acted'"), "mine")
		x := b.p.Finished("select 'acted'")
		list := b.p.Journal.Acted(x.Conn, x.Seq)
		if len(list) != 2 {
			t.Fatalf("got %d events, want 2", len(list))
		}
		q, r := list[0], list[1]
		if string(q.Packet) != "\x03select 'acted'" || len(q.Script.Queries) != 1 || string(q.Script.Queries[0].Packet) != "\x03select 'changed'" || q.Changed {
			t.Errorf("read_query: got %+v", q)
		}
		if r.Answer == nil || r.Script.Answer == nil || r.Sent.Answer != r.Script.Answer || r.Answer == r.Script.Answer || r.Script.By != b.e.Name() {
			t.Errorf("read_query_result: got %+v", r)
		}
		if idle := b.p.Finished("select 'left alone'"); len(b.p.Journal.Acted(idle.Conn, idle.Seq)) != 0 {
			t.Error("an exchange that passed is kept")
		}
		if lines := NewConsole(Options{}, b.e).LinesOf(x.Seq); len(lines) != 1 || lines[0].Text != "acts" || lines[0].Hook != "read_query" {
			t.Errorf("got %+v", lines)
		}
		// What a person makes of it is the third stage.
		b.p.Break("stop at query if sql contains \"acted\"")
		done := make(chan []string, 1)
		go func() { done <- b.column(c, "select 'acted' as x") }()
		held := b.p.Held(rule.ReadQuery)
		b.p.Resolve(held, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: []byte("\x03select 'by hand'"), Show: true}}})
		want(t, <-done, "by hand")
		x = b.p.Finished("select 'acted' as x")
		b.p.Until("it is kept", func() bool { return len(b.p.Journal.Acted(x.Conn, x.Seq)) > 0 })
		if a := b.p.Journal.Acted(x.Conn, x.Seq)[0]; !a.Changed || string(a.Script.Queries[0].Packet) != "\x03select 'changed' as x" || string(a.Sent.Queries[0].Packet) != "\x03select 'by hand'" {
			t.Errorf("got %+v", a)
		}
	})
}

// A pool connects all the time: what went wrong in one connection is still to be seen after the next.
func TestErrorStaysUntilTheTextChanges(t *testing.T) {
	b := load(t, `function read_query(packet) if packet:find("fail") then error("no") end end`)
	if _, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03fail")); err == nil {
		t.Fatal("no error")
	}
	if st := b.e.Status(); st.OK || st.Err == nil || st.Err.Line != 1 || st.Err.Hook != "read_query" || st.ErrAt.IsZero() {
		t.Errorf("after the error: %+v", st)
	}
	b.ask(b.commandEvent(2, "\x03fine"))
	if st := b.e.Status(); !st.OK || st.Err == nil {
		t.Errorf("after another connection: %+v", st)
	}
	b.write("function read_query() end")
	if err := b.e.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := b.e.Status(); !st.OK || st.Err != nil {
		t.Errorf("after another text: %+v", st)
	}
	b.write("nonsense(")
	b.ask(b.commandEvent(3, "\x03fine"))
	if st := b.e.Status(); st.OK || st.Err == nil || st.Err.Hook != "" {
		t.Errorf("with a text that does not load: %+v", st)
	}
	b.write("function read_query() end")
	b.ask(b.commandEvent(4, "\x03fine"))
	if st := b.e.Status(); !st.OK || st.Err != nil {
		t.Errorf("with one that does: %+v", st)
	}
}

// Stops before the scripts see an event as received, and the scripts are asked when it goes on.
func TestLabStopsBeforeTheScripts(t *testing.T) {
	each(t, `
		function read_query(packet)
			if not packet:find("asked for") then return end
			proxy.queries:append(1, (packet:gsub("asked for", "changed")))
			return proxy.PROXY_SEND_QUERY
		end`, func(t *testing.T, b *labBench) {
		c := b.open("")
		b.p.Break(`early at query pre if sql contains "asked for"`)
		b.p.Break(`late at query if sql contains "asked for"`)
		done := make(chan []string, 1)
		go func() { done <- b.column(c, "select 'asked for'") }()
		first := b.p.Held(rule.ReadQuery)
		if !first.Pre || first.SoFar.Touches() {
			t.Errorf("before: got %+v", first)
		}
		b.p.Resolve(first, intercept.Verdict{})
		second := b.p.Held(rule.ReadQuery)
		if second.Pre || len(second.SoFar.Queries) != 1 || string(second.SoFar.Queries[0].Packet) != "\x03select 'changed'" {
			t.Errorf("after: got %+v", second)
		}
		b.p.Resolve(second, intercept.Verdict{})
		want(t, <-done, "changed")
	})
}
