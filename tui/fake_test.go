package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/detail"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
	"mydbg/tui/tuitest"
)

// fake is an engine that does what a test says, at times that a test knows.
type fake struct {
	exchanges []intercept.Exchange
	version   uint64
	conns     []intercept.ConnInfo
	held      []intercept.Held
	notices   []intercept.Notice
	details   map[intercept.Seq]intercept.Detail
	acted     []intercept.Acted
	backends  []intercept.BackendInfo
	breaks    []intercept.Breakpoint
	off       bool
	pauseAll  bool

	resolved []resolved // in order
	refuse   error      // what Resolve says
	stepped  map[intercept.ConnID]intercept.StepMode
	killed   []intercept.ConnID
	cleared  bool
	gone     uint64
}

type resolved struct {
	id intercept.HoldID
	v  intercept.Verdict
}

func (f *fake) Listen() <-chan struct{} { return nil }
func (f *fake) Since(v uint64, dst []intercept.Exchange) ([]intercept.Exchange, uint64) {
	for _, x := range f.exchanges {
		if x.Version > v {
			dst = append(dst, x)
		}
	}
	return dst, f.version
}

func (f *fake) Acted(c intercept.ConnID, s intercept.Seq) (list []intercept.Acted) {
	for _, a := range f.acted {
		if a.Conn == c && a.Exchange == s {
			list = append(list, a)
		}
	}
	return list
}
func (f *fake) Backends() []intercept.BackendInfo { return f.backends }
func (f *fake) Gone() uint64                      { return f.gone }
func (f *fake) Detail(s intercept.Seq) (intercept.Detail, bool) {
	if d, ok := f.details[s]; ok {
		return d, true
	}
	for _, x := range f.exchanges {
		if x.Seq == s {
			cx := &mysqlwire.Context{Caps: mysqlwire.Protocol41}
			d := intercept.Detail{Exchange: x, Context: cx}
			if !x.Login() {
				d.Received = mysqlwire.Packet{Kind: mysqlwire.KindQuery, Payload: append([]byte{3}, x.SQL...)}
			}
			return d, true
		}
	}
	return intercept.Detail{}, false
}

func (f *fake) Mark(s intercept.Seq, on bool) {
	f.edit(s, func(x *intercept.Exchange) {
		x.Marks &^= intercept.MarkMarked
		if on {
			x.Marks |= intercept.MarkMarked
		}
	})
}
func (f *fake) Clear() { f.cleared = true }
func (f *fake) Notices(n uint64, dst []intercept.Notice) []intercept.Notice {
	return append(dst, f.notices[min(n, uint64(len(f.notices))):]...)
}
func (f *fake) Conns() []intercept.ConnInfo { return append([]intercept.ConnInfo(nil), f.conns...) }

func (f *fake) Conn(id intercept.ConnID) *intercept.Conn { return &intercept.Conn{ID: id} }

func (f *fake) Pending() []intercept.Held { return append([]intercept.Held(nil), f.held...) }
func (f *fake) Resolve(id intercept.HoldID, v intercept.Verdict) error {
	if f.refuse != nil {
		return f.refuse
	}
	for i := range f.held {
		if f.held[i].ID == id {
			if !f.held[i].Left.IsZero() && !v.Unawaited && v.Action != intercept.Close {
				return intercept.ErrUnawaited
			}
			s := f.held[i].Exchange
			f.held = append(f.held[:i:i], f.held[i+1:]...)
			f.resolved = append(f.resolved, resolved{id, v})
			f.edit(s, func(x *intercept.Exchange) { x.State = intercept.Done })
			return nil
		}
	}
	return intercept.ErrNotHeld
}

func (f *fake) Keep(id intercept.HoldID) {
	for i := range f.held {
		if f.held[i].ID == id {
			f.held[i].Deadline = time.Time{}
		}
	}
}

func (f *fake) ReleaseAll() {
	for len(f.held) > 0 {
		_ = f.Resolve(f.held[0].ID, intercept.Verdict{})
	}
}

