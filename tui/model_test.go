package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/tuitest"
)

func (f *fake) ids() string {
	var s []string
	for _, r := range f.resolved {
		s = append(s, fmt.Sprint(r.id))
	}
	return strings.Join(s, " ")
}

func TestReleasing(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(d *tuitest.Driver, m *Model)
		want string // resolved, in order
	}{
		{"releases the first stop, which is selected by itself", func(d *tuitest.Driver, m *Model) { d.Press("c") }, "101"},
		{"goes on to the oldest that is left", func(d *tuitest.Driver, m *Model) { d.Press("c", "c") }, "101 102"},
		{"takes the next one when told", func(d *tuitest.Driver, m *Model) { d.Press("]", "c") }, "102"},
		{"comes round", func(d *tuitest.Driver, m *Model) { d.Press("]", "]", "c") }, "101"},
		{"releases all", func(d *tuitest.Driver, m *Model) { d.Press("A") }, "101 102"},
		{"has other keys for it", func(d *tuitest.Driver, m *Model) { d.Press("f5", "a") }, "101 102"},
		{"acts on what is below a connection", func(d *tuitest.Driver, m *Model) { d.Press("]", "h", "c") }, "102"},
		{"does nothing on a row that is not paused", func(d *tuitest.Driver, m *Model) { d.Press("k", "c") }, ""},
		{"acts once while a key is held down", func(d *tuitest.Driver, m *Model) {
			for range 30 {
				d.Send(tuitest.Key("c"))
				d.Advance(33 * time.Millisecond)
			}
		}, "101"},
		{"takes a second press for what it is", func(d *tuitest.Driver, m *Model) { d.Press("c", "c") }, "101 102"},
		{"ignores what is pasted", func(d *tuitest.Driver, m *Model) { d.Paste("cA"); d.Advance(time.Second) }, ""},
		{"ignores what a machine types at once", func(d *tuitest.Driver, m *Model) {
			d.Burst("cccA")
			d.Send(tuitest.Key("enter"))
			d.Advance(time.Second)
		}, ""},
		{"ignores what a machine types quickly", func(d *tuitest.Driver, m *Model) {
			for _, k := range []string{"A", "c", "c", "c", "A", "c"} {
				d.Send(tuitest.Key(k))
				d.Advance(5 * time.Millisecond)
			}
			d.Advance(time.Second)
		}, ""},
		{"believes keys again after a paste", func(d *tuitest.Driver, m *Model) { d.Paste("cA"); d.Advance(time.Second); d.Press("c") }, "101"},
		{"does nothing in a prompt", func(d *tuitest.Driver, m *Model) { d.Press("f"); d.Type("cAsnt"); d.Press("esc") }, ""},
		{"does nothing in the help", func(d *tuitest.Driver, m *Model) { d.Press("?"); d.Type("cA"); d.Press("esc") }, ""},
		{"runs as a command", func(d *tuitest.Driver, m *Model) { d.Press(":"); d.Type("continue"); d.Press("enter") }, "101"},
		{"runs from the palette", func(d *tuitest.Driver, m *Model) { d.Press("ctrl+p"); d.Type("let all"); d.Press("enter") }, "101 102"},
		{"works in a window too small", func(d *tuitest.Driver, m *Model) { d.Resize(40, 10); d.Press("c", "A") }, "101 102"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := shop()
			d, m := start(t, f, 120, 36, plain)
			tt.do(d, m)
			if got := f.ids(); got != tt.want {
				t.Errorf("released %q, want %q\n%s", got, tt.want, d.Text())
			}
			for _, r := range f.resolved {
				if r.v.Touches() {
					t.Errorf("%d was changed: %+v", r.id, r.v)
				}
			}
		})
	}
}

func TestSteps(t *testing.T) {
	for key, want := range map[string]intercept.StepMode{"s": intercept.StepEvent, "n": intercept.StepNext, "t": intercept.StepCommit, "c": intercept.Continue} {
		f := shop()
		d, m := start(t, f, 120, 36, plain)
		d.Press(key)
		if got := f.stepped[3]; got != want || f.ids() != "101" {
			t.Errorf("%s: connection 3 is told %q and %q released, want %q and 101", key, got, f.ids(), want)
		}
		if key == "c" {
			continue
		}
		// The next stop of another connection leaves the selection, that of the stepped one takes it.
		f.add(1390, 6, mysqlwire.ComQuery, "SELECT 6", 0, 0)
		f.hold(103, 6, 1390, rule.ReadQuery, 0)
		wake(d)
		if got, _ := m.events.Selected(); got.Hold == 103 {
			t.Errorf("%s: another connection stole the selection", key)
		}
		f.add(1391, 3, mysqlwire.ComQuery, "SELECT 3", 0, 0)
		f.hold(104, 3, 1391, rule.ReadQuery, 0)
		wake(d)
		if got, _ := m.events.Selected(); got.Hold != 104 {
			t.Errorf("%s: the stepped connection's next stop is not selected: %+v", key, got)
		}
	}
}

