package edit

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// fileEvent is a held request for a file.
func fileEvent(file, sql string) intercept.Held {
	packet := append([]byte{0xfb}, file...)
	return intercept.Held{Event: &intercept.Event{
		ID: 5, Point: rule.ReadQueryResult, Conn: &intercept.Conn{ID: 6}, Exchange: 1390, Packet: packet, PacketLen: len(packet),
		Kind: mysqlwire.KindLocalInfile, Context: &mysqlwire.Context{Caps: testCaps, Command: mysqlwire.ComQuery}, Dir: mysqlwire.ToClient,
		SQL: sql, Query: intercept.Query{Packet: append([]byte{3}, sql...), Show: true},
		File: &intercept.FileRequest{Name: file, Named: strings.Contains(sql, file)},
	}}
}

func TestFileIsRenamedOrRefused(t *testing.T) {
	h := fileEvent("data.csv", "load data local infile 'data.csv' into table t")
	e := must(Result(h, nil, testEnv(t)))
	if v := verdictOf(t, e); v.Touches() {
		t.Fatalf("untouched, yet %+v", v)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	press(e, "<backspace><backspace><backspace>tsv")
	v := verdictOf(t, e)
	if v.Action != intercept.Forward || string(v.Packet) != "\xfbdata.tsv" {
		t.Errorf("renamed: got %s %q", v.Action, v.Packet)
	}
	again := must(Result(h, &v, testEnv(t)))
	if w := verdictOf(t, again); string(w.Packet) != string(v.Packet) {
		t.Errorf("the draft became %q", w.Packet)
	}
	press(e, "<tab> ")
	v = verdictOf(t, e)
	if v.Action != intercept.Reply || v.Answer.Packets[0].Kind != mysqlwire.KindERR || v.Packet != nil {
		t.Errorf("refused: got %+v", v)
	}
	press(e, "<ctrl+z><ctrl+z><ctrl+z>")
	if v := verdictOf(t, e); v.Touches() {
		t.Errorf("undone, yet %+v", v)
	}
	press(e, "<ctrl+u>")
	if _, err := e.Verdict(); err == nil {
		t.Error("a file without a name was accepted")
	}
	if err := e.SetExternal("one\ntwo\n"); err == nil {
		t.Error("two names were accepted")
	}
	if err := e.SetExternal("one\n"); err != nil || string(verdictOf(t, e).Packet) != "\xfbone" {
		t.Errorf("from outside: %v", err)
	}
}

func TestFileThatNobodyNamedIsToldOf(t *testing.T) {
	h := fileEvent("/etc/passwd", "select 1")
	e := must(Result(h, nil, testEnv(t)))
	if v := e.View(100, 20); !strings.Contains(v, "The statement does not name this file") {
		t.Errorf("nobody is told:\n%s", v)
	}
	r := must(Respond(h, nil, testEnv(t)))
	if v := verdictOf(t, r); v.Action != intercept.Reply || v.Answer.Packets[0].Kind != mysqlwire.KindERR {
		t.Errorf("respond: got %+v", v)
	}
	if _, err := Inject(h, nil, false, testEnv(t)); err == nil {
		t.Error("a query was injected while the server waits for a file")
	}
}
