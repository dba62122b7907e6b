package tui

import (
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name, key, sql, want string // what is sent in front; "" when the key refuses
	}{
		{"select", "x", "SELECT 1", "EXPLAIN SELECT 1"},
		{"analyze", "X", "SELECT 1", "EXPLAIN ANALYZE SELECT 1"},
		{"a write", "x", "DELETE FROM t", "EXPLAIN DELETE FROM t"},
		{"a write, run", "X", "DELETE FROM t", ""},
		{"what is not explained", "x", "SET @a = 1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{}
			f.conn(3)
			f.add(1, 3, mysqlwire.ComQuery, c.sql, time.Second, 0)
			f.hold(101, 3, 1, rule.ReadQuery, time.Second)
			d, _ := start(t, f, 120, 36, plain)
			d.Press(c.key)
			if c.want == "" {
				d.Lacks("EDITING")
				return
			}
			d.Has("EDITING", c.want)
			d.Press("ctrl+r")
			if f.ids() != "101" {
				t.Fatal("it is not released")
			}
			q := f.resolved[0].v.Queries
			if len(q) != 2 || string(q[0].Packet[1:]) != c.want || q[0].Show || string(q[1].Packet[1:]) != c.sql || !q[1].Show {
				t.Errorf("sent %+v", q)
			}
		})
	}
	d, _ := start(t, shop(), 120, 36, plain)
	d.Press("g", "j", "x")
	d.Has("x (explain): this one is not paused")
}

func TestBoundSQL(t *testing.T) {
	cx := &mysqlwire.Context{Caps: mysqlwire.Protocol41, ParamsKnown: true, Params: make([]mysqlwire.Param, 2)}
	m := &mysqlwire.StmtExecute{StmtID: 1, Iterations: 1, NewParamsBound: true, Params: []mysqlwire.ExecParam{
		{Type: value.VarString, Raw: []byte("\x04it's")}, {Type: value.Long, Raw: []byte{7, 0, 0, 0}},
	}}
	b, err := m.Encode(nil, cx)
	if err != nil {
		t.Fatal(err)
	}
	ev := &intercept.Event{SQL: "SELECT ?, ?", Packet: b, PacketLen: len(b), Kind: mysqlwire.KindStmtExecute, Context: cx}
	if got, want := boundSQL(ev), "SELECT 'it''s', 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := boundSQL(&intercept.Event{SQL: "SELECT 1", Packet: []byte("\x03SELECT 1"), Kind: mysqlwire.KindQuery, Context: cx}); strings.TrimSpace(got) != "SELECT 1" {
		t.Errorf("got %q", got)
	}
}
