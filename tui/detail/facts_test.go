package detail

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

func TestWhatIsNotThereIsSaid(t *testing.T) {
	head := heldExecute(t)
	head.Held.Packet = head.Held.Packet[:20]
	long := exchange(strings.Repeat("x", 65000), &mysqlwire.Answer{Partial: true})
	long.Cut, long.SQLLen, long.SQL = true, 200_000, strings.Repeat("x", intercept.SQLPrefix)
	flight := exchange("SELECT 1", &mysqlwire.Answer{})
	flight.State, flight.Received = intercept.InFlight, mysqlwire.Packet{}
	streamed := heldResult(t, 1)
	streamed.Held.Answer = nil
	opaque := Subject{Conn: connInfo()}
	opaque.Conn.Opaque = "a frame out of order"
	unknown := heldExecute(t)
	cx := *unknown.Held.Context
	cx.ParamsKnown, cx.Params = false, nil
	unknown.Held.Context = &cx
	for _, tt := range []struct {
		name    string
		subject Subject
		tab     tab
		want    []string
	}{
		{"packet over the limit", head, tabPacket, []string{"only the first 20 B of 37 B are kept", "len 37   seq 0", "not decoded"}},
		{"command over the journal's limit", Subject{Detail: long}, tabPacket, []string{"longer than the journal keeps", "the rest of the command was not kept"}},
		{"its text", Subject{Detail: long}, tabStatement, []string{"only the first 63.5 KB of 195.3 KB are known"}},
		{"no answer yet", Subject{Detail: flight}, tabPacket, []string{"shown when the answer has come", "SELECT 1", "in flight"}},
		{"answer that streamed", streamed, tabPacket, []string{"gone to the client already"}},
		{"connection nobody follows", opaque, tabSession, []string{"without being followed: a frame out of order", "Breakpoints do not work"}},
		{"parameters nobody knows", unknown, tabStatement, []string{"parameters cannot be read"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newModel(t, tt.subject)
			m.tab = tt.tab
			view := screen(m.View(120, 40, true))
			press(t, m, keymap.Bottom)
			view += strings.Join(strings.Fields(screen(m.View(120, 40, true))), " ")
			for _, want := range tt.want {
				if !strings.Contains(view, want) {
					t.Errorf("%q is not in\n%s", want, view)
				}
			}
		})
	}
}

func TestResultsTurn(t *testing.T) {
	cx := answerContext(mysqlwire.ComQuery)
	first, second := answer(t, orders(2), cx, false).WithMoreResults(cx), answer(t, numbers(7), cx, false)
	d := exchange("CALL two()", &mysqlwire.Answer{Packets: append(append([]mysqlwire.Packet(nil), first.Packets...), second.Packets...)})
	m := newModel(t, Subject{Detail: d})
	m.tab = tabResult
	for _, tt := range []struct {
		key  keymap.ID
		want string
	}{
		{keymap.Top, "result 1 of 2"}, {keymap.NextChange, "result 2 of 2"}, {keymap.NextChange, "result 2 of 2"}, {keymap.PrevChange, "result 1 of 2"},
	} {
		m.Do(tt.key)
		if view := screen(m.View(100, 20, true)); !strings.Contains(view, tt.want) || strings.Contains(tt.want, "2 of") != strings.Contains(view, "[7") {
			t.Errorf("after %s: want %s in\n%s", tt.key, tt.want, view)
		}
	}
	// A row of the second result is read with its own columns.
	m.tab = tabPacket
	m.View(100, 40, true)
	press(t, m, keymap.Bottom, keymap.Up, keymap.Open, keymap.Down, keymap.Down)
	if n := m.outline().selected(); n == nil || n.name != "id" || n.value != `"7"` {
		t.Errorf("its row opens to %+v", n)
	}
}

func TestBlobText(t *testing.T) {
	for _, tt := range []struct {
		in   []byte
		want string
	}{
		{nil, "0 B"},
		{[]byte("plain"), "plain"},
		{[]byte("\x89PNG\r\n\x1a\n" + strings.Repeat("\x00", 2000)), "0x89504e47… 2,008 B PNG"},
		{[]byte("\x01\x92\xf0\xa1\xb2\xc3\x7d\x4e\x8f\x90\xa1\xb2\xc3\xd4\xe5\xf6"), "0192f0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6 UUID"},
		{[]byte(`{"a": [1, 2]}`), "0x7b226122… 13 B JSON"},
		{[]byte{0, 1, 2}, "0x000102"},
		{[]byte(strings.Repeat("\xff", 100)), "0xffffffffffffffff… 100 B"},
		{[]byte("\x00\x00\x00\x00\x01\x01\x00\x00\x00" + strings.Repeat("\x00", 16)), "0x00000000… 25 B WKB"},
	} {
		if got := blobText(tt.in); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in[:min(len(tt.in), 20)], got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{statusText(0), "none"},
		{statusText(mysqlwire.StatusInTrans | mysqlwire.StatusAutocommit | 0x0004), "in a transaction, autocommit, bit 2"},
		{transactionText("I_R____L"), "open without BEGIN, has read, holds table locks (I_R____L)"},
		{transactionText("odd"), "odd"},
		{bytesOf(41), "41 B"},
		{bytesOf(61 << 10), "61.0 KB"},
		{bytesOf(5 << 20), "5.0 MB"},
		{many(1, "row", "rows"), "1 row"},
		{many(1234567, "row", "rows"), "1,234,567 rows"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
