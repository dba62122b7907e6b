package intercept_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// text is a plan entry for a query.
func text(sql string, show, join bool) intercept.Query {
	q := intercept.QueryText(sql, intercept.FromPerson)
	q.Show, q.Join, q.Need = show, join, false
	return q
}

// forward sends a plan in a command's place.
func forward(plan ...intercept.Query) func(*testing.T, intercept.Held) intercept.Verdict {
	return func(*testing.T, intercept.Held) intercept.Verdict {
		return intercept.Verdict{Action: intercept.Forward, Queries: plan}
	}
}

// reply answers in the server's place.
func reply(a *mysqlwire.Answer) func(*testing.T, intercept.Held) intercept.Verdict {
	return func(*testing.T, intercept.Held) intercept.Verdict {
		return intercept.Verdict{Action: intercept.Reply, Answer: a}
	}
}

// replyRows answers with a result set.
func replyRows(binary bool, names []string, rows ...[]string) func(*testing.T, intercept.Held) intercept.Verdict {
	return func(t *testing.T, h intercept.Held) intercept.Verdict {
		a, err := mysqlwire.SimpleResultSet(names, rows).Answer(h.Context, binary)
		if err != nil {
			t.Fatal(err)
		}
		return intercept.Verdict{Action: intercept.Reply, Answer: a}
	}
}