func TestNothingPaused(t *testing.T) {
	f := shop()
	f.held = nil
	d, _ := start(t, f, 120, 36, plain)
	for key, want := range map[string]string{"n": "the next match is .", "s": "p stops this connection", "t": "T switches", "c": "nothing is paused", "]": "nothing is paused", "e": "b stops at this statement"} {
		d.Press(key)
		d.Has(want)
	}
}

func TestRefusedVerdictKeepsTheEvent(t *testing.T) {
	f := shop()
	f.refuse = fmt.Errorf("no query of the plan has an answer")
	d, m := start(t, f, 120, 36, plain)
	d.Press("s")
	d.Has("no query of the plan has an answer", "2 PAUSED")
	if got := f.stepped[3]; got != intercept.Continue {
		t.Errorf("the connection still stops: %v", got)
	}
	if got, _ := m.events.Selected(); got.Hold != 101 {
		t.Errorf("the selection went to %+v", got)
	}
}

func TestReleasesActOnTheSelected(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain)
	next := intercept.Seq(2000)
	for i := range 50 {
		for c := range intercept.ConnID(4) { // more arrive and some stop
			next++
			f.add(next, 3+c, mysqlwire.ComQuery, "SELECT 1", 0, time.Millisecond)
		}
		next++
		conn := intercept.ConnID(100 + i)
		f.conn(conn)
		f.add(next, conn, mysqlwire.ComQuery, "SELECT 2", 0, 0)
		f.hold(intercept.HoldID(1000+i), conn, next, rule.ReadQuery, 0)
		want := m.held[0].ID
		if i%3 == 1 {
			d.Press("]")
		}
		wake(d)
		if got, ok := m.events.Selected(); ok {
			want = got.Hold
		}
		if want == 0 {
			d.Press("]")
			got, _ := m.events.Selected()
			want = got.Hold
		}
		d.Press("c")
		if got := f.resolved[len(f.resolved)-1].id; got != want {
			t.Fatalf("release %d acted on %d, the selected was %d", i, got, want)
		}
	}
}

func TestBreakpoints(t *testing.T) {
	f := shop()
	d, _ := start(t, f, 120, 36, plain)
	f.breaks = nil
	wake(d)
	d.Press("b")
	d.Has("breakpoint 1: at query if digest ==")
	d.Press("b")
	d.Has("does that already")
	d.Press("i")
	d.Type(`usr == "app"`)
	d.Has("unknown", "^")
	d.Press("enter")
	if len(f.breaks) != 1 {
		t.Fatal("a rule that is not understood was added")
	}
	d.Press("esc", "i")
	d.Type(`user == "app"`)
	d.Has(`user is "app"`, "matches ")
	d.Press("enter", "3")
	d.Has("3 Breakpoints: 2 on, 0 off")
	d.Press("G", "space")
	d.Has("3 Breakpoints: 1 on, 1 off")
	d.Press("I")
	if !f.off {
		t.Error("I leaves them on")
	}
	d.Has("BP all off")
	d.Press("I", "ctrl+x")
	if len(f.breaks) != 1 {
		t.Errorf("%d breakpoints are left, want 1", len(f.breaks))
	}
	d.Press("e")
	d.Has("break> ", "at query if digest")
}

func TestFilterPrompt(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain)
	d.Press("f")
	d.Type(`"orders" in tabels`)
	d.Has(`did you mean`, "tables", "^")
	d.Press("enter")
	if m.events.Filter() != nil {
		t.Fatal("a filter that is not understood was put in force")
	}
	for range "tabels" {
		d.Press("backspace")
	}
	d.Type("tab")
	d.Press("tab")
	d.Has("tables the statement names")
	d.Press("end")
	d.Has(`"orders" in tables`, "matches 2 of 13 events")
	d.Press("enter")
	d.Has("1 Events  tree  2/13", "1 paused hidden by the filter, ] shows it")
	if f.ids() != "" {
		t.Fatal("the filter released something")
	}
	d.Press("f")
	for range 20 {
		d.Press("backspace")
	}
	d.Press("enter")
	d.Has("1 Events  tree  13")
	d.Press("f")
	d.Type("/STATUS")
	d.Has(`statements that contain "STATUS"`, "matches 1 of 13")
	d.Press("esc", "f", "up")
	d.Has(`filter> "orders" in tables`)
}

