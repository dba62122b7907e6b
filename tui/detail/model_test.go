package detail

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/keymap"
)

// everyKey is what a person can do in the inspector.
var everyKey = []keymap.ID{
	keymap.Down, keymap.Up, keymap.Left, keymap.Right, keymap.Top, keymap.Bottom, keymap.HalfDown, keymap.HalfUp, keymap.PageDown,
	keymap.PageUp, keymap.Toggle, keymap.Open, keymap.View, keymap.NextChange, keymap.PrevChange, keymap.Continue,
}

func TestEveryViewIsExact(t *testing.T) {
	for name, s := range subjects(t) {
		m := newModel(t, s)
		m.th = newTheme(t, termenv.ANSI, "dark")
		m.Show(s)
		for w := 0; w < 130; w += 1 + w/4 {
			for h := 0; h < 34; h += 1 + h/4 {
				for tab := range tabCount {
					m.tab = tab
					what := fmt.Sprintf("%s, %s at %dx%d", name, tabNames[tab], w, h)
					for part, got := range map[string]string{"view": m.View(w, h, true), "hex": m.HexView(w, h, h%2 == 0), "preview": m.Preview(w, h)} {
						if w == 0 || h == 0 {
							must(t, got == "", "%s: %s is %q", what, part, got)
							continue
						}
						checkExact(t, what+" "+part, got, w, h)
					}
				}
			}
		}
	}
}

// TestNoKeyLeavesTheScreen presses keys at random and looks at what is drawn and selected after each.
func TestNoKeyLeavesTheScreen(t *testing.T) {
	all := subjects(t)
	r := rand.New(rand.NewPCG(7, 7))
	for name, s := range all {
		m := newModel(t, s)
		for range 250 {
			key := everyKey[r.IntN(len(everyKey))]
			m.Do(key)
			if r.IntN(50) == 0 {
				m.Show(s)
			}
			w, h := 30+r.IntN(90), 3+r.IntN(30)
			inHex := r.IntN(4) == 0
			view, hex := m.View(w, h, !inHex), m.HexView(w, h, inHex)
			checkExact(t, name, view, w, h)
			checkExact(t, name, hex, w, h)
			if t := m.current(); t != tabPacket || len(m.about().parts) == 0 || h < 8 {
				continue
			}
			must(t, strings.Contains(view, "> "), "%s: after %s the cursor is not in\n%s", name, key, view)
		}
	}
}

func TestOutlineRowsAndSpotsAreInverse(t *testing.T) {
	for name, s := range subjects(t) {
		m := newModel(t, s)
		o := m.outline()
		r := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			n := o.rows()
			for i := range n {
				if got := o.row(o.at(i)); got != i {
					t.Fatalf("%s: row %d is %+v, which is row %d of %d", name, i, o.at(i), got, n)
				}
			}
			if n == 0 {
				break
			}
			o.cur = o.at(r.IntN(n))
			o.do(keymap.Toggle, 10)
		}
	}
}

func TestHexSelectsTheInnermostField(t *testing.T) {
	m := newModel(t, heldExecute(t))
	m.View(53, 25, false)
	m.HexView(80, 7, true)
	frame := append([]byte{0x25, 0, 0, 0}, execute(t, 2, "SKU-77")...)
	must(t, bytes.Equal(m.hex.view.Bytes(), frame), "bytes are %x, want %x", m.hex.view.Bytes(), frame)
	m.Do(keymap.Top)
	for off := range frame {
		n := m.outline().selected()
		must(t, n != nil && off >= n.off && off < n.off+n.len, "byte %d selects %+v", off, n)
		for i := range n.from.nodes {
			k := &n.from.nodes[i]
			if k.depth > n.depth && off >= k.off && off < k.off+k.len {
				t.Errorf("byte %d selects %s, but %s is within it", off, n.name, k.name)
			}
		}
		must(t, m.hex.view.Cursor() == off, "the cursor is on %d, want %d", m.hex.view.Cursor(), off)
		must(t, m.hex.field.Off == n.off && m.hex.field.N == n.len, "brackets around %+v, want %d bytes from %d", m.hex.field, n.len, n.off)
		m.Do(keymap.Right)
	}
	for off, want := range map[int]string{0: "packet", 4: "COM_STMT_EXECUTE", 5: "statement_id", 0x1a: "parameter 2", 0x20: "parameter 2", 0x21: "parameter 3"} {
		m.Do(keymap.Top)
		for range off {
			m.Do(keymap.Right)
		}
		if n := m.outline().selected(); n.name != want {
			t.Errorf("byte %d selects %s, want %s", off, n.name, want)
		}
	}
}