// edit changes the result that is held.
func edit(change func(e *mysqlwire.ResultEdit) error) func(*testing.T, intercept.Held) intercept.Verdict {
	return func(t *testing.T, h intercept.Held) intercept.Verdict {
		e, err := h.Answer.EditResult(h.Context, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(e); err != nil {
			t.Fatal(err)
		}
		a, err := e.Answer()
		if err != nil {
			t.Fatal(err)
		}
		return intercept.Verdict{Action: intercept.Forward, Answer: a}
	}
}

// rewritten runs other SQL.
func rewritten(sql string) func(*testing.T, intercept.Held) intercept.Verdict {
	return func(t *testing.T, h intercept.Held) intercept.Verdict {
		plan, err := intercept.Rewrite(h.Event, sql, intercept.FromPerson)
		if err != nil {
			t.Fatal(err)
		}
		return intercept.Verdict{Action: intercept.Forward, Queries: plan}
	}
}

// act is something done to one command of a connection.
type act struct {
	name    string
	at      rule.Point
	prepare string // the statement is prepared before, and executed
	sql     string
	do      func(*testing.T, intercept.Held) intercept.Verdict
	want    string // the answer: results joined by "; ", rows by ", "; an error as its code
}

func acts() []act {
	const q, r = rule.ReadQuery, rule.ReadQueryResult
	pass := func(*testing.T, intercept.Held) intercept.Verdict { return intercept.Verdict{} }
	setA := intercept.QueryText("set @a = 5", intercept.FromPerson)
	return []act{
		{"release", q, "", "select 1", pass, "1"},
		{"forward", q, "", "select 2", forward(text("select 2", true, false)), "2"},
		{"edit", q, "", "select 3", rewritten("select 33"), "33"},
		{"edit into an error", q, "", "select 4", rewritten("select nonsense"), "ERR 1054"},
		{"edit into a statement without rows", q, "", "select 5", rewritten("do 5"), "OK"},
		{"edit into several results", q, "", "select 6", rewritten("select 6; select 66"), "6; 66"},
		{"inject before", q, "", "select @a + 0", forward(setA, text("select @a + 0", true, false)), "5"},
		{"inject after", q, "", "select @a + 1", forward(text("select @a + 1", true, false), intercept.QueryText("set @a = 6", intercept.FromPerson)), "6"},
		{"what was injected after", q, "", "select @a + 2", pass, "8"},
		{"inject an error before", q, "", "select 7", forward(intercept.QueryText("select nonsense", intercept.FromPerson), text("select 7", true, false)), "7"},
		{"inject without waiting for the answer", q, "", "select 8", forward(text("select 1; select 2; select 3", false, false), text("select 8", true, false)), "8"},
		{"inject many", q, "", "select 9", forward(append(slices.Repeat([]intercept.Query{text("do 1", false, false)}, 300), text("select 9", true, false))...), "9"},
		{"inject a large answer that nobody sees", q, "", "select 10", forward(text("select repeat('x', 3000000)", false, false), text("select 10", true, false)), "10"},
		{"join", q, "", "select 11", forward(text("select 11", true, false), text("select 12", true, true)), "11; 12"},
		{"join three and hide one", q, "", "select 13", forward(text("select 13", true, false), text("do 1", false, false), text("do 14", true, true), text("select 15", true, true)), "13; OK; 15"},
		{"join to an error", q, "", "select 16", forward(text("select nonsense", true, false), text("select 17", true, true)), "ERR 1054"},
		{"reply OK", q, "", "select 18", reply(mysqlwire.OKAnswer(3, 4, 2, 0, "")), "OK"},
		{"reply an error", q, "", "select 19", reply(mysqlwire.ERRAnswer(1213, "", "")), "ERR 1213"},
		{"reply rows", q, "", "select 20", replyRows(false, []string{"a", "b"}, []string{"x", "y"}, []string{"z", ""}), "x y, z "},
		{"reply many rows", q, "", "select 21", replyRows(false, []string{"a"}, slices.Repeat([][]string{{"r"}}, 400)...), strings.TrimSuffix(strings.Repeat("r, ", 400), ", ")},
		{"reply no rows", q, "", "select 22", replyRows(false, []string{"a"}), ""},
		{"reply after an injected query", q, "", "select 23", func(*testing.T, intercept.Held) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.OKAnswer(0, 0, 2, 0, ""), Queries: []intercept.Query{intercept.QueryText("set @a = 7", intercept.FromPerson)}}
		}, "OK"},
		{"what that did", q, "", "select @a + 3", pass, "10"},
		{"delay", q, "", "select 24", func(*testing.T, intercept.Held) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Forward, Delay: 5 * time.Millisecond}
		}, "24"},
		{"release an answer", r, "", "select 25", pass, "25"},
		{"delay an answer", r, "", "select 26", func(*testing.T, intercept.Held) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Forward, Delay: 5 * time.Millisecond}
		}, "26"},
		{"answer otherwise", r, "", "select 27", reply(mysqlwire.ERRAnswer(1205, "", "")), "ERR 1205"},
		{"answer an error with rows", r, "", "select nonsense", replyRows(false, []string{"a"}, []string{"fine"}), "fine"},
		{"edit a cell", r, "", "select 28 as a, 29 as b", edit(func(e *mysqlwire.ResultEdit) error { return e.Set(0, 1, int64(30)) }), "28 30"},
		{"make a cell NULL", r, "", "select 31 as a, 32 as b", edit(func(e *mysqlwire.ResultEdit) error { return e.Set(0, 0, nil) }), "NULL 32"},
		{"delete a row", r, "", "select 33 union all select 34", edit(func(e *mysqlwire.ResultEdit) error { return e.DeleteRow(0) }), "34"},
		{"insert a row", r, "", "select 35", edit(func(e *mysqlwire.ResultEdit) error { return e.InsertRow(0, []value.Value{int64(36)}) }), "36, 35"},
		{"copy a row", r, "", "select 37", edit(func(e *mysqlwire.ResultEdit) error { return e.CopyRow(0) }), "37, 37"},
		{"remove a column", r, "", "select 38 as a, 39 as b", edit(func(e *mysqlwire.ResultEdit) error { return e.RemoveColumn(0) }), "39"},
		{"rename a column", r, "", "select 40 as a", edit(func(e *mysqlwire.ResultEdit) error { return e.RenameColumn(0, "other") }), "40"},
		{"query after an answer", r, "", "select 41", func(*testing.T, intercept.Held) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{intercept.QueryText("set @a = 8", intercept.FromPerson)}}
		}, "41"},
		{"what that set", q, "", "select @a + 4", pass, "12"},
		{"drop one answer for another", r, "", "select 42", func(*testing.T, intercept.Held) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Drop, Queries: []intercept.Query{text("select 43", true, false)}}
		}, "43"},
		{"reply rows to a statement without", q, "", "do 1", replyRows(false, []string{"a"}, []string{"made up"}), "made up"},
		{"answer rows instead of OK", r, "", "do 2", replyRows(false, []string{"a"}, []string{"b"}, []string{"c"}), "b, c"},
		{"answer OK instead of rows", r, "", "select 43", reply(mysqlwire.OKAnswer(1, 0, 2, 0, "")), "OK"},
		{"execute", q, "select 44 as a", "", pass, "44"},
		{"execute another", q, "select 45 as a", "", rewritten("select 46 as a, 47 as b"), "46 47"},
		{"execute one that fails", q, "select 48 as a", "", rewritten("select nonsense"), "ERR 1054"},
		{"reply to an execute", q, "select 49 as a", "", replyRows(true, []string{"a", "b"}, []string{"x", "y"}), "x y"},
		{"reply OK to an execute", q, "select 50 as a", "", reply(mysqlwire.OKAnswer(1, 0, 2, 0, "")), "OK"},
		{"edit a binary cell", r, "select 51 as a, 'text' as b", "", edit(func(e *mysqlwire.ResultEdit) error { return e.Set(0, 1, []byte("new")) }), "51 new"},
		{"delete binary rows", r, "select 52 as a union all select 53", "", edit(func(e *mysqlwire.ResultEdit) error { return e.DeleteRow(1) }), "52"},
		{"remove a binary column", r, "select 54 as a, 55 as b", "", edit(func(e *mysqlwire.ResultEdit) error { return e.RemoveColumn(1) }), "54"},
		{"answer an execute otherwise", r, "select 56 as a", "", reply(mysqlwire.ERRAnswer(1205, "", "")), "ERR 1205"},
		{"inject before an execute", q, "select @a + 5 as a", "", func(_ *testing.T, h intercept.Held) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{setA, {Packet: h.Packet, Show: true}}}
		}, "10"},
		{"inject after an execute", r, "select 57 as a", "", func(*testing.T, intercept.Held) intercept.Verdict {
			return intercept.Verdict{Queries: []intercept.Query{intercept.QueryText("do 1", intercept.FromPerson)}, Action: intercept.Forward}
		}, "57"},
	}
}

