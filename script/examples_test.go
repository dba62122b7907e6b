package script

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// example makes a bench with a script of the examples folder.
func example(t *testing.T, name string) *bench {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(src))
}

func TestExampleRewrite(t *testing.T) {
	b := example(t, "rewrite.lua")
	for _, tt := range []struct{ sql, want string }{
		{"select * from t where a = 1 ; ", "1:select * from t where a = 1 LIMIT 1000"},
		{"SELECT a\nFROM t", "1:SELECT a\nFROM t LIMIT 1000"},
		{"select * from t limit 5", ""},
		{"select 1", ""},
		{"update t set a = 1", ""},
	} {
		if got := sends(b.query("\x03" + tt.sql)); got != tt.want {
			t.Errorf("%q: sends %q, want %q", tt.sql, got, tt.want)
		}
	}
	if v := b.query("\x0e"); v.Touches() {
		t.Errorf("COM_PING: got %+v, want it untouched", v)
	}
}

func TestExampleMask(t *testing.T) {
	b := example(t, "mask.lua")
	answer := func(cell string) *mysqlwire.Answer {
		rs := mysqlwire.SimpleResultSet([]string{"id", "mail"}, [][]string{{"1", cell}})
		a, err := rs.Answer(&mysqlwire.Context{Caps: b.caps}, false)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	v := b.result(b.query("\x03select id, mail from users"), answer("jane.doe@example.com"))
	if v.Action != intercept.Reply {
		t.Fatalf("got %v, want a reply", v.Action)
	}
	if got := hexPackets(v.Answer); !strings.Contains(got, strings.ReplaceAll("/ 01 31 10 6a2a2a2a406578616d706c652e636f6d /", " ", "")) {
		t.Errorf("got %s, want a masked cell", got)
	}
	if v := b.result(b.query("\x03select id, name from users"), answer("Jane Doe")); v.Touches() {
		t.Errorf("without an address: got %+v, want it untouched", v)
	}
	failed := mysqlwire.ERRAnswer(1146, "42S02", "no table")
	failed.Command = mysqlwire.ComQuery
	if v := b.result(b.query("\x03select x"), failed); v.Touches() {
		t.Errorf("an error: got %+v, want it untouched", v)
	}
}

func TestExampleFlaky(t *testing.T) {
	b := example(t, "flaky.lua")
	var failed []int
	for i := 1; i <= 7; i++ {
		conn := intercept.ConnID(i%2 + 1)
		if v := b.ask(b.commandEvent(conn, "\x03 update stock set qty = 1")); v.Action == intercept.Reply {
			failed = append(failed, i)
		}
		if v := b.ask(b.commandEvent(conn, "\x03select 1")); v.Touches() {
			t.Errorf("a read: got %+v, want it untouched", v)
		}
	}
	if len(failed) != 2 || failed[0] != 3 || failed[1] != 6 {
		t.Errorf("writes %v failed, want 3 and 6", failed)
	}
	wantOutput(t, b, "print: deadlock for UPDATE number 3", "print: deadlock for UPDATE number 6")
}

func TestExampleTiming(t *testing.T) {
	b := example(t, "timing.lua")
	status := func(n string) *mysqlwire.Answer {
		a, err := mysqlwire.SimpleResultSet([]string{"Variable_name", "Value"}, [][]string{{"Handler_read_key", n}, {"Handler_read_rnd", "0"}}).
			Answer(&mysqlwire.Context{Caps: b.caps}, false)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	v := b.result(b.query("\x03select a, b from t"), status("5"))
	if v.Action != intercept.Drop {
		t.Errorf("first: got %v, want drop", v.Action)
	}
	if v = b.result(v, rowsAnswer(t, b.caps)); v.Action != intercept.Pass {
		t.Errorf("second: got %v, want pass", v.Action)
	}
	if v = b.result(v, status("9")); v.Action != intercept.Drop || len(v.Queries) != 0 {
		t.Errorf("third: got %v with %d queries, want drop with none", v.Action, len(v.Queries))
	}
	out := b.output()
	if len(out) != 2 || !strings.HasPrefix(out[0], "print: 2 rows after ") || out[1] != "print:   Handler_read_key +4" {
		t.Errorf("got output %q", out)
	}
}

func TestExampleFilter(t *testing.T) {
	b := example(t, "filter.lua")
	for _, tt := range []struct{ packet, want string }{
		{"\x03DROP TABLE t", "DROP is refused"},
		{"\x03/* c */ truncate table t", "TRUNCATE is refused"},
		{"\x03delete from t", "DELETE without WHERE is refused"},
		{"\x16update t set a = ?", "UPDATE without WHERE is refused"},
		{"\x03update t set a = 1 where id = 2", ""},
		{"\x03select 'drop table t'", ""},
		{"\x03", ""},
		{"\x02drop", ""},
	} {
		v := b.query(tt.packet)
		switch {
		case tt.want == "" && v.Touches():
			t.Errorf("%q: got %+v, want it untouched", tt.packet, v)
		case tt.want != "" && (v.Action != intercept.Reply || !strings.Contains(string(v.Answer.Packets[0].Payload), tt.want)):
			t.Errorf("%q: got %s, want %q", tt.packet, hexPackets(v.Answer), tt.want)
		}
	}
}

func TestExampleAudit(t *testing.T) {
	b := example(t, "audit.lua")
	failed := mysqlwire.ERRAnswer(1146, "42S02", "no table")
	failed.Command = mysqlwire.ComQuery
	b.result(b.query("\x03select * from users where mail = 'jane@example.com'"), failed)
	b.result(b.query("\x03select 1"), okAnswer())
	if v := b.query("\x0e"); v.Touches() {
		t.Errorf("COM_PING: got %+v, want it untouched", v)
	}
	b.ask(b.event(rule.Disconnect, 1))
	said := slices.DeleteFunc(b.output(), func(line string) bool { return !strings.HasPrefix(line, "print") }) // there is no login
	want(t, said, "print: nobody from : SELECT * FROM `users` WHERE `mail` = ? ", "print: nobody from : that failed",
		"print: nobody from : SELECT ? ", "print: nobody from  left after 2 statements, 1 of them failed")
}

func TestExamplePrepared(t *testing.T) {
	b := example(t, "prepared.lua")
	v := b.query("\x16insert into t values (?, ?)")
	ok := &mysqlwire.Answer{Command: mysqlwire.ComStmtPrepare, Packets: []mysqlwire.Packet{
		{Kind: mysqlwire.KindPrepareOK, Payload: []byte("\x00\x05\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00")},
	}}
	ev := b.event(rule.ReadQueryResult, 1)
	ev.Query, ev.Answer, ev.Context.Command = v.Queries[0], ok, mysqlwire.ComStmtPrepare
	if v := b.ask(ev); v.Touches() {
		t.Errorf("prepare: got %+v, want it untouched", v)
	}
	execute := "\x17\x05\x00\x00\x00\x00\x01\x00\x00\x00"
	for _, packet := range []string{
		execute + "\x00\x01\x08\x00\xfe\x00\x2a\x00\x00\x00\x00\x00\x00\x00\x04it's", // 42 and a text
		execute + "\x02\x01\x01\x00\x06\x00\x07",                                     // 7 and NULL
		execute + "\x00\x00\x07\x07",                                                 // types as before
		"\x19\x05\x00\x00\x00", execute,
	} {
		if v := b.query(packet); v.Touches() {
			t.Errorf("%q: got %+v, want it untouched", packet, v)
		}
	}
	wantOutput(t, b, "print: #5 insert into t values (42, 'it''s')", "print: #5 insert into t values (7, NULL)",
		"print: #5 insert into t values (?, ?)")
}

func TestExampleStatistics(t *testing.T) {
	b := example(t, "statistics.lua")
	for range 2 {
		b.result(b.query("\x03select 1"), okAnswer())
	}
	failed := mysqlwire.ERRAnswer(1146, "42S02", "no table")
	failed.Command = mysqlwire.ComQuery
	b.result(b.query("\x03select x from t"), failed)
	a := b.query("\x03show proxy statistics").Answer
	results, err := a.Results(&mysqlwire.Context{Caps: b.caps})
	if err != nil || len(results) != 1 || results[0].Rows.Len() != 2 {
		t.Fatalf("got %s, %v", hexPackets(a), err)
	}
	got := map[string]string{}
	for i := range results[0].Rows.Len() {
		row, err := results[0].Rows.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		got[row.Text(0)] = row.Text(1) + " " + row.Text(2)
	}
	if got["SELECT ? "] != "2 0" || got["SELECT `x` FROM `t` "] != "1 1" {
		t.Errorf("got %v", got)
	}
}

func TestExampleRoutingRefusesStrangers(t *testing.T) {
	b := example(t, "routing.lua")
	v := b.ask(b.event(rule.ConnectServer, 1))
	if v.Action != intercept.Reply || !strings.Contains(string(v.Answer.Packets[0].Payload), "is not allowed to connect") {
		t.Errorf("got %v, %s", v.Action, hexPackets(v.Answer))
	}
}