func TestHexOpensWhatIsFolded(t *testing.T) {
	m := newModel(t, heldExecute(t))
	m.View(53, 25, true)
	press(t, m, keymap.Top, keymap.Toggle)
	must(t, m.outline().rows() == 1, "%d rows are left of a folded packet, want 1", m.outline().rows())
	m.View(53, 25, false)
	m.HexView(80, 7, true)
	press(t, m, keymap.Bottom)
	if n := m.outline().selected(); n.name != "parameter 3" || !strings.Contains(screen(m.View(53, 25, false)), "> "+"        parameter 3") {
		t.Errorf("the last byte selects %s in\n%s", n.name, m.View(53, 25, false))
	}
}

func TestShowKeepsThePlaceInTheSameEvent(t *testing.T) {
	m := newModel(t, heldExecute(t))
	m.View(80, 24, true)
	press(t, m, keymap.Bottom)
	before := m.outline().cur
	m.Show(heldExecute(t))
	if got := m.outline().cur; got != before {
		t.Errorf("the cursor is at %+v, want %+v", got, before)
	}
	m.Show(editedExecute(t)) // a part more
	m.tab = tabStages
	m.View(80, 24, true)
	press(t, m, keymap.NextChange)
	cursor := m.stageRows().cursor
	m.Show(editedExecute(t))
	if got := m.stageRows().cursor; got != cursor || m.current() != tabStages {
		t.Errorf("row %d of %s, want %d of Stages", got, tabNames[m.current()], cursor)
	}
	m.Show(heldResult(t, 3))
	if m.current() != tabStages || m.outline().cur.part != 1 {
		t.Errorf("another event begins in %s at %+v", tabNames[m.current()], m.outline().cur)
	}
}

func TestTabsAreThoseOfTheSubject(t *testing.T) {
	all := subjects(t)
	for name, want := range map[string]string{
		"nothing": "", "connection": "Session", "login": "Packet Stages Session", "connect": "Packet Stages Session",
		"execute": "Packet Stages Statement Session", "crafted": "Packet Stages Statement Result Session", "error": "Packet Stages Statement Result Session",
	} {
		m := newModel(t, all[name])
		var got []string
		for _, tab := range m.tabs() {
			got = append(got, tabNames[tab])
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: got %q, want %q", name, g, want)
		}
	}
}

func TestTabsTurn(t *testing.T) {
	m := newModel(t, heldExecute(t))
	m.View(80, 24, true)
	var seen []string
	for range 6 {
		seen = append(seen, tabNames[m.current()])
		m.Do(keymap.Right)
	}
	if got, want := strings.Join(seen, " "), "Packet Stages Statement Session Session Session"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m.Show(heldResult(t, 3))
	m.tab = tabResult
	m.View(80, 24, true)
	for range 3 { // over the columns first
		m.Do(keymap.Right)
	}
	must(t, m.current() == tabResult, "left the grid before its last column")
	m.Do(keymap.Right)
	must(t, m.current() == tabSession, "did not leave the grid at its last column")
}