// TestManyVerdictsOnOneConnection ends with the connection in step: the client is strict.
func TestManyVerdictsOnOneConnection(t *testing.T) {
	for _, as := range capabilities {
		t.Run(as.name, func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := client(t, &s, p.Addr, as.caps)
				for _, a := range acts() {
					perform(t, p, c, a)
				}
				if got := c.Text("select 'in step'"); got != "in step" {
					t.Errorf("at the end: got %s", got)
				}
				for _, n := range p.Journal.Notices(0, nil) {
					if n.Level == intercept.Error {
						t.Errorf("the log has %s", n.Text)
					}
				}
			})
		})
	}
}

func perform(t *testing.T, p *intercepttest.Proxy, c *intercepttest.Client, a act) {
	t.Helper()
	command, again := query(c, a.sql), 1
	if a.prepare != "" {
		command, again = execute(c, c.Prepare(a.prepare), 0), 2
	}
	id, err := p.Breakpoints.Add("at " + a.at.String() + ` if not injected`)
	if err != nil {
		t.Fatal(err)
	}
	c.Send(command)
	h := p.Held(a.at)
	p.Resolve(h, a.do(t, h))
	answer, err := c.TryAnswer(command)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	if got := shape(t, c, answer); got != a.want {
		t.Errorf("%s: got %q, want %q", a.name, got, a.want)
	}
	if err := p.Breakpoints.Delete(id); err != nil {
		t.Fatal(err)
	}
	if again == 2 { // nobody interferes now
		if got := shape(t, c, c.Do(command)); strings.HasPrefix(got, "ERR") {
			t.Errorf("%s: then got %s", a.name, got)
		}
		c.Do(statementCommand(mysqlwire.ComStmtClose, h.Stmt.ID))
	}
	still := query(c, "select 'still here'")
	c.Send(still)
	if answer, err = c.TryAnswer(still); err != nil || shape(t, c, answer) != "still here" {
		t.Fatalf("%s: then got %v, %v", a.name, answer, err)
	}
}

