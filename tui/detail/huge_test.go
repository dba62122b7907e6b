package detail

import (
	"bytes"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/keymap"
)

// huge is a paused answer of a million rows, 16 MiB.
func huge(t testing.TB, rows int) Subject {
	s := heldResult(t, 0)
	rs := &mysqlwire.ResultSet{Columns: []mysqlwire.Column{column("id", value.LongLong, 0, mysqlwire.CollationBinary, 20)}}
	cx := s.Held.Context
	a := answer(t, rs, cx, false)
	row := append([]byte{11}, "12345678901"...)
	packets := append([]mysqlwire.Packet(nil), a.Packets[:2]...)
	for range rows {
		packets = append(packets, mysqlwire.Packet{Kind: mysqlwire.KindTextRow, Payload: row})
	}
	s.Held.Answer = &mysqlwire.Answer{Command: mysqlwire.ComQuery, Packets: append(packets, a.Packets[2:]...)}
	return s
}

func TestHugeAnswerIsDecodedWhereOneLooks(t *testing.T) {
	const rows = 300_000
	m := newModel(t, huge(t, rows))
	m.View(100, 40, true)
	m.HexView(120, 8, false)
	if n := len(m.outline().sums); n > 40 {
		t.Errorf("%d packets were decoded to draw 40 lines", n)
	}
	press(t, m, keymap.Bottom)
	if got := screen(m.View(100, 40, true)); !strings.Contains(got, "> ") || !strings.Contains(got, "300002 text row") {
		t.Errorf("the end is not in\n%s", got)
	}
	press(t, m, keymap.Up, keymap.Open, keymap.Down, keymap.Down)
	if n := m.outline().selected(); n == nil || n.name != "id" || n.value != `"12345678901"` {
		t.Errorf("the last row opens to %+v", n)
	}
	m.tab = tabResult
	m.View(100, 40, true)
	press(t, m, keymap.Bottom)
	got := screen(m.View(100, 40, true))
	if !strings.Contains(got, "> 300000 [12345678901]") || len(m.result.rows.recent) > keep {
		t.Errorf("%d rows are kept for\n%s", len(m.result.rows.recent), got)
	}
	m.HexView(100, 8, false)
	if got, want := m.hex.view.Bytes()[3], byte((rows+2)&0xff); got != want {
		t.Errorf("the last row has sequence number %d, want %d", got, want)
	}
	m.tab = tabStages
	m.Show(m.s)
	if n := len(m.stageRows().rows); n > 10 {
		t.Errorf("an answer nobody changed has %d rows of stages", n)
	}
}

func TestLongStatementOpens(t *testing.T) {
	sql := "INSERT INTO t VALUES ('" + strings.Repeat("x", 20<<20) + "')"
	p := query(sql)
	s := Subject{Conn: connInfo(), Held: &intercept.Held{Since: at, Event: &intercept.Event{
		ID: 3, Point: rule.ReadQuery, Exchange: 7, Packet: p, PacketLen: len(p), Kind: mysqlwire.KindQuery, Context: answerContext(0), SQL: sql,
	}}}
	m := newModel(t, s)
	for tab := range tabCount {
		m.tab = tab
		checkExact(t, tabNames[tab], m.View(80, 24, true), 80, 24)
		checkExact(t, tabNames[tab], m.HexView(80, 8, false), 80, 8)
	}
	m.tab = tabPacket
	press(t, m, keymap.Bottom)
	n := m.outline().selected()
	if n.name != "query" || n.off+n.len != len(p)+mysqlwire.HeaderLen || !strings.HasSuffix(n.value, "… (20.0 MB)") {
		t.Errorf("the text is %s of %d bytes, %q at its end", n.name, n.len, n.value[max(len(n.value)-20, 0):])
	}
	must(t, bytes.HasPrefix(m.hex.view.Bytes(), []byte{0xff, 0xff, 0xff, 0}), "the header is that of the first frame")
}

func BenchmarkOpenHugeAnswer(b *testing.B) {
	s := huge(b, 1_000_000)
	for b.Loop() {
		m := newModel(b, s)
		m.View(100, 40, true)
		m.HexView(120, 8, false)
	}
}

func BenchmarkHugeResultTab(b *testing.B) {
	s := huge(b, 1_000_000)
	for b.Loop() {
		m := newModel(b, s)
		m.tab = tabResult
		m.View(100, 40, true)
		m.HexView(120, 8, false)
	}
}

func BenchmarkHugeAnswerFrame(b *testing.B) {
	m := newModel(b, huge(b, 1_000_000))
	for b.Loop() {
		m.Do(keymap.PageDown)
		m.View(100, 40, true)
		m.HexView(120, 8, false)
		m.Preview(100, 8)
	}
}

func BenchmarkHeldQueryFrame(b *testing.B) {
	m := newModel(b, heldExecute(b))
	for b.Loop() {
		m.View(53, 25, true)
		m.HexView(120, 8, false)
		m.Preview(80, 6)
	}
}
