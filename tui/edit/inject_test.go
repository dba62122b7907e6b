package edit

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

func sqls(qs []intercept.Query) string {
	var list []string
	for _, q := range qs {
		s := string(q.Packet[1:])
		if q.Show {
			s += " shown"
		}
		if q.Join {
			s += " joined"
		}
		list = append(list, s)
	}
	return strings.Join(list, " | ")
}

func TestInjectAround(t *testing.T) {
	h := queryEvent("SELECT 1")
	for _, tt := range []struct {
		name   string
		before bool
		keys   string
		want   string
	}{
		{"before", true, "BEGIN", "BEGIN | SELECT 1 shown"},
		{"after", false, "SHOW WARNINGS", "SELECT 1 shown | SHOW WARNINGS"},
		{"several", true, "SET a = ';'; SELECT 2", "SET a = ';' | SELECT 2 | SELECT 1 shown"},
		{"instead", false, "SELECT 2<tab><left>", "SELECT 1 | SELECT 2 shown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := must(Inject(h, nil, tt.before, testEnv(t)))
			if v := verdictOf(t, e); v.Touches() {
				t.Fatalf("nothing typed, yet %+v", v)
			}
			press(e, tt.keys)
			if got := sqls(verdictOf(t, e).Queries); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestInjectAddsToTheDraft(t *testing.T) {
	h := queryEvent("SELECT 1")
	q := must(Query(h, nil, testEnv(t)))
	press(q, "<end>0")
	v := verdictOf(t, q)
	e := must(Inject(h, &v, true, testEnv(t)))
	press(e, "SET @a = 1")
	v = verdictOf(t, e)
	e = must(Inject(h, &v, false, testEnv(t)))
	press(e, "SHOW WARNINGS")
	v = verdictOf(t, e)
	if got := sqls(v.Queries); got != "SET @a = 1 | SELECT 10 shown | SHOW WARNINGS" {
		t.Errorf("got %s", got)
	}
	again := must(Query(h, &v, testEnv(t)))
	press(again, "<end><backspace>")
	if got := sqls(verdictOf(t, again).Queries); got != "SET @a = 1 | SELECT 1 shown | SHOW WARNINGS" {
		t.Errorf("edited again: %s", got)
	}
}

func TestInjectNeedsTheClientToJoin(t *testing.T) {
	h := queryEvent("SELECT 1")
	e := must(Inject(h, nil, false, testEnv(t)))
	press(e, "SELECT 2<tab><right>")
	p, err := e.(*inject).queue()
	if err != nil || sqls(p.queries()) != "SELECT 1 shown | SELECT 2 shown joined" {
		t.Errorf("got %s, %v", sqls(p.queries()), err)
	}
	h.Context.Caps &^= mysqlwire.MultiResults
	if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), "MULTI_RESULTS") {
		t.Errorf("got %v", err)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
}

func TestInjectRefusesTextRowsForAnExecute(t *testing.T) {
	e := must(Inject(executeEvent(), nil, false, testEnv(t)))
	press(e, "SELECT 2<tab><left>")
	if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), "cannot read the answer to COM_QUERY") {
		t.Errorf("got %v", err)
	}
}

func TestInjectAfterAResult(t *testing.T) {
	h := resultEvent(mysqlwire.ComQuery, testCaps|mysqlwire.QueryAttributes)
	if _, err := Inject(h, nil, true, testEnv(t)); err == nil {
		t.Error("a query was injected before its result")
	}
	e := must(Inject(h, nil, false, testEnv(t)))
	press(e, "SHOW WARNINGS")
	v := verdictOf(t, e)
	if v.Action != intercept.Forward || len(v.Queries) != 1 || v.Queries[0].Show {
		t.Fatalf("got %+v", v)
	}
	if m := decodeAs[*mysqlwire.Query](t, v.Queries[0], h.Context); m.SQL != "SHOW WARNINGS" {
		t.Errorf("with query attributes agreed it reads %q", m.SQL)
	}
	screens(t, e)
}

func TestInjectNotInTheLogin(t *testing.T) {
	if _, err := Inject(greetingEvent(), nil, true, testEnv(t)); err == nil {
		t.Errorf("a query was injected at %s", rule.ReadHandshake)
	}
}

func TestEffects(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{"SHOW WARNINGS", ""},
		{"SELECT 1", ""},
		{"INSERT INTO t VALUES (1)", "last_insert_id()"},
		{"SELECT 1; UPDATE t SET a = 1", "row_count()"},
		{"BEGIN", "opens a transaction"},
		{"ROLLBACK", "open transaction"},
		{"SET @a = 1", "session"},
		{"USE shop", "session"},
		{"CREATE TABLE t (a INT)", "commits"},
	} {
		if got := effects(tt.sql); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.sql, got, tt.want)
		}
	}
}

func TestInjectBesideAMadeAnswer(t *testing.T) {
	h := queryEvent("SELECT 1")
	v := verdictOf(t, must(Respond(h, nil, testEnv(t))))
	if _, err := Query(h, &v, testEnv(t)); err == nil || !strings.Contains(err.Error(), "answers without the server") {
		t.Errorf("its command can be edited: %v", err)
	}
	e := must(Inject(h, &v, false, testEnv(t)))
	press(e, "SET @a = 1")
	if w := verdictOf(t, e); w.Action != intercept.Reply || w.Answer == nil || sqls(w.Queries) != "SET @a = 1" {
		t.Errorf("got %+v", w)
	}
	press(e, "<tab><right>")
	if _, err := e.Verdict(); err == nil {
		t.Error("the app can get two answers")
	}
}

func TestTouched(t *testing.T) {
	for name, tt := range map[string]struct {
		e    Editor
		keys string
	}{
		"query":   {must(Query(queryEvent("SELECT 1"), nil, testEnv(t))), "x"},
		"packet":  {must(Query(greetingEvent(), nil, testEnv(t))), "f"},
		"inject":  {must(Inject(queryEvent("SELECT 1"), nil, true, testEnv(t))), "x"},
		"respond": {must(Respond(queryEvent("SELECT 1"), nil, testEnv(t))), "<left>"},
		"result":  {must(Result(resultEvent(mysqlwire.ComQuery, testCaps), nil, testEnv(t))), "d"},
	} {
		if tt.e.Touched() {
			t.Errorf("%s is touched when it opens", name)
		}
		press(tt.e, tt.keys)
		if !tt.e.Touched() {
			t.Errorf("%s is not touched by %s", name, tt.keys)
		}
		press(tt.e, "<ctrl+z>")
		if tt.e.Touched() {
			t.Errorf("%s is touched after undo", name)
		}
	}
}