// shape is an answer in short.
func shape(t *testing.T, c *intercepttest.Client, a *mysqlwire.Answer) string {
	t.Helper()
	cx := *c.Decoder.Context()
	cx.Command = a.Command
	results, err := a.Results(&cx)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range results {
		r := &results[i]
		switch {
		case r.ERR != nil:
			all = append(all, fmt.Sprintf("ERR %d", r.ERR.Code))
			continue
		case !r.HasRows():
			all = append(all, "OK")
			continue
		}
		var rows []string
		for n := range r.Rows.Len() {
			row, err := r.Rows.Row(n)
			if err != nil {
				t.Fatal(err)
			}
			var cells []string
			for k := range row.Len() {
				if row.Null(k) {
					cells = append(cells, "NULL")
				} else {
					cells = append(cells, row.Text(k))
				}
			}
			rows = append(rows, strings.Join(cells, " "))
		}
		all = append(all, strings.Join(rows, ", "))
	}
	return strings.Join(all, "; ")
}

// TestVerdictsThatTheProtocolCannotExpress are refused, and the event stays held.
func TestVerdictsThatTheProtocolCannotExpress(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, intercepttest.ClientCaps&^mysqlwire.MultiResults&^mysqlwire.MultiStatements)
		p.Break(`at query, result if sql contains "odd" or cmd in ["ping", "stmt_close", "prepare"]`)
		rows, err := mysqlwire.SimpleResultSet([]string{"a"}, [][]string{{"b"}}).Answer(&mysqlwire.Context{Caps: c.Decoder.Caps()}, false)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(h intercept.Held, what string, v intercept.Verdict) {
			t.Helper()
			if err := p.Gate.Resolve(h.ID, v); err == nil || errors.Is(err, intercept.ErrNotHeld) {
				t.Errorf("%s: got %v", what, err)
			}
		}
		ok := mysqlwire.OKAnswer(0, 0, 2, 0, "")
		plan := func(q ...intercept.Query) intercept.Verdict {
			return intercept.Verdict{Action: intercept.Forward, Queries: q}
		}

		c.Send(query(c, "select 'odd'"))
		h := p.Held(rule.ReadQuery)
		refused(h, "no answer", intercept.Verdict{Action: intercept.Reply})
		refused(h, "an empty answer", intercept.Verdict{Action: intercept.Reply, Answer: &mysqlwire.Answer{}})
		refused(h, "half an answer", intercept.Verdict{Action: intercept.Reply, Answer: &mysqlwire.Answer{Packets: rows.Packets[:2]}})
		refused(h, "two answers", intercept.Verdict{Action: intercept.Reply, Answer: &mysqlwire.Answer{Packets: append(slices.Clone(ok.Packets), ok.Packets...)}})
		refused(h, "binary rows", replyRows(true, []string{"a"}, []string{"b"})(t, h))
		refused(h, "a hold", intercept.Verdict{Action: intercept.Hold})
		refused(h, "a drop", intercept.Verdict{Action: intercept.Drop})
		refused(h, "no query", plan([]intercept.Query{}...))
		refused(h, "an empty query", plan(intercept.Query{Show: true}))
		refused(h, "nothing to show", plan(text("select 1", false, false)))
		refused(h, "two to show", plan(text("select 1", true, false), text("select 1", true, false)))
		refused(h, "a join that the client cannot read", plan(text("select 1", true, false), text("select 1", true, true)))
		refused(h, "a prepare", plan(intercept.Query{Packet: prepare("select 1"), Show: true}))
		refused(h, "a change of user", plan(intercept.Query{Packet: []byte("\x11u\x00\x00\x00"), Show: true}))
		refused(h, "a command without answer", plan(intercept.Query{Packet: statementCommand(mysqlwire.ComStmtClose, 1), Show: true}))
		p.Resolve(h, intercept.Verdict{})
		h = p.Held(rule.ReadQueryResult)
		refused(h, "a drop of what the client waits for", intercept.Verdict{Action: intercept.Drop})
		refused(h, "binary rows for text", replyRows(true, []string{"a"}, []string{"b"})(t, h))
		p.Resolve(h, intercept.Verdict{})
		if got := c.Value(c.Answer(query(c, "select 'odd'"))); got != "odd" {
			t.Errorf("got %s", got)
		}

		c.Send([]byte{byte(mysqlwire.ComPing)})
		h = p.Held(rule.ReadQuery)
		refused(h, "rows for a ping", intercept.Verdict{Action: intercept.Reply, Answer: rows})
		refused(h, "a query for a ping", plan(text("select 1", true, false)))
		p.Resolve(h, intercept.Verdict{Action: intercept.Reply, Answer: ok})
		c.Answer([]byte{byte(mysqlwire.ComPing)})

		c.Send(prepare("select 1"))
		h = p.Held(rule.ReadQuery)
		refused(h, "OK for a prepare", intercept.Verdict{Action: intercept.Reply, Answer: ok})
		p.Resolve(h, intercept.Verdict{})
		h = p.Held(rule.ReadQueryResult)
		refused(h, "rows for a prepare", intercept.Verdict{Action: intercept.Reply, Answer: rows})
		p.Resolve(h, intercept.Verdict{})
		c.Answer(prepare("select 1"))

		id := c.Decoder.Stmt(mysqlwire.LastStmtID).ID
		c.Send(statementCommand(mysqlwire.ComStmtClose, id))
		h = p.Held(rule.ReadQuery)
		refused(h, "an answer to a close", intercept.Verdict{Action: intercept.Reply, Answer: ok})
		p.Resolve(h, plan([]intercept.Query{}...)) // it is kept from the server
		if got := c.Value(c.Do(execute(c, id, 0))); got != "1" {
			t.Errorf("the statement is closed: %s", got)
		}
	})
}