func TestQuestions(t *testing.T) {
	f := shop()
	d, _ := start(t, f, 120, 36, plain)
	d.Press("ctrl+k")
	d.Has("Kill connection #3?")
	d.Advance(time.Second)
	d.Press("enter")
	if len(f.killed) != 0 {
		t.Fatal("enter killed")
	}
	d.Press("n")
	d.Lacks("Kill connection")
	d.Press("ctrl+k")
	d.Send(tuitest.Key("y")) // at 100 ms: too early
	if len(f.killed) != 0 {
		t.Fatal("the question was answered before anyone could read it")
	}
	d.Advance(300 * time.Millisecond)
	d.Press("y")
	if len(f.killed) != 1 || f.killed[0] != 3 {
		t.Errorf("killed %v, want 3", f.killed)
	}
}

func TestQuit(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		quit      bool
		released  string
		killed    int
	}{
		{"releases and quits", "r", true, "101 102", 0},
		{"closes and quits", "x", true, "", 4},
		{"stays", "esc", false, "", 0},
		{"does not take enter", "enter", false, "", 0},
		{"does not take the key that asked", "Q", false, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := shop()
			d, _ := start(t, f, 120, 36, plain)
			d.Press("Q")
			d.Has("Quit with 2 paused?")
			d.Advance(time.Second)
			d.Press(tt.key)
			if d.Quit() != tt.quit || f.ids() != tt.released || len(f.killed) != tt.killed {
				t.Errorf("quit %v, released %q, killed %v", d.Quit(), f.ids(), f.killed)
			}
		})
	}
	d, _ := start(t, &fake{}, 120, 36, plain)
	d.Press("q")
	if !d.Quit() {
		t.Error("with nothing open there is nothing to ask")
	}
}

func TestReadOnly(t *testing.T) {
	f := shop()
	d, _ := start(t, f, 120, 36, plain, func(o *Options) { o.ReadOnly = true })
	d.Has("READ-ONLY")
	for _, k := range []string{"e", "r", "o", "ctrl+k"} {
		d.Press(k)
		d.Has("--read-only: nothing may be altered")
	}
	d.Press("c")
	if f.ids() != "101" {
		t.Error("what is paused cannot go on")
	}
}

func TestResizeKeepsTheSelection(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain)
	d.Press("]")
	want, _ := m.events.Selected()
	for _, s := range [][2]int{{80, 24}, {60, 15}, {30, 8}, {200, 50}, {100, 30}, {120, 36}} {
		d.Resize(s[0], s[1])
		if got, _ := m.events.Selected(); got != want {
			t.Errorf("%v: got %+v, want %+v", s, got, want)
		}
		if s[0] >= 60 && !m.events.SelectionVisible() {
			t.Errorf("%v: the selected row is out of sight", s)
		}
	}
}

func TestEveryKeyLeavesTheScreenWhole(t *testing.T) {
	keys := keymap.Default()
	for _, c := range []keymap.Context{keymap.InList, keymap.InInspector} {
		for _, a := range keys.Actions(c) {
			for _, k := range a.Keys {
				if _, err := fmt.Sscanf(k, "f%d", new(int)); err == nil && len(k) > 1 || k == "ctrl+z" {
					continue
				}
				f := shop()
				d, _ := start(t, f, 80, 24, plain)
				if c == keymap.InInspector {
					d.Press("enter")
				}
				d.Press(k)
				for _, s := range [][2]int{{80, 24}, {60, 15}, {120, 36}, {200, 50}} {
					d.Resize(s[0], s[1])
					lines := strings.Split(d.Frame(), "\n")
					if len(lines) != s[1] {
						t.Errorf("%s %q at %v: %d lines", c, k, s, len(lines))
					}
					for _, l := range lines {
						if ansi.StringWidth(l) != s[0] {
							t.Errorf("%s %q at %v: %q", c, k, s, l)
						}
					}
				}
			}
		}
	}
}

// The help lists every action, what works and, with the reason, what does not.
func TestHelpIsComplete(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain)
	d.Press("?")
	w, _ := m.overlaySize()
	text := ansi.Strip(strings.Join(m.helpLinesFor(w), "\n"))
	for _, a := range m.keys.Actions(keymap.InList) {
		want := a.Long
		if m.off(a.ID) != "" {
			want = a.Short + ": "
		}
		if !strings.Contains(text, want[:min(len(want), 30)]) {
			t.Errorf("the help lacks %s (%q)", a.ID, want)
		}
	}
}