func (f *fake) Step(c intercept.ConnID, m intercept.StepMode) {
	if f.stepped == nil {
		f.stepped = map[intercept.ConnID]intercept.StepMode{}
	}
	f.stepped[c] = m
	for i := range f.conns {
		if f.conns[i].ID == c {
			f.conns[i].Step = m
		}
	}
}
func (f *fake) PauseAll(on bool)        { f.pauseAll = on }
func (f *fake) PausingAll() bool        { return f.pauseAll }
func (f *fake) Kill(c intercept.ConnID) { f.killed = append(f.killed, c) }
func (f *fake) Breaks() ([]intercept.Breakpoint, bool) {
	return append([]intercept.Breakpoint(nil), f.breaks...), f.off
}

func (f *fake) AddBreak(line string) (int, error) {
	r, err := rule.ParseRule(line)
	if err != nil {
		return 0, err
	}
	id := len(f.breaks) + 1
	f.breaks = append(f.breaks, intercept.Breakpoint{ID: id, Rule: r, Enabled: !r.Off})
	return id, nil
}

func (f *fake) ReplaceBreak(id int, line string) error {
	r, err := rule.ParseRule(line)
	if err == nil {
		f.breaks[id-1].Rule = r
	}
	return err
}

func (f *fake) EnableBreak(id int, on bool) error {
	f.breaks[id-1].Enabled = on
	return nil
}

func (f *fake) DeleteBreak(id int) error {
	f.breaks = append(f.breaks[:id-1:id-1], f.breaks[id:]...)
	return nil
}
func (f *fake) BreaksOff(off bool) { f.off = off }

func (f *fake) edit(s intercept.Seq, change func(*intercept.Exchange)) {
	for i := range f.exchanges {
		if f.exchanges[i].Seq == s {
			f.version++
			f.exchanges[i].Version = f.version
			change(&f.exchanges[i])
		}
	}
}

var noon = time.Date(2026, 2, 11, 9, 14, 17, 0, time.UTC)

// add lists an exchange that began so long before noon and took so long.
func (f *fake) add(s intercept.Seq, c intercept.ConnID, cmd mysqlwire.Command, sql string, before, took time.Duration, change ...func(*intercept.Exchange)) {
	f.version++
	x := intercept.Exchange{
		Seq: s, Conn: c, Version: f.version, Command: cmd, SQL: sql, SQLLen: len(sql), State: intercept.Done,
		Begun: noon.Add(-before), Sent: noon.Add(-before), Ended: noon.Add(-before + took),
	}
	for _, ch := range change {
		ch(&x)
	}
	f.exchanges = append(f.exchanges, x)
}

func (f *fake) conn(c intercept.ConnID, change ...func(*intercept.ConnInfo)) {
	i := intercept.ConnInfo{
		ID: c, Opened: noon.Add(-4 * time.Minute), Client: fmt.Sprintf("10.0.0.7:%d", 51800+10*c), Listen: "127.0.0.1:4040",
		Backend: "127.0.0.1:3306", BackendIndex: 1, Phase: intercept.Ready, User: "app", DB: "shop", Server: "8.4.2",
		ClientTLS: "TLS 1.3", AuthPlugin: "caching_sha2_password", Commands: 1377, Statements: 14,
	}
	for _, ch := range change {
		ch(&i)
	}
	f.conns = append(f.conns, i)
}

// hold parks an event of an exchange that is listed, or of the login.
func (f *fake) hold(id intercept.HoldID, c intercept.ConnID, s intercept.Seq, p rule.Point, before time.Duration, change ...func(*intercept.Event)) {
	ev := &intercept.Event{ID: id, Point: p, Conn: &intercept.Conn{ID: c}, Exchange: s, At: noon.Add(-before), Kind: mysqlwire.KindQuery, Context: &mysqlwire.Context{Caps: mysqlwire.Protocol41}}
	f.edit(s, func(x *intercept.Exchange) {
		x.State, x.HeldAt, x.Hold, x.Ended = intercept.Paused, p, id, time.Time{}
		x.Marks |= intercept.MarkPaused
		ev.SQL = x.SQL
		if p == rule.ReadQuery {
			ev.Packet = append([]byte{byte(mysqlwire.ComQuery)}, x.SQL...)
			ev.PacketLen = len(ev.Packet)
		}
	})
	for _, ch := range change {
		ch(ev)
	}
	f.held = append(f.held, intercept.Held{Event: ev, Since: noon.Add(-before), Reason: intercept.Verdict{Action: intercept.Hold, By: `breakpoint 2 "stock"`, Why: `stock if "stock" in tables`}})
}

