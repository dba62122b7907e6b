package traffic

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

var start = time.Date(2026, 2, 11, 9, 14, 0, 0, time.UTC)

func newTheme(t testing.TB) *theme.Theme {
	t.Helper()
	r := lipgloss.NewRenderer(&strings.Builder{})
	r.SetColorProfile(termenv.Ascii)
	th, err := theme.New(theme.Options{Name: "dark", Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// feeder plays a journal.
type feeder struct {
	pane    *Pane
	seq     intercept.Seq
	version uint64
	conns   map[intercept.ConnID]intercept.ConnInfo
	held    []intercept.Held
	changed []intercept.Exchange
}

func newFeeder(t testing.TB, keep int) *feeder {
	f := &feeder{pane: New(newTheme(t), keep, nil), conns: map[intercept.ConnID]intercept.ConnInfo{}}
	f.pane.SetSize(80, 24)
	return f
}

func (f *feeder) exchange(c intercept.ConnID, sql string, state intercept.State) intercept.Seq {
	f.seq++
	f.change(intercept.Exchange{Seq: f.seq, Conn: c, Command: mysqlwire.ComQuery, SQL: sql, SQLLen: len(sql), State: state, Begun: start, Ended: start})
	if _, ok := f.conns[c]; !ok {
		f.conns[c] = intercept.ConnInfo{ID: c, Client: fmt.Sprintf("10.0.0.7:%d", 50000+c), User: "app", DB: "shop", Phase: intercept.Ready}
	}
	return f.seq
}

func (f *feeder) change(x intercept.Exchange) {
	f.version++
	x.Version = f.version
	f.changed = append(f.changed, x)
}

func (f *feeder) hold(id intercept.HoldID, c intercept.ConnID, s intercept.Seq, p rule.Point) {
	f.held = append(f.held, intercept.Held{Event: &intercept.Event{ID: id, Point: p, Conn: &intercept.Conn{ID: c}, Exchange: s}, Since: start})
}

func (f *feeder) sync() {
	feed := Feed{Changed: f.changed, Held: f.held, Now: start.Add(14 * time.Second)}
	for id := intercept.ConnID(1); id < 100; id++ {
		if i, ok := f.conns[id]; ok {
			feed.Conns = append(feed.Conns, i)
		}
	}
	f.pane.Sync(feed)
	f.changed = nil
}

func (f *feeder) text() string { return ansi.Strip(f.pane.View(true, nil)) }

func compile(t testing.TB, src string) *rule.Expr {
	t.Helper()
	x, err := rule.Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// check asserts that rows, identities and places agree.
func check(t *testing.T, p *Pane) {
	t.Helper()
	seen := map[uint64]bool{}
	for i := range p.Len() {
		id := p.ID(i)
		if got := p.Index(id); got != i {
			t.Fatalf("row %d of %d has id %d:%d, whose place is %d", i, p.Len(), id>>kindBits, id&kindMask, got)
		}
		if seen[id] {
			t.Fatalf("id %d:%d is there twice", id>>kindBits, id&kindMask)
		}
		seen[id] = true
		if line := p.Row(i, 70, false); strings.Contains(line, "\n") {
			t.Fatalf("row %d has several lines: %q", i, line)
		}
	}
}

func TestRowsAgreeWhateverHappens(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := newFeeder(t, 200)
		for step := range 120 {
			for range r.IntN(8) {
				s := f.exchange(intercept.ConnID(1+r.IntN(6)), fmt.Sprintf("SELECT %d FROM t%d", step, r.IntN(3)), intercept.State(r.IntN(3)*2))
				if r.IntN(5) == 0 {
					f.held = nil
					f.hold(intercept.HoldID(step+1), intercept.ConnID(1+r.IntN(6)), s, []rule.Point{rule.ReadQuery, rule.ReadQueryResult}[r.IntN(2)])
				}
			}
			if r.IntN(6) == 0 {
				f.held = nil
				f.hold(intercept.HoldID(step+1), intercept.ConnID(1+r.IntN(6)), 0, rule.ReadAuth)
			}
			if r.IntN(4) == 0 {
				f.held = nil
			}
			if c := intercept.ConnID(1 + r.IntN(6)); r.IntN(10) == 0 && f.conns[c].ID != 0 {
				i := f.conns[c]
				i.Phase, i.Closed = intercept.Closed, start
				f.conns[c] = i
			}
			f.sync()
			check(t, f.pane)
			selected, _, ok := f.pane.list.Selected()
			switch r.IntN(12) {
			case 0:
				f.pane.SetFilter(compile(t, `"t1" in tables`))
				f.pane.Work(time.Second)
			case 1:
				f.pane.SetFilter(nil)
			case 2:
				f.pane.Do(keymap.Tree)
			case 3:
				f.pane.Do(keymap.Toggle)
			case 4:
				f.pane.Do(keymap.Up)
			case 5:
				f.pane.Do(keymap.Follow)
			case 6:
				f.pane.Clear()
			case 7:
				if len(f.held) > 0 {
					f.pane.SelectHeld(f.held[0].ID)
				}
			case 8:
				f.pane.SelectExchange(f.seq - intercept.Seq(r.IntN(150)))
			default:
				f.pane.Work(time.Second)
				if now, _, _ := f.pane.list.Selected(); ok && f.pane.filter == nil && now != selected && f.pane.Index(selected) >= 0 {
					t.Fatalf("the selection moved from %d to %d by itself", selected, now)
				}
			}
			check(t, f.pane)
		}
	}
}

func TestArrivalsLeaveTheSelection(t *testing.T) {
	f := newFeeder(t, 5000)
	for range 30 {
		f.exchange(1, "SELECT 1", intercept.Done)
		f.exchange(2, "SELECT 2", intercept.Done)
	}
	f.sync()
	if !f.pane.SelectExchange(41) {
		t.Fatal("cannot select #41")
	}
	for range 50 {
		for range 15 {
			f.exchange(1, "SELECT 1", intercept.Done)
			f.exchange(3, "SELECT 3", intercept.Done)
		}
		f.sync()
		if got, ok := f.pane.Selected(); !ok || got.Exchange != 41 {
			t.Fatalf("the selection went to %+v", got)
		}
		if !f.pane.SelectionVisible() {
			t.Fatal("the selected row went out of sight")
		}
	}
}

func TestFollowingFoldsWhatIsOld(t *testing.T) {
	f := newFeeder(t, 1000)
	for range 100 {
		f.exchange(1, "SELECT 1", intercept.Done)
	}
	for range 3 {
		f.exchange(2, "SELECT 2", intercept.Done)
	}
	f.sync()
	if text := f.text(); !strings.Contains(text, "earlier, space shows them") || !strings.Contains(text, "#1 app@") || !strings.Contains(text, "#2 app@") {
		t.Errorf("both connections should be in sight:\n%s", text)
	}
	f.pane.list.Select(1<<kindBits | rowEarlier)
	f.pane.Do(keymap.Toggle)
	if got := f.pane.Len(); got != 100+3+2 {
		t.Errorf("unfolded: got %d rows, want 105", got)
	}
}

func TestHeld(t *testing.T) {
	f := newFeeder(t, 100)
	f.exchange(1, "BEGIN", intercept.Done)
	q := f.exchange(1, "UPDATE stock SET qty = 1", intercept.Paused)
	f.hold(7, 1, q, rule.ReadQuery)
	r := f.exchange(2, "SELECT 1", intercept.Paused)
	f.hold(8, 2, r, rule.ReadQueryResult)
	f.conns[3] = intercept.ConnInfo{ID: 3, Client: "10.0.0.9:1", Phase: intercept.LoggingIn}
	f.hold(9, 3, 0, rule.ReadAuth)
	f.sync()
	check(t, f.pane)
	for _, tt := range []struct {
		name string
		pick func()
		want Target
	}{
		{"a query is its exchange's row", func() { f.pane.SelectHeld(7) }, Target{Conn: 1, Exchange: q, Hold: 7}},
		{"a result has a row", func() { f.pane.SelectHeld(8) }, Target{Conn: 2, Exchange: r, Hold: 8}},
		{"a login event has a row", func() { f.pane.SelectHeld(9) }, Target{Conn: 3, Hold: 9}},
		{"an exchange stands for its result", func() { f.pane.SelectExchange(r) }, Target{Conn: 2, Exchange: r, Hold: 8, Below: true}},
		{"a connection stands for what is below", func() { f.pane.list.Select(1<<kindBits | rowConn) }, Target{Conn: 1, Hold: 7, Below: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.pick()
			if got, ok := f.pane.Selected(); !ok || got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	f.pane.Do(keymap.Tree)
	check(t, f.pane)
	if !f.pane.SelectHeld(8) {
		t.Error("flat: the held result cannot be selected")
	}
	if got, _ := f.pane.Selected(); got.Hold != 8 || got.Exchange != r {
		t.Errorf("flat: got %+v", got)
	}
}

func TestFilter(t *testing.T) {
	f := newFeeder(t, 1000)
	for i := range 300 {
		f.exchange(intercept.ConnID(1+i%3), fmt.Sprintf("SELECT %d FROM t%d", i, i%3), intercept.Done)
	}
	h := f.exchange(1, "UPDATE other SET a = 1", intercept.Paused)
	f.hold(1, 1, h, rule.ReadQuery)
	f.sync()
	f.pane.Probe(compile(t, `"t1" in tables`))
	for f.pane.Busy() {
		f.pane.Work(time.Millisecond)
	}
	if n, done := f.pane.Probed(); n != 100 || !done {
		t.Errorf("probed: got %d %v, want 100", n, done)
	}
	if shown, _ := f.pane.Counts(); shown != 301 {
		t.Errorf("a probe hides nothing: %d shown", shown)
	}
	f.pane.SetFilter(compile(t, `"t1" in tables`))
	if shown, kept := f.pane.Counts(); shown != 100 || kept != 301 {
		t.Errorf("got %d of %d, want 100 of 301", shown, kept)
	}
	check(t, f.pane)
	if got := f.pane.HiddenHeld(); got != 1 {
		t.Errorf("hidden and paused: got %d, want 1", got)
	}
	if !f.pane.SelectHeld(1) {
		t.Error("a paused event that is hidden cannot be shown")
	}
	if got, _ := f.pane.Selected(); got.Exchange != h {
		t.Errorf("got %+v, want #%d", got, h)
	}
	check(t, f.pane)
	f.exchange(2, "SELECT 1 FROM t1", intercept.Done)
	f.exchange(2, "SELECT 1 FROM t2", intercept.Done)
	f.sync()
	f.pane.Work(time.Second)
	if shown, _ := f.pane.Counts(); shown != 102 {
		t.Errorf("after two more: %d shown, want 102", shown)
	}
	f.pane.SetFilter(nil)
	if shown, _ := f.pane.Counts(); shown != 303 {
		t.Errorf("without a filter: %d shown, want 303", shown)
	}
}

func TestRingForgets(t *testing.T) {
	f := newFeeder(t, 50)
	for range 500 {
		f.exchange(1, "SELECT 1", intercept.Done)
	}
	f.sync()
	check(t, f.pane)
	if _, kept := f.pane.Counts(); kept != 50 {
		t.Errorf("got %d kept, want 50", kept)
	}
	if _, ok := f.pane.Exchange(450); ok {
		t.Error("#450 is still there")
	}
	if _, ok := f.pane.Exchange(451); !ok {
		t.Error("#451 is gone")
	}
}

func TestRowsAreClean(t *testing.T) {
	f := newFeeder(t, 50)
	for _, evil := range []string{"SELECT '\x1b[31m'", "SELECT '\u202eabc\u0007'", "UPDATE \xff\xfe SET a='漢字漢字漢字漢字漢字漢字'", "\r\n\t\x00", ""} {
		s := f.exchange(1, evil, intercept.Done)
		x := f.changed[len(f.changed)-1]
		x.Note = evil
		x.Error = &mysqlwire.ERR{Code: 1064, Message: evil}
		f.change(x)
		_ = s
	}
	f.conns[1] = intercept.ConnInfo{ID: 1, Client: "\x1b]0;x\a", User: "\x1b[2J", DB: "\u202e", Phase: intercept.Ready, Opaque: "\x1b[1m"}
	f.sync()
	for _, w := range []int{30, 60, 80, 120} {
		f.pane.SetSize(w, 12)
		for _, line := range strings.Split(f.pane.View(true, nil), "\n") {
			if strings.ContainsAny(line, "\x1b\a\u202e\r\x00") || ansi.StringWidth(line) != w {
				t.Errorf("width %d: %q", w, line)
			}
		}
	}
}

// A frame at 20,000 exchanges a second is 667 that begin and end.
func BenchmarkFlood(b *testing.B) {
	for _, bm := range []struct{ name, filter string }{{"tree", ""}, {"filter", `verb == "SELECT" and "orders" in tables`}} {
		b.Run(bm.name, func(b *testing.B) {
			f := newFeeder(b, Keep)
			f.pane.SetSize(120, 40)
			fill := func(n int) {
				for range n {
					f.exchange(intercept.ConnID(1+f.seq%20), fmt.Sprintf("SELECT o.* FROM orders o WHERE o.id = %d", f.seq%500), intercept.Done)
				}
				f.sync()
			}
			fill(Keep)
			if bm.filter != "" {
				f.pane.SetFilter(compile(b, bm.filter))
				f.pane.Work(time.Minute)
			}
			for b.Loop() {
				fill(667)
				f.pane.Work(6 * time.Millisecond)
				_ = f.pane.View(true, nil)
			}
		})
	}
}

// A row that is kept as drawn is drawn anew whenever it would look different.
func TestKeptRowsAreTrue(t *testing.T) {
	f := newFeeder(t, 20_000)
	for range 12 {
		f.exchange(1, "SELECT a FROM orders", intercept.Done)
	}
	f.sync()
	for _, change := range []func(){
		func() {},
		func() { f.pane.Do(keymap.Tree) },
		func() { f.pane.Do(keymap.Tree) },
		func() { f.pane.SetSize(100, 20) },
		func() { f.pane.Search("orders", 1) },
		func() { f.pane.SetTheme(asciiTheme(t)) },
		func() { f.seq = 123_456; f.exchange(1, "SELECT 1", intercept.Done); f.sync() },
		func() {
			f.change(intercept.Exchange{Seq: 3, Conn: 1, Command: mysqlwire.ComQuery, SQL: "SELECT a FROM orders", State: intercept.Done, Marks: intercept.MarkMarked})
			f.sync()
		},
	} {
		change()
		kept := f.text()
		f.pane.look++
		if fresh := f.text(); kept != fresh {
			t.Fatalf("kept\n%s\nfresh\n%s", kept, fresh)
		}
	}
}

func asciiTheme(t *testing.T) *theme.Theme {
	t.Helper()
	r := lipgloss.NewRenderer(&strings.Builder{})
	r.SetColorProfile(termenv.Ascii)
	th, err := theme.New(theme.Options{Name: "mono", ASCII: true, Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	return th
}
