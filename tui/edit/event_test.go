package edit

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/theme"
)

func testEnv(t testing.TB) Env {
	t.Helper()
	r := lipgloss.NewRenderer(os.Stdout)
	r.SetColorProfile(termenv.Ascii)
	th, err := theme.New(theme.Options{Name: "dark", Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	return Env{Theme: th}
}

const testCaps = mysqlwire.Protocol41 | mysqlwire.Transactions | mysqlwire.PluginAuth | mysqlwire.MultiResults | mysqlwire.PSMultiResults

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type encoder interface {
	Encode([]byte, *mysqlwire.Context) ([]byte, error)
}

// commandEvent is a held command.
func commandEvent(m mysqlwire.Message, cx *mysqlwire.Context) intercept.Held {
	packet := must(m.(encoder).Encode(nil, cx))
	ev := &intercept.Event{
		ID: 1, Point: rule.ReadQuery, Conn: &intercept.Conn{ID: 3}, Exchange: 1380, Packet: packet, PacketLen: len(packet),
		Kind: m.Kind(), Context: cx, Dir: mysqlwire.ToServer,
	}
	if q, ok := m.(*mysqlwire.Query); ok {
		ev.SQL = q.SQL
	}
	return intercept.Held{Event: ev}
}

func queryEvent(sql string) intercept.Held {
	return commandEvent(&mysqlwire.Query{SQL: sql}, &mysqlwire.Context{Caps: testCaps})
}

const updateStock = "UPDATE stock SET qty = qty - ?\n WHERE sku = ? AND updated_at < ?"

// executeEvent is the mock-up's: UPDATE stock with three parameters.
func executeEvent() intercept.Held {
	cx := &mysqlwire.Context{Caps: testCaps, Params: make([]mysqlwire.Param, 3), ParamsKnown: true}
	m := &mysqlwire.StmtExecute{StmtID: 12, Iterations: 1, NewParamsBound: true, Params: []mysqlwire.ExecParam{
		must(mysqlwire.NewExecParam("", value.Long, true, uint64(2))),
		must(mysqlwire.NewExecParam("", value.VarString, false, []byte("SKU-77"))),
		must(mysqlwire.NewExecParam("", value.DateTime, false, value.Moment{Year: 2026, Month: 2, Day: 11, Hour: 9, Minute: 14, Second: 3})),
	}}
	h := commandEvent(m, cx)
	h.SQL = updateStock
	h.Stmt = &mysqlwire.Stmt{ID: 12, SQL: updateStock, Params: cx.Params}
	return h
}

var orderColumns = []mysqlwire.Column{
	{Catalog: "def", Table: "orders", Name: "id", Type: value.LongLong, Length: 20, Flags: mysqlwire.ColumnNotNull | mysqlwire.ColumnUnsigned, Collation: 63},
	{Catalog: "def", Table: "orders", Name: "status", Type: value.String, Length: 4 * 10, Flags: mysqlwire.ColumnEnum | mysqlwire.ColumnNotNull, Collation: 45},
	{Catalog: "def", Table: "orders", Name: "total", Type: value.NewDecimal, Length: 12, Decimals: 2, Collation: 63},
	{Catalog: "def", Table: "orders", Name: "paid_at", Type: value.DateTime, Length: 19, Collation: 63},
	{Catalog: "def", Table: "orders", Name: "note", Type: value.VarString, Length: 4 * 80, Collation: 45},
	{Catalog: "def", Table: "orders", Name: "raw", Type: value.Blob, Length: 65535, Flags: mysqlwire.ColumnBinary, Collation: 63},
}

func orderRows() [][]value.Value {
	at := value.Moment{Year: 2026, Month: 2, Day: 11, Hour: 9, Minute: 13, Second: 58}
	return [][]value.Value{
		{uint64(9001), []byte("paid"), []byte("120.00"), at, []byte("thanks"), []byte{0x89, 'P', 'N', 'G', 0}},
		{uint64(9002), []byte("new"), []byte("0.00"), nil, []byte(""), nil},
		{uint64(9003), []byte("paid"), []byte("75.50"), at, []byte("a\x1b[31mb"), []byte("text")},
	}
}

// resultEvent is a held answer: orders, in text or binary.
func resultEvent(cmd mysqlwire.Command, caps mysqlwire.Caps, sets ...*mysqlwire.ResultSet) intercept.Held {
	cx := &mysqlwire.Context{Caps: caps, Command: cmd}
	if len(sets) == 0 {
		sets = append(sets, &mysqlwire.ResultSet{Columns: orderColumns, Rows: orderRows(), Status: mysqlwire.StatusAutocommit})
	}
	a := &mysqlwire.Answer{Command: cmd}
	for i, rs := range sets {
		if i < len(sets)-1 {
			rs.Status |= mysqlwire.StatusMoreResultsExists
		}
		a.Packets = append(a.Packets, must(rs.Packets(cx, cmd == mysqlwire.ComStmtExecute))...)
	}
	ev := &intercept.Event{
		ID: 2, Point: rule.ReadQueryResult, Conn: &intercept.Conn{ID: 4}, Exchange: 1381, Context: cx, Dir: mysqlwire.ToClient,
		SQL: "SELECT * FROM orders", Query: intercept.Query{Packet: []byte{byte(cmd)}, Show: true}, Answer: a,
	}
	return intercept.Held{Event: ev}
}

// answered replaces the answer of a held result.
func answered(h intercept.Held, a *mysqlwire.Answer) intercept.Held {
	a.Command = h.Answer.Command
	h.Answer = a
	return h
}

var keyTypes = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
	"delete": tea.KeyDelete, "ctrl+n": tea.KeyCtrlN, "ctrl+z": tea.KeyCtrlZ, "ctrl+y": tea.KeyCtrlY, "ctrl+u": tea.KeyCtrlU,
	"ctrl+w": tea.KeyCtrlW, "ctrl+k": tea.KeyCtrlK, "ctrl+a": tea.KeyCtrlA, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
}

// keyMsg is one key by its name.
func keyMsg(name string) tea.KeyMsg {
	if t, ok := keyTypes[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// press gives keys to an editor: words in <> are keys, the rest is typed.
func press(e interface{ Update(tea.Msg) tea.Cmd }, keys string) {
	for keys != "" {
		if name, rest, ok := strings.Cut(keys[1:], ">"); keys[0] == '<' && ok && (keyTypes[name] != 0 || name == "tab") {
			e.Update(keyMsg(name))
			keys = rest
			continue
		}
		r, n := utf8.DecodeRuneInString(keys)
		e.Update(keyMsg(string(r)))
		keys = keys[n:]
	}
}

// paste gives bracketed text.
func paste(e interface{ Update(tea.Msg) tea.Cmd }, s string) {
	e.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s), Paste: true})
}