func rows(n uint64) func(*intercept.Exchange) {
	return func(x *intercept.Exchange) { x.Rows, x.Cols, x.Results = n, 3, 1 }
}

func affected(n uint64) func(*intercept.Exchange) {
	return func(x *intercept.Exchange) { x.Affected, x.Results = n, 1 }
}

func marks(m intercept.Mark) func(*intercept.Exchange) {
	return func(x *intercept.Exchange) { x.Marks |= m }
}

// inTx says whether the exchange began in a transaction, and whether one was open after it.
func inTx(before, after bool) func(*intercept.Exchange) {
	return func(x *intercept.Exchange) {
		x.InTx = before
		if after {
			x.Status = mysqlwire.StatusInTrans
		}
	}
}

// shop is the state of the mock-ups: two events paused.
func shop() *fake {
	f := &fake{details: map[intercept.Seq]intercept.Detail{}}
	f.conn(3, func(i *intercept.ConnInfo) { i.TxSince, i.TxCommands = noon.Add(-21*time.Second), 3 })
	f.conn(4)
	f.conn(5, func(i *intercept.ConnInfo) {
		i.User, i.Client, i.ClientTLS, i.Commands = "cron", "10.0.0.9:40022", "", 1102
	})
	f.conn(6)
	f.conn(7, func(i *intercept.ConnInfo) {
		i.User, i.DB, i.Client = "report", "dw", "10.0.0.9:40100"
		i.Phase, i.Closed, i.Cause = intercept.Closed, noon.Add(-40*time.Second), "the client left"
	})
	const s = time.Second
	f.add(1371, 3, mysqlwire.ComQuery, "BEGIN", 21*s, 200*time.Microsecond, inTx(false, true))
	f.add(1372, 4, mysqlwire.ComQuery, "SELECT * FROM items WHERE order_id = 4711", 20*s, 800*time.Microsecond, rows(3))
	f.add(1373, 7, mysqlwire.ComQuery, "SELECT 1", 50*s, 100*time.Microsecond, rows(1))
	f.add(1374, 3, mysqlwire.ComStmtExecute, "SELECT qty FROM stock WHERE sku = ?", 19*s, 900*time.Microsecond, rows(1), inTx(true, true))
	f.add(1375, 4, mysqlwire.ComQuery, "SET NAMES utf8mb4", 18*s, 100*time.Microsecond)
	f.add(1376, 5, mysqlwire.ComQuery, "SELECT id, payload, created_at, attempts FROM job_queue WHERE run_at < NOW() LIMIT 10", 18*s, 350*time.Millisecond, rows(10))
	f.add(1377, 3, mysqlwire.ComStmtExecute, "UPDATE orders SET status=? WHERE id=?", 17*s, 2200*time.Microsecond, affected(1), marks(intercept.MarkEdited), inTx(true, true))
	f.add(1378, 6, mysqlwire.ComQuery, "COMMIT", 16*s, 100*time.Microsecond, marks(intercept.MarkCrafted), func(x *intercept.Exchange) {
		x.Error = &mysqlwire.ERR{Code: 1213, SQLState: "40001", Message: "Deadlock found when trying to get lock; try restarting transaction"}
		x.Note = "not sent"
	})
	f.add(1379, 6, mysqlwire.ComQuery, "ROLLBACK", 15*s, 300*time.Microsecond)
	f.add(1380, 3, mysqlwire.ComStmtExecute, "UPDATE stock SET qty=qty-? WHERE sku=? AND updated_at < ?", 14*s, 0, inTx(true, false))
	f.add(1381, 4, mysqlwire.ComQuery, "SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.total > 10", 3*s, 1310*time.Millisecond, rows(412))
	f.add(1382, 4, mysqlwire.ComQuery, "SHOW WARNINGS", 2*s, 300*time.Microsecond, rows(0), marks(intercept.MarkInjected|intercept.MarkHidden), func(x *intercept.Exchange) { x.Parent, x.Origin = 1381, intercept.FromPerson })
	f.add(1383, 6, mysqlwire.ComQuery, "SELECT nope FROM carts", s, 400*time.Microsecond, func(x *intercept.Exchange) {
		x.Error = &mysqlwire.ERR{Code: 1054, SQLState: "42S22", Message: "Unknown column 'nope' in 'field list'"}
	})
	f.hold(101, 3, 1380, rule.ReadQuery, 14*s)
	f.hold(102, 4, 1381, rule.ReadQueryResult, 2*s, func(ev *intercept.Event) {
		ev.Counts = intercept.Counts{Rows: 412, Cols: 9}
		ev.Query = intercept.Query{Packet: append([]byte{3}, "SELECT o.*, c.name FROM orders o"...), Show: true}
		ev.Answer = &mysqlwire.Answer{Command: mysqlwire.ComQuery, Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindTextRow, Payload: make([]byte, 62_000)}}, Partial: true}
	})
	for _, line := range []string{
		`at query if verb in ["DROP", "TRUNCATE"]`, `stock if "stock" in tables`, `dl hit <= 2 do err 1213 if verb == "COMMIT"`, `big off do log if rows > 10000`,
	} {
		if _, err := f.AddBreak(line); err != nil {
			panic(err)
		}
	}
	f.breaks[1].Hits, f.breaks[1].Fired, f.breaks[2].Hits, f.breaks[2].Fired = 14, 14, 9, 2
	f.notices = []intercept.Notice{
		{N: 1, At: noon.Add(-4 * time.Minute), Text: "connection 3 opened from 10.0.0.7:51812", Conn: 3},
		{N: 2, At: noon.Add(-14 * s), Conn: 3, Exchange: 1380, Text: `#1380 stopped at read_query by breakpoint 2 "stock"`},
		{N: 3, At: noon.Add(-2 * s), Conn: 4, Exchange: 1381, Text: `#1381 stopped at read_query_result by breakpoint 2 "stock"`},
	}
	return f
}

