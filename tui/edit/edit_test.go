package edit

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// FuzzEditors opens editors on any command and any row and plays keys. Drawings keep their size, and what a verdict
// sends can be read again.
func FuzzEditors(f *testing.F) {
	execute := executeEvent()
	f.Add(uint8(0), []byte("\x03SELECT 1"), "x<tab>SHOW WARNINGS<enter><tab>")
	f.Add(uint8(0), execute.Packet, "<ctrl+u>7<tab><tab><ctrl+n><ctrl+z>")
	f.Add(uint8(0), []byte("\x16SELECT ?"), "<backspace>")
	f.Add(uint8(0), []byte("\x02shop"), "2")
	f.Add(uint8(0), []byte("\x19\x01\x00\x00\x00"), "0f<ctrl+z>")
	f.Add(uint8(1), []byte("\x01a\xfb"), "e1<enter>lNopdC+x:int<enter>uC<ctrl+u><enter>uu<ctrl+y>")
	f.Add(uint8(2), []byte{0, 0, 1, 'a', 5, 0, 0, 0}, "le7<enter>Od<tab>H0<enter>")
	f.Add(uint8(3), []byte("\xff\x48\x04#42000no"), "<right><tab>a:int<tab>1<enter>x")
	f.Add(uint8(4), []byte("\x03SELECT 1"), "SELECT 2;BEGIN<tab><right>")
	env := testEnv(f)
	columns := []mysqlwire.Column{mysqlwire.TextColumn("a"), {Name: "b", Type: value.Long, Length: 11, Collation: 63}}
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte, keys string) {
		if len(keys) > 200 {
			keys = keys[:200]
		}
		cx := &mysqlwire.Context{Caps: testCaps, Params: execute.Context.Params, ParamsKnown: true}
		h := intercept.Held{Event: &intercept.Event{
			ID: 1, Point: rule.ReadQuery, Conn: &intercept.Conn{ID: 1}, Exchange: 1, Packet: payload, PacketLen: len(payload), Context: cx,
			Stmt: execute.Stmt, SQL: execute.SQL,
		}}
		h.Kind = h.Command().Kind()
		open := Query
		switch kind % 5 {
		case 1, 2, 3:
			cmd, row := mysqlwire.ComQuery, mysqlwire.KindTextRow
			if kind%5 == 2 {
				cmd, row = mysqlwire.ComStmtExecute, mysqlwire.KindBinaryRow
			}
			h = resultEvent(cmd, testCaps, &mysqlwire.ResultSet{Columns: columns, Rows: [][]value.Value{{[]byte("x"), int64(1)}}})
			for i, p := range h.Answer.Packets {
				if p.Kind == row {
					h.Answer.Packets[i].Payload = payload
				}
			}
			open = Result
			if kind%5 == 3 {
				h = answered(h, &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindERR, Payload: payload}}})
				open = Respond
			}
		case 4:
			open = func(h intercept.Held, d *intercept.Verdict, env Env) (Editor, error) { return Inject(h, d, true, env) }
		}
		e, err := open(h, nil, env)
		if err != nil {
			return
		}
		press(e, keys)
		for _, w := range []int{52, 80} {
			for i, l := range strings.Split(e.View(w, 20), "\n") {
				if n := ansi.StringWidth(l); n != w || i > 19 {
					t.Fatalf("line %d is %d cells wide, want %d: %q", i, n, w, l)
				}
			}
		}
		v, err := e.Verdict()
		if err != nil {
			return
		}
		if v.Answer != nil {
			if _, err := v.Answer.Results(h.Context); err != nil {
				t.Errorf("what is sent cannot be read: %v", err)
			}
		}
		if text, _, ok := e.External(); ok && !e.Busy() {
			if err := e.SetExternal(text); err != nil && strings.TrimSpace(text) != "" {
				t.Logf("%q does not come back: %v", text, err)
			}
		}
		if _, err := open(h, &v, env); err != nil && v.Touches() && kind%5 < 3 {
			t.Errorf("the draft cannot be opened again: %v", err)
		}
	})
}
