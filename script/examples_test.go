package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept"
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