func TestTitleAndBell(t *testing.T) {
	f := shop()
	_, m := start(t, f, 80, 24, plain)
	if m.title != "[2 paused] mydbg" {
		t.Errorf("title %q", m.title)
	}
	f.held = nil
	m.Update(wakeMsg{})
	if m.title != "mydbg" {
		t.Errorf("title %q", m.title)
	}
}

// Nothing from the wire reaches the terminal as a command.
func TestScreenIsClean(t *testing.T) {
	evil := "\x1b]0;x\a\x1b[2J\u202e\r\n\x00\xff"
	f := shop()
	f.conns[0].User, f.conns[0].DB, f.conns[0].Server, f.conns[0].Opaque, f.conns[0].Client = evil, evil, evil, evil, evil
	f.add(1400, 3, mysqlwire.ComQuery, evil, 0, 0, func(x *intercept.Exchange) {
		x.Note, x.By = evil, evil
		x.Error = &mysqlwire.ERR{Code: 1, Message: evil}
	})
	f.notices = append(f.notices, intercept.Notice{N: 4, At: noon, Level: intercept.Error, Text: evil})
	d, _ := start(t, f, 120, 36, plain)
	for _, k := range []string{"", "2", "8", "1", "?", "esc", "G", "k", "enter", "="} {
		if k != "" {
			d.Press(k)
		}
		for _, line := range strings.Split(d.Frame(), "\n") {
			if strings.ContainsAny(line, "\x1b\a\u202e\r\x00") {
				t.Fatalf("after %q: %q", k, line)
			}
		}
	}
}

func TestInspectorFollowsTheSelection(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain)
	in := m.inspector.(*blank)
	d.Has("inspector of #1380 read_query")
	if in.s.Detail == nil || in.s.Conn.ID != 3 {
		t.Errorf("got %+v", in.s)
	}
	seen := in.seen
	for range 5 {
		f.add(intercept.Seq(3000+len(f.exchanges)), 6, mysqlwire.ComQuery, "SELECT 1", 0, time.Millisecond)
		wake(d)
	}
	if in.seen != seen {
		t.Errorf("it was told %d times about what did not change", in.seen-seen)
	}
	d.Press("k")
	d.Has("inspector of #1377")
	d.Press("enter", "j", "v")
	if fmt.Sprint(in.did) != "[down view]" {
		t.Errorf("it was told to %v", in.did)
	}
	d.Press("esc", "]", "]", "2")
	d.Has("inspector of connection #4")
}

func TestDeadlinesCountDown(t *testing.T) {
	f := shop()
	f.held[0].Deadline = noon.Add(8 * time.Second)
	d, _ := start(t, f, 120, 36, plain)
	d.Has("00:14 PAUSED")
	d.Press("v")
	if f.held[0].Deadline.IsZero() {
		t.Error("a key long before the deadline stopped it")
	}
	d.Advance(4 * time.Second)
	d.Has("-00:04 PAUSED")
	d.Press("v")
	if !f.held[0].Deadline.IsZero() {
		t.Error("a key in the last seconds did not stop it")
	}
	d.Has("its timer is stopped")
}

func TestLoginIsFollowed(t *testing.T) {
	f := &fake{}
	f.conn(9, func(i *intercept.ConnInfo) { i.Phase, i.User, i.DB = intercept.LoggingIn, "", "" })
	f.hold(1, 9, 0, rule.ReadHandshake, 0)
	d, m := start(t, f, 120, 36, plain)
	d.Has("handshake", "login event", "paused queue:  1) conn 9 read_handshake")
	d.Press("c")
	f.hold(2, 9, 0, rule.ReadAuth, 0)
	wake(d)
	if got, _ := m.events.Selected(); got.Hold != 2 || got.Below {
		t.Errorf("the next step of the login is not selected: %+v", got)
	}
}

// The real inspector in its place.
func TestInspectorIsThere(t *testing.T) {
	d, m := start(t, shop(), 120, 36, plain)
	m.setTheme(m.th)
	d.Press("[", "[")
	d.Has("#1380 read_query", "[Packet]", "COM_QUERY", "UPDATE stock")
	d.Press("enter", "l")
	d.Has("[Stages]")
	d.Press("esc")
	d.Resize(80, 24)
	d.Press("enter")
	d.Has("Hex")
}

func TestOnlyMarked(t *testing.T) {
	d, _ := start(t, shop(), 120, 36, plain)
	d.Press("g", "j", "m", "M")
	d.Has("SELECT 1", "f: marked")
	d.Lacks("ROLLBACK")
	d.Press("M")
	d.Has("ROLLBACK", "filter: off")
}

func TestDiffOpensTheStages(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	d.Press("d")
	if m.focus != inInspector {
		t.Error("the inspector does not have the focus")
	}
	d.Has("[Stages]")
}
