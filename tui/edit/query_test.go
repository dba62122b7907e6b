package edit

import (
	"bytes"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

func TestQuerySendsTheEditedText(t *testing.T) {
	attr := must(mysqlwire.NewExecParam("route", value.VarString, false, []byte("/checkout")))
	h := commandEvent(&mysqlwire.Query{SQL: "SELECT 1", Attributes: []mysqlwire.ExecParam{attr}}, &mysqlwire.Context{Caps: testCaps | mysqlwire.QueryAttributes})
	e := must(Query(h, nil, testEnv(t)))
	if v := verdictOf(t, e); v.Touches() {
		t.Fatalf("untouched, yet %+v", v)
	}
	press(e, "<end> + 2")
	v := verdictOf(t, e)
	if len(v.Queries) != 1 || v.Action != intercept.Forward || !v.Queries[0].Show {
		t.Fatalf("got %+v", v)
	}
	m := decodeAs[*mysqlwire.Query](t, v.Queries[0], h.Context)
	if m.SQL != "SELECT 1 + 2" || len(m.Attributes) != 1 || m.Attributes[0].Name != "route" {
		t.Errorf("got %+v", m)
	}
	press(e, "<ctrl+z><ctrl+z><ctrl+z><ctrl+z>")
	if v := verdictOf(t, e); v.Touches() {
		t.Errorf("undone, yet %+v", v)
	}
	press(e, "<ctrl+y><ctrl+y><ctrl+y><ctrl+y>")
	if v := verdictOf(t, e); !strings.HasSuffix(string(v.Queries[0].Packet), "SELECT 1 + 2") {
		t.Errorf("done again: %q", v.Queries[0].Packet)
	}
	again := must(Query(h, &v, testEnv(t)))
	if text, suffix, ok := again.External(); text != "SELECT 1 + 2" || suffix != ".sql" || !ok {
		t.Errorf("the draft opens as %q, %q", text, suffix)
	}
}

func TestQueryBeginsAtTheEnd(t *testing.T) {
	e := must(Query(queryEvent("SELECT 1\nFROM a"), nil, testEnv(t)))
	press(e, "b")
	v := verdictOf(t, e)
	if got := string(v.Queries[0].Packet[1:]); got != "SELECT 1\nFROM ab" {
		t.Errorf("got %q", got)
	}
}

func TestQueryKeepsBytesItCannotShow(t *testing.T) {
	sql := "SELECT '\ta\x00b\u202e', '\xff', '漢字é'\n -- x"
	h := queryEvent(sql)
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<up><end><left><backspace>")
	press(e, "Z")
	v := verdictOf(t, e)
	if got, want := string(v.Queries[0].Packet[1:]), strings.Replace(sql, "é'", "Z'", 1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQueryRefusesAnEmptyStatement(t *testing.T) {
	e := must(Query(queryEvent("SELECT 1"), nil, testEnv(t)))
	press(e, "<ctrl+u>")
	if _, err := e.Verdict(); err == nil || err.Error() != "the statement is empty" {
		t.Errorf("got %v", err)
	}
	if err := e.SetExternal(" \n"); err == nil {
		t.Error("an empty file was taken")
	}
	if err := e.SetExternal("SELECT 7"); err != nil {
		t.Fatal(err)
	}
	if v := verdictOf(t, e); string(v.Queries[0].Packet) != "\x03SELECT 7" {
		t.Errorf("got %q", v.Queries[0].Packet)
	}
}

func TestQueryEditsParameters(t *testing.T) {
	h := executeEvent()
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<ctrl+u>200<down><ctrl+u>X-9<down><ctrl+n>")
	v := verdictOf(t, e)
	if len(v.Queries) != 1 {
		t.Fatalf("got %d queries", len(v.Queries))
	}
	m := decodeAs[*mysqlwire.StmtExecute](t, v.Queries[0], h.Context)
	want := []string{"200", "'X-9'", "NULL"}
	for i, p := range m.Params {
		if p.String() != want[i] {
			t.Errorf("parameter %d is %s, want %s", i, p.String(), want[i])
		}
	}
	if m.StmtID != 12 || !m.NewParamsBound || m.Params[0].Type != value.Long || !m.Params[0].Unsigned {
		t.Errorf("got %+v", m)
	}
	again := must(Query(h, &v, testEnv(t)))
	if w := verdictOf(t, again); !bytes.Equal(w.Queries[0].Packet, v.Queries[0].Packet) {
		t.Errorf("the draft became %x, was %x", w.Queries[0].Packet, v.Queries[0].Packet)
	}
	press(again, "<ctrl+u>2<down><ctrl+u>SKU-77<down><ctrl+n>")
	if w := verdictOf(t, again); w.Touches() {
		t.Errorf("edited back, yet %+v", w)
	}
}

func TestQueryChangesAType(t *testing.T) {
	h := executeEvent()
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<shift+tab>v<tab>")
	m := decodeAs[*mysqlwire.StmtExecute](t, verdictOf(t, e).Queries[0], h.Context)
	if p := m.Params[0]; p.Type != value.VarString || p.String() != "'2'" {
		t.Errorf("got %s %s", p.Type, p.String())
	}
	press(e, "<shift+tab><left><tab>")
	if _, err := e.Verdict(); err != nil {
		t.Error(err)
	}
}

func TestQueryNamesTheParameterThatIsWrong(t *testing.T) {
	e := must(Query(executeEvent(), nil, testEnv(t)))
	press(e, "<ctrl+u>-1")
	if _, err := e.Verdict(); err == nil || !strings.HasPrefix(err.Error(), "parameter 0: ") {
		t.Errorf("got %v", err)
	}
	press(e, "<ctrl+u>1<down><down><ctrl+u>2026-02-30")
	if _, err := e.Verdict(); err == nil || !strings.HasPrefix(err.Error(), "parameter 2: ") {
		t.Errorf("got %v", err)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
}

func TestQueryPreparesNewTextAnew(t *testing.T) {
	h := executeEvent()
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<ctrl+u>5<shift+tab><shift+tab> OR ?")
	if _, err := e.Verdict(); err == nil || err.Error() != "the text has 4 markers, the command 3 values" {
		t.Errorf("got %v", err)
	}
	press(e, "<backspace>1")
	v := verdictOf(t, e)
	if len(v.Queries) != 3 {
		t.Fatalf("got %d queries", len(v.Queries))
	}
	prepare := decodeAs[*mysqlwire.StmtPrepare](t, v.Queries[0], h.Context)
	execute := decodeAs[*mysqlwire.StmtExecute](t, v.Queries[1], h.Context)
	decodeAs[*mysqlwire.StmtClose](t, v.Queries[2], h.Context)
	if prepare.SQL != updateStock+" OR 1" || execute.Params[0].String() != "5" || !v.Queries[1].LastPrepared {
		t.Errorf("got %q with %s", prepare.SQL, execute.Params[0].String())
	}
	again := must(Query(h, &v, testEnv(t)))
	if text, _, _ := again.External(); text != updateStock+" OR 1" {
		t.Errorf("the draft opens as %q", text)
	}
	if w := verdictOf(t, again); len(w.Queries) != 3 || !bytes.Equal(w.Queries[1].Packet, v.Queries[1].Packet) {
		t.Errorf("the draft became %+v", w)
	}
}

func TestQueryQueuesAround(t *testing.T) {
	h := executeEvent()
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<shift+tab><shift+tab><shift+tab>") // after
	press(e, "SHOW WARNINGS")
	if !e.Busy() {
		t.Error("an open input is not busy")
	}
	press(e, "<enter>")
	if e.Busy() {
		t.Error("busy after enter")
	}
	v := verdictOf(t, e)
	if len(v.Queries) != 2 || !v.Queries[0].Show || v.Queries[1].Show || string(v.Queries[1].Packet) != "\x03SHOW WARNINGS" {
		t.Fatalf("got %+v", v.Queries)
	}
	if v.Queries[0].Origin != intercept.FromClient || v.Queries[1].Origin != intercept.FromPerson {
		t.Errorf("they come from %s and %s", v.Queries[0].Origin, v.Queries[1].Origin)
	}
	press(e, "<shift+tab>UPDATE t SET a = 1<enter>")
	t.Run("view", func(t *testing.T) { screens(t, e) })
	press(e, "<delete>")
	if v := verdictOf(t, e); len(v.Queries) != 2 {
		t.Errorf("got %d queries after delete", len(v.Queries))
	}
}

func TestQueryShowsTheMockUp(t *testing.T) {
	e := must(Query(executeEvent(), nil, testEnv(t)))
	press(e, "<ctrl+u>200<down><ctrl+u>X-9")
	screens(t, e)
}

func TestQueryStartsFromWhatScriptsDecided(t *testing.T) {
	h := queryEvent("SELECT 1")
	script := must(injected(h.Event, "SELECT 2", true))
	script.Origin = intercept.FromScript
	h.SoFar = intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{script}, By: "script a.lua:1"}
	e := must(Query(h, nil, testEnv(t)))
	if text, _, _ := e.External(); text != "SELECT 2" {
		t.Errorf("it opens with %q", text)
	}
	if v := verdictOf(t, e); v.Touches() {
		t.Errorf("untouched, yet %+v", v)
	}
	press(e, "<end><backspace>1") // back to what the app sent: that must win over the script
	if v := verdictOf(t, e); v.Action != intercept.Forward || len(v.Queries) != 1 || string(v.Queries[0].Packet) != "\x03SELECT 1" {
		t.Errorf("got %+v", v)
	}
}

func TestQueryEditsASchema(t *testing.T) {
	h := commandEvent(&mysqlwire.InitDB{Schema: "shop"}, &mysqlwire.Context{Caps: testCaps})
	e := must(Query(h, nil, testEnv(t)))
	press(e, "2")
	if m := decodeAs[*mysqlwire.InitDB](t, verdictOf(t, e).Queries[0], h.Context); m.Schema != "shop2" {
		t.Errorf("got %q", m.Schema)
	}
	screens(t, e)
}

func TestQueryRefusesWhatWasNotKept(t *testing.T) {
	h := queryEvent("SELECT 1")
	h.PacketLen += 100
	if _, err := Query(h, nil, testEnv(t)); err == nil || !strings.Contains(err.Error(), "of 109 bytes") {
		t.Errorf("got %v", err)
	}
}
