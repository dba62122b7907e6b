package detail

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/theme"
)

func newTheme(t testing.TB, p termenv.Profile, name string) *theme.Theme {
	t.Helper()
	r := lipgloss.NewRenderer(os.Stdout)
	r.SetColorProfile(p)
	th, err := theme.New(theme.Options{Name: name, Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// at is when everything in these tests happens.
var at = time.Date(2026, 2, 11, 9, 14, 17, 0, time.UTC)

// newModel is an inspector whose clock stands still, 14 seconds after at.
func newModel(t testing.TB, s Subject) *Model {
	m := New(newTheme(t, termenv.Ascii, "dark"))
	m.now = func() time.Time { return at.Add(14 * time.Second) }
	m.Show(s)
	return m
}

const stockSQL = "UPDATE stock SET qty = qty - ? WHERE sku = ? AND updated_at < ? /* controller='Order', route='/checkout' */"

func executeContext() *mysqlwire.Context {
	return &mysqlwire.Context{
		Caps: mysqlwire.Protocol41 | mysqlwire.DeprecateEOF, Command: mysqlwire.ComStmtExecute, ParamsKnown: true,
		Params: []mysqlwire.Param{{Type: value.Long, Unsigned: true}, {Type: value.VarString}, {Type: value.DateTime}},
	}
}

func encode(t testing.TB, m mysqlwire.Message, cx *mysqlwire.Context) []byte {
	t.Helper()
	b, err := m.Encode(nil, cx)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func param(t testing.TB, ty value.Type, unsigned bool, v value.Value) mysqlwire.ExecParam {
	t.Helper()
	p, err := mysqlwire.NewExecParam("", ty, unsigned, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func execute(t testing.TB, qty uint64, sku string) []byte {
	return encode(t, &mysqlwire.StmtExecute{
		StmtID: 12, Iterations: 1, NewParamsBound: true,
		Params: []mysqlwire.ExecParam{
			param(t, value.Long, true, qty), param(t, value.VarString, false, []byte(sku)),
			param(t, value.DateTime, false, value.Moment{Year: 2026, Month: 2, Day: 11, Hour: 9, Minute: 14, Second: 3}),
		},
	}, executeContext())
}

func connInfo() intercept.ConnInfo {
	return intercept.ConnInfo{
		ID: 3, Opened: at.Add(-4 * time.Minute), Client: "10.0.0.7:51812", Listen: "127.0.0.1:4040", Backend: "127.0.0.1:3306",
		BackendIndex: 1, Phase: intercept.Ready, User: "app", DB: "shop", AuthPlugin: "caching_sha2_password",
		Login:  []string{"the server offers caching_sha2_password", "the client proves its password", "the server knows the proof: fast path"},
		Attrs:  []mysqlwire.Attr{{Name: "_client_name", Value: "libmysql"}, {Name: "program_name", Value: "shop"}},
		Server: "8.4.2", Thread: 7741, Caps: mysqlwire.Protocol41 | mysqlwire.DeprecateEOF | mysqlwire.SessionTrack,
		ClientTLS: "TLS 1.3", Statements: 14, Commands: 1377, Status: mysqlwire.StatusInTrans | mysqlwire.StatusAutocommit,
		TxSince: at.Add(-7 * time.Second), TxCommands: 3, Step: intercept.StepNext,
	}
}

// heldExecute is the paused execute of the design's pictures.
func heldExecute(t testing.TB) Subject {
	p := execute(t, 2, "SKU-77")
	ev := &intercept.Event{
		ID: 9, Point: rule.ReadQuery, Exchange: 1380, At: at, Dir: mysqlwire.ToServer, Packet: p, PacketLen: len(p),
		Kind: mysqlwire.KindStmtExecute, Context: executeContext(), SQL: stockSQL, Stmt: &mysqlwire.Stmt{ID: 12, SQL: stockSQL},
	}
	return Subject{
		Held: &intercept.Held{Event: ev, Since: at, Reason: intercept.Verdict{Action: intercept.Hold, By: `breakpoint 2 "stock"`, Why: `stock if "stock" in tables`}},
		Conn: connInfo(),
	}
}

func editedExecute(t testing.TB) Subject {
	s := heldExecute(t)
	s.Draft = &intercept.Verdict{
		Action: intercept.Forward, By: "you",
		Queries: []intercept.Query{{Packet: execute(t, 200, "X-9"), Origin: intercept.FromPerson, Show: true}},
	}
	return s
}

func answerContext(cmd mysqlwire.Command) *mysqlwire.Context {
	return &mysqlwire.Context{Caps: mysqlwire.Protocol41 | mysqlwire.DeprecateEOF | mysqlwire.SessionTrack, Command: cmd}
}

func column(name string, ty value.Type, flags mysqlwire.ColumnFlags, collation uint16, length uint32) mysqlwire.Column {
	c := mysqlwire.TextColumn(name)
	c.Table, c.OrgTable, c.Schema = "orders", "orders", "shop"
	c.Type, c.Flags, c.Collation, c.Length = ty, flags, collation, length
	return c
}

// orders is a result set with everything that looks alike, on nobody's wire yet.
func orders(n int) *mysqlwire.ResultSet {
	rs := &mysqlwire.ResultSet{Status: mysqlwire.StatusAutocommit, Columns: []mysqlwire.Column{
		column("id", value.LongLong, mysqlwire.ColumnUnsigned|mysqlwire.ColumnNotNull|mysqlwire.ColumnPriKey, mysqlwire.CollationBinary, 20),
		column("status", value.VarString, 0, 255, 80),
		column("note", value.VarString, 0, 255, 320),
		column("blob", value.Blob, mysqlwire.ColumnBlob|mysqlwire.ColumnBinary, mysqlwire.CollationBinary, 65535),
	}}
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 3000)...)
	uuid, _ := hex.DecodeString("0192f0a1b2c37d4e8f90a1b2c3d4e5f6")
	rest := [][]value.Value{
		{[]byte("paid"), []byte("thanks"), png},
		{[]byte("new"), []byte(""), uuid},
		{nil, []byte("   "), []byte(`{"a": 1}`)},
		{[]byte("漢字"), []byte("a\x1b[31mb\u202e"), nil},
	}
	for i := range n {
		r := rest[i%len(rest)]
		rs.Rows = append(rs.Rows, []value.Value{uint64(9001 + i), r[0], r[1], r[2]})
	}
	return rs
}

func answer(t testing.TB, rs *mysqlwire.ResultSet, cx *mysqlwire.Context, binary bool) *mysqlwire.Answer {
	t.Helper()
	a, err := rs.Answer(cx, binary)
	if err != nil {
		t.Fatal(err)
	}
	a.Command = cx.Command
	return a
}

func query(sql string) []byte { return append([]byte{byte(mysqlwire.ComQuery)}, sql...) }

const ordersSQL = "SELECT id, status, note, `blob` FROM orders WHERE id > 9000"

// heldResult is a paused answer of n rows.
func heldResult(t testing.TB, n int) Subject {
	cx := answerContext(mysqlwire.ComQuery)
	ev := &intercept.Event{
		ID: 10, Point: rule.ReadQueryResult, Exchange: 1381, At: at, Dir: mysqlwire.ToClient, Context: cx, SQL: ordersSQL,
		Query: intercept.Query{Packet: query(ordersSQL), Show: true}, Answer: answer(t, orders(n), cx, false),
	}
	return Subject{
		Held: &intercept.Held{Event: ev, Since: at.Add(12 * time.Second), Reason: intercept.Verdict{By: "step", Why: "step"}, Deadline: at.Add(34 * time.Second)},
		Conn: connInfo(),
	}
}

// exchange is a query that is over, as the journal has it.
func exchange(sql string, a *mysqlwire.Answer) *intercept.Detail {
	cx := answerContext(mysqlwire.ComQuery)
	a.Command = mysqlwire.ComQuery
	sum, _ := a.Summary(cx)
	d := &intercept.Detail{
		Exchange: intercept.Exchange{
			Seq: 1378, Conn: 3, Command: mysqlwire.ComQuery, SQL: sql, SQLLen: len(sql), Begun: at, Sent: at, First: at.Add(time.Millisecond),
			Ended: at.Add(1300 * time.Microsecond), State: intercept.Done,
			Counts: intercept.Counts{
				Rows: uint64(sum.Rows), Cols: uint64(sum.Cols), Affected: uint64(sum.Affected), LastInsertID: sum.LastInsertID,
				Warnings: sum.Warnings, Error: sum.Error, Status: sum.Status,
			},
		},
		Context: cx, Answer: *a, Received: mysqlwire.Packet{Kind: mysqlwire.KindQuery, Payload: query(sql)},
	}
	return d
}

// screen are the lines of a view without styles.
func screen(view string) string {
	var lines []string
	for line := range strings.SplitSeq(ansi.Strip(view), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

func checkExact(t *testing.T, what, got string, w, h int) {
	t.Helper()
	lines := strings.Split(got, "\n")
	if len(lines) != h {
		t.Fatalf("%s: %d lines, want %d", what, len(lines), h)
	}
	for i, line := range lines {
		if n := ansi.StringWidth(line); n != w {
			t.Fatalf("%s: line %d is %d wide, want %d: %q", what, i, n, w, line)
		}
	}
}

func must(t testing.TB, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf(format, args...)
	}
}