func renderer(p termenv.Profile) *lipgloss.Renderer {
	r := lipgloss.NewRenderer(&strings.Builder{})
	r.SetColorProfile(p)
	return r
}

// look is a theme for golden files: plain text unless it says otherwise.
type look struct {
	name    string
	noColor bool
	ascii   bool
	profile termenv.Profile
}

var plain = look{name: "dark", profile: termenv.Ascii}

// start shows a fake on a screen.
func start(t testing.TB, f *fake, w, h int, l look, change ...func(*Options)) (*tuitest.Driver, *Model) {
	t.Helper()
	d := tuitest.New(t, noon)
	o := Options{
		Listen: []string{"127.0.0.1:4040"}, Backend: "127.0.0.1:3306", Now: d.Now, After: d.After,
		Theme:  theme.Options{Name: l.name, NoColor: l.noColor, ASCII: l.ascii, Renderer: renderer(l.profile)},
		Getenv: func(string) string { return "" },
	}
	for _, ch := range change {
		ch(&o)
	}
	m, err := newModel(o, f)
	if err != nil {
		t.Fatal(err)
	}
	if _, bench := t.(*testing.B); !bench {
		m.inspector = &blank{th: m.th}
	}
	d.Start(m, w, h)
	return d, m
}

// blank stands for the inspector, whose own tests say how that looks.
type blank struct {
	th   *theme.Theme
	s    detail.Subject
	did  []keymap.ID
	seen int
}

func (b *blank) Show(s detail.Subject) { b.s, b.seen = s, b.seen+1 }
func (b *blank) Do(a keymap.ID) (tea.Cmd, bool) {
	b.did = append(b.did, a)
	return nil, true
}

func (b *blank) what() string {
	switch {
	case b.s.Held != nil:
		return name(b.s.Held)
	case b.s.Detail != nil:
		return fmt.Sprintf("#%d", b.s.Detail.Seq)
	case b.s.Conn.ID != 0:
		return fmt.Sprintf("connection #%d", b.s.Conn.ID)
	}
	return "nothing"
}

func (b *blank) View(w, h int, focused bool) string {
	return b.th.Box("inspector of "+b.what(), "", "", w, h, focused)
}

func (b *blank) HexView(w, h int, focused bool) string {
	return b.th.Box("bytes of "+b.what(), "", "", w, h, focused)
}

func (b *blank) Preview(w, h int) string {
	return b.th.Box("preview of "+b.what(), "enter: inspect", "", w, h, false)
}
func (b *blank) Copy() (text, what string) { return "SELECT 1", "statement" }

// wake tells the screen that something changed.
func wake(d *tuitest.Driver) {
	d.Send(wakeMsg{})
	d.Advance(frame)
}