func TestCloseAndHang(t *testing.T) {
	for _, tt := range []struct {
		name    string
		at      rule.Point
		verdict intercept.Verdict
		answer  bool // comes before the end
	}{
		{"close", rule.ReadQuery, intercept.Verdict{Action: intercept.Close}, false},
		{"close instead of the answer", rule.ReadQueryResult, intercept.Verdict{Action: intercept.Close}, false},
		{"close after the answer", rule.ReadQuery, intercept.Verdict{Action: intercept.Forward, CloseAfter: true}, true},
		{"close after the held answer", rule.ReadQueryResult, intercept.Verdict{Action: intercept.Forward, CloseAfter: true}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c, other := client(t, &s, p.Addr, 0), client(t, &s, p.Addr, 0)
				p.Break("at " + tt.at.String() + ` if sql contains "end"`)
				c.Send(query(c, "select 'end'"))
				p.Resolve(p.Held(), tt.verdict)
				if tt.answer && c.Value(c.Answer(query(c, "select 'end'"))) != "end" {
					t.Error("the answer is another")
				}
				if err := c.Closed(); err != nil {
					t.Errorf("closed with %v", err)
				}
				if other.Text("select 1") != "1" {
					t.Error("the other connection does not work")
				}
			})
		})
	}
	for _, at := range []rule.Point{rule.ReadQuery, rule.ReadQueryResult} {
		t.Run("hang at "+at.String(), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := client(t, &s, p.Addr, 0)
				p.Break("at " + at.String() + ` if sql contains "end"`)
				c.Send(query(c, "select 'end'"))
				p.Resolve(p.Held(), intercept.Verdict{Action: intercept.Hang})
				if err := c.Conn.Close(); err != nil {
					t.Fatal(err)
				}
				if x := p.Finished("select 'end'"); x.State != intercept.Gone || x.BytesOut != 0 && at == rule.ReadQuery {
					t.Errorf("the journal has %+v", x)
				}
			})
		})
	}
}

// TestRulesWithCommandLineClient runs the client that many people have.
func TestRulesWithCommandLineClient(t *testing.T) {
	for _, program := range []string{"mariadb", "mysql"} {
		t.Run(program, func(t *testing.T) {
			path := tool(t, program)
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				p.Break(
					`do err 1213 "made up" if sql contains "deadlock"`, `do ok if sql contains "pretend"`, `do rewrite "select 'rewritten'" if sql contains "original"`,
					`do delay 2ms if sql contains "slow"`, `at result if sql contains "never there"`, `for 2ms then err 1205 if sql contains "timed"`,
					`at result do err 1317 "cut short" if sql contains "interrupted"`,
				)
				args := []string{"--force", "--ssl-mode=DISABLED", "--get-server-public-key"}
				if program == "mariadb" {
					args = []string{"--force", "--skip-ssl"}
				}
				got, err := run(t, path, intercepttest.User{Name: s.User, Password: s.Password}, p.Addr, s.Database, `
					select 'first';
					select 'deadlock';
					do 'pretend';
					select 'original';
					select 'slow';
					select 'timed';
					select 'interrupted';
					select 1; select 2;
					select 'last';`, args...)
				if want := "first\nrewritten\nslow\n1\n2\nlast\n"; got != want {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			})
		})
	}
}