// exact fails unless a drawing has exactly w by h cells.
func exact(t *testing.T, view string, w, h int) {
	t.Helper()
	lines := strings.Split(view, "\n")
	if len(lines) != h {
		t.Errorf("%d lines, want %d", len(lines), h)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n != w {
			t.Errorf("line %d is %d cells wide, want %d: %q", i, n, w, l)
		}
	}
}

// screens compares an editor full screen and as a drawer with what they should look like.
func screens(t *testing.T, e Editor) {
	t.Helper()
	for _, s := range []struct {
		name string
		w, h int
	}{{"80x22", 80, 22}, {"52x30", 52, 30}} {
		t.Run(s.name, func(t *testing.T) {
			view := e.View(s.w, s.h)
			exact(t, view, s.w, s.h)
			if !strings.Contains(strings.SplitN(view, "\n", 2)[0], "EDITING") {
				t.Error("the title does not say EDITING")
			}
			golden.RequireEqual(t, []byte(view))
		})
	}
	for w := 1; w < 60; w += 7 {
		for h := 1; h < 14; h += 3 {
			exact(t, e.View(w, h), w, h)
		}
	}
}

func verdictOf(t *testing.T, e Editor) intercept.Verdict {
	t.Helper()
	v, err := e.Verdict()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func decodeAs[T mysqlwire.Message](t *testing.T, q intercept.Query, cx *mysqlwire.Context) T {
	t.Helper()
	m, err := mysqlwire.Decode(commandOf(q).Kind(), q.Packet, cx)
	if err != nil {
		t.Fatal(err)
	}
	typed, ok := m.(T)
	if !ok {
		t.Fatalf("got %T", m)
	}
	return typed
}