func TestCopy(t *testing.T) {
	bound := strings.NewReplacer("qty - ?", "qty - 2", "sku = ?", "sku = 'SKU-77'", "< ?", "< '2026-02-11 09:14:03'").Replace(stockSQL)
	for _, tt := range []struct {
		name    string
		subject Subject
		tab     tab
		focused bool
		keys    []keymap.ID
		text    string
		what    string
	}{
		{"statement of the list's selection", heldExecute(t), tabPacket, false, []keymap.ID{keymap.Bottom}, bound, "statement"},
		{"field", heldExecute(t), tabPacket, true, []keymap.ID{keymap.Bottom}, "DATETIME '2026-02-11 09:14:03'", "parameter 3"},
		{"statement at a group", heldExecute(t), tabPacket, true, []keymap.ID{keymap.Top}, bound, "statement"},
		{"text without its quotes", Subject{Detail: exchange("SELECT \"a\"\n", mysqlwire.OKAnswer(0, 0, 0, 0, ""))}, tabPacket, true, []keymap.ID{keymap.Top, keymap.Down, keymap.Down, keymap.Down, keymap.Down}, "SELECT \"a\"\n", "query"},
		{"cell", heldResult(t, 4), tabResult, true, []keymap.ID{keymap.Right}, "paid", "cell status of row 1"},
		{"error", subjects(t)["error"], tabResult, true, nil, "ERROR 1213 (40001): Deadlock found when trying to get lock; try restarting transaction", "error"},
		{"nothing", Subject{}, tabPacket, true, nil, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newModel(t, tt.subject)
			m.tab = tt.tab
			m.View(80, 24, tt.focused)
			press(t, m, tt.keys...)
			if text, what := m.Copy(); text != tt.text || what != tt.what {
				t.Errorf("got %q, %q, want %q, %q", text, what, tt.text, tt.what)
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	secret := []byte("twenty secret bytes!")
	login := subjects(t)["login"]
	draft := bytes.Clone(login.Held.Packet)
	copy(draft[bytes.Index(draft, []byte("shop")):], "sh0p")
	login.Draft = &intercept.Verdict{Action: intercept.Forward, Packet: draft}
	must(t, bytes.Contains(login.Held.Packet, secret), "the packet has no secret to hide")
	change := exchange("", mysqlwire.OKAnswer(0, 0, 0, 0, ""))
	change.Command = mysqlwire.ComChangeUser
	change.Context.Caps |= mysqlwire.SecureConnection
	change.Received = mysqlwire.Packet{Kind: mysqlwire.KindChangeUser, Payload: encode(t, &mysqlwire.ChangeUser{User: "u", AuthResponse: secret, Collation: 33}, change.Context)}
	for name, s := range map[string]Subject{"login": login, "change of user": {Detail: change}} {
		m := newModel(t, s)
		for tab := range tabCount {
			for range 3 {
				m.tab = tab
				got := m.View(120, 40, true) + m.HexView(120, 20, false) + m.Preview(120, 10)
				for _, leak := range []string{"twenty", "74 77 65", "747765", "secret b"} {
					if strings.Contains(ansi.Strip(got), leak) {
						t.Errorf("%s, %s shows %q", name, tabNames[tab], leak)
					}
				}
				m.Do(keymap.View)
			}
		}
		must(t, strings.Contains(m.View(120, 40, true)+m.HexView(120, 20, false), "00 00 00 00"), "%s: nothing was drawn", name)
	}
}

// attacks are texts that would do something to a terminal.
func attacks() string {
	var all strings.Builder
	for b := range 256 {
		all.WriteByte(byte(b))
	}
	return "\x1b[31mred\x1b]0;title\x07\x1b[2J\u202etxt\u200b\u009b31m" + all.String()
}

func TestNothingFromOutsideReachesTheTerminal(t *testing.T) {
	evil := attacks()
	short := evil[:40]
	cx := answerContext(mysqlwire.ComQuery)
	rs := &mysqlwire.ResultSet{Info: evil, Columns: []mysqlwire.Column{column(short, value.VarString, 0, 255, 80), column("b"+short, value.Blob, 0, mysqlwire.CollationBinary, 80)}}
	rs.Columns[0].Table = short
	rs.Rows = [][]value.Value{{[]byte(evil), []byte(evil)}, {nil, []byte(short)}}
	c := intercept.ConnInfo{
		ID: 3, Client: short, Listen: short, Backend: short, User: short, DB: short, AuthPlugin: short, Login: []string{evil}, Attrs: []mysqlwire.Attr{{Name: short, Value: evil}},
		Server: short, ClientTLS: short, Opaque: short, Cause: short, MariaDB: true,
	}
	held := heldExecute(t)
	held.Conn = c
	held.Held.Packet = execute(t, 1, evil)
	held.Held.PacketLen = len(held.Held.Packet)
	held.Held.SQL = "SELECT '" + evil + "', ? /* " + short + "='" + short + "' */"
	held.Held.Stmt = nil
	held.Held.Reason = intercept.Verdict{By: short, Why: short}
	held.Draft = &intercept.Verdict{Action: intercept.Forward, By: short, Queries: []intercept.Query{
		intercept.QueryText(evil, intercept.FromPerson), {Packet: execute(t, 1, evil+"!"), Show: true},
	}}
	result := exchange("SELECT 1", answer(t, rs, cx, false))
	result.By, result.Note = evil, evil
	fail := exchange("SELECT 1", mysqlwire.ERRAnswer(1213, "40001", evil))
	fail.Error = &mysqlwire.ERR{Code: 1213, SQLState: "40001", Message: evil}
	ok := exchange("SELECT 1", &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: encode(t, &mysqlwire.OK{
		Status: mysqlwire.StatusSessionStateChanged, Info: evil,
		SessionState: []mysqlwire.StateChange{{Type: mysqlwire.StateSystemVariables, Variables: []mysqlwire.StateVariable{{Name: short, Value: evil}}}},
	}, cx)}}})
	bad := exchange("x", &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindColumn, Payload: []byte(evil)}, {Kind: mysqlwire.KindUnknown, Payload: []byte(evil)}, {Kind: mysqlwire.KindTextRow, Payload: []byte(evil)}}})
	for name, s := range map[string]Subject{
		"held": held, "result": {Conn: c, Detail: result}, "error": {Conn: c, Detail: fail}, "ok": {Conn: c, Detail: ok}, "bad": {Conn: c, Detail: bad}, "connection": {Conn: c},
	} {
		for _, profile := range []termenv.Profile{termenv.Ascii, termenv.ANSI} {
			m := newModel(t, s)
			m.th = newTheme(t, profile, "dark")
			m.Show(Subject{})
			m.Show(s)
			for tab := range tabCount {
				m.tab = tab
				for range 3 {
					for i, got := range []string{m.View(100, 60, true), m.HexView(100, 20, false), m.Preview(100, 12)} {
						checkExact(t, name, got, 100, []int{60, 20, 12}[i])
						checkClean(t, name+" "+tabNames[tab], got)
					}
					m.Do(keymap.View)
					for range 8 {
						m.Do(keymap.Down)
						m.Do(keymap.Open)
					}
				}
			}
		}
	}
}

// checkClean allows styles and nothing else that a terminal would act on.
func checkClean(t *testing.T, what, got string) {
	t.Helper()
	plain := got
	for {
		i := strings.Index(plain, "\x1b[")
		if i < 0 {
			break
		}
		end := strings.IndexFunc(plain[i+2:], func(r rune) bool { return r != ';' && (r < '0' || r > '9') })
		if end < 0 || plain[i+2+end] != 'm' {
			t.Fatalf("%s has an escape sequence that is no style: %q", what, plain[i:min(i+20, len(plain))])
		}
		plain = plain[:i] + plain[i+3+end:]
	}
	for _, r := range plain {
		if r != '\n' && (unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("%s has %U", what, r)
		}
	}
}
