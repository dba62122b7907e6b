package scripts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

// fake is an engine with prepared answers.
type fake struct {
	scripts []Status
	lines   []Line
	run     func(ctx context.Context, ev *intercept.Event, code string) Result
	tried   map[intercept.Point][]Tried
	in      []int // the scripts in whose environments snippets ran
}

func (f *fake) Run(ctx context.Context, n int, ev *intercept.Event, code string) Result {
	f.in = append(f.in, n)
	return f.run(ctx, ev, code)
}

func (f *fake) Try(_ context.Context, ev *intercept.Event) ([]Tried, error) {
	return f.tried[ev.Point], nil
}
func (f *fake) Source(int) ([]byte, error)                          { return nil, nil }
func (f *fake) Save(context.Context, int, []byte) ([]string, error) { return nil, nil }
func (f *fake) Reload(context.Context, int) error                   { return nil }
func (f *fake) Scripts() []Status                                   { return f.scripts }
func (f *fake) Lines() []Line                                       { return f.lines }

func pane(t testing.TB, f *fake) *Model {
	t.Helper()
	r := lipgloss.NewRenderer(os.Stdout)
	r.SetColorProfile(termenv.Ascii)
	th, err := theme.New(theme.Options{Name: "dark", Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	if f == nil {
		return New(th, nil, nil)
	}
	m := New(th, nil, f)
	m.Pull()
	m.Focus(Prompt)
	return m
}

var keys = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "up": tea.KeyUp, "down": tea.KeyDown, "tab": tea.KeyTab, "esc": tea.KeyEsc, "ctrl+s": tea.KeyCtrlS,
	"ctrl+r": tea.KeyCtrlR, "ctrl+c": tea.KeyCtrlC, "ctrl+l": tea.KeyCtrlL, "ctrl+o": tea.KeyCtrlO, "pgup": tea.KeyPgUp, "ctrl+n": tea.KeyCtrlN, "ctrl+t": tea.KeyCtrlT, "shift+tab": tea.KeyShiftTab,
}

func press(m *Model, name string) tea.Cmd {
	if t, ok := keys[name]; ok {
		return m.Update(tea.KeyMsg{Type: t})
	}
	for _, r := range name {
		m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	return nil
}

// try types code and runs it to its end.
func tryCode(t *testing.T, m *Model, code string) {
	t.Helper()
	press(m, code)
	cmd := press(m, "enter")
	if cmd == nil {
		t.Fatalf("%q does not run: %s", code, m.note)
	}
	m.Update(cmd())
}

func held() Subject {
	ev := &intercept.Event{ID: 9, Exchange: 1381, Point: rule.ReadQueryResult, Conn: &intercept.Conn{ID: 4}}
	return Subject{Event: ev, Held: true, Name: "#1381 result"}
}

func ok(decision *intercept.Verdict, output ...string) func(context.Context, *intercept.Event, string) Result {
	return func(context.Context, *intercept.Event, string) Result {
		r := Result{Output: output, Verdict: decision}
		if decision != nil {
			r.Describe = "result becomes OK"
		}
		return r
	}
}

func TestPaneTakesWhatASnippetDecided(t *testing.T) {
	f := &fake{run: ok(&intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.OKAnswer(1, 0, 0, 0, "")})}
	m := pane(t, f)
	m.Show(held())
	if cmd := press(m, "ctrl+s"); cmd != nil || m.note == "" {
		t.Error("there was something to take before anything ran")
	}
	tryCode(t, m, "return proxy.PROXY_SEND_RESULT")
	for key, goOn := range map[string]bool{"ctrl+s": false, "ctrl+r": true} {
		cmd := press(m, key)
		if cmd == nil {
			t.Fatalf("%s gives nothing: %s", key, m.note)
		}
		take, is := cmd().(TakeMsg)
		if !is || take.Event != 9 || take.Continue != goOn || take.Verdict.Action != intercept.Reply {
			t.Errorf("%s gives %+v", key, take)
		}
	}
}

func TestPaneChangesNothingOnACopy(t *testing.T) {
	f := &fake{run: ok(&intercept.Verdict{Action: intercept.Close})}
	m := pane(t, f)
	s := held()
	s.Held = false
	m.Show(s)
	tryCode(t, m, "x")
	if cmd := press(m, "ctrl+r"); cmd != nil || !strings.Contains(m.note, "copy") {
		t.Errorf("a copy was changed; %q", m.note)
	}
}

func TestPaneSaysWhyItDoesNotRun(t *testing.T) {
	m := pane(t, &fake{run: ok(nil)})
	press(m, "x")
	if cmd := press(m, "enter"); cmd != nil || !strings.Contains(m.note, "select an event") {
		t.Errorf("without an event: %q", m.note)
	}
	m = pane(t, nil)
	m.Show(held())
	press(m, "x")
	if cmd := press(m, "enter"); cmd != nil || !strings.Contains(m.note, "--script") {
		t.Errorf("without Lua: %q", m.note)
	}
}

func TestPaneStopsASnippet(t *testing.T) {
	f := &fake{run: func(ctx context.Context, _ *intercept.Event, _ string) Result {
		<-ctx.Done()
		return Result{Err: errors.New("stopped")}
	}}
	m := pane(t, f)
	m.Show(held())
	press(m, "while true do end")
	cmd := press(m, "enter")
	done := make(chan tea.Msg, 1)
	go func() { done <- cmd() }() // ends with the snippet
	if !m.Busy() {
		t.Error("it is not busy")
	}
	press(m, "y")
	if second := press(m, "enter"); second != nil {
		t.Error("a second snippet runs beside the first")
	}
	press(m, "ctrl+c")
	m.Update(<-done)
	if m.Busy() || !strings.Contains(m.View(80, 10, true), "stopped") {
		t.Errorf("it goes on:\n%s", m.View(80, 10, true))
	}
	if cmd := press(m, "ctrl+c"); cmd == nil || cmd() != (CloseMsg{}) {
		t.Error("a second ctrl+c does not close")
	}
}

func TestPaneRemembers(t *testing.T) {
	m := pane(t, &fake{run: ok(nil)})
	m.Show(held())
	tryCode(t, m, "one")
	tryCode(t, m, "two")
	press(m, "three")
	var got []string
	for _, k := range []string{"up", "up", "up", "down", "down", "down"} {
		press(m, k)
		got = append(got, m.Code())
	}
	if s := strings.Join(got, " "); s != "two one one two three three" {
		t.Errorf("got %s", s)
	}
}

func TestPaneCompletes(t *testing.T) {
	m := pane(t, &fake{run: ok(nil)})
	for _, tt := range []struct{ typed, want string }{
		{"return proxy.PROXY_I", "return proxy.PROXY_IGNORE_RESULT"},
		{"x = proxy.response.err", "x = proxy.response.err"},
		{"proxy.resp", "proxy.response"},
		{"nothing", "nothing"},
	} {
		m.SetCode(tt.typed)
		press(m, "tab")
		if m.Code() != tt.want {
			t.Errorf("%q became %q, want %q", tt.typed, m.Code(), tt.want)
		}
	}
}

func TestPaneAsksTheRoot(t *testing.T) {
	m := pane(t, &fake{scripts: []Status{{Name: "/etc/audit.lua", OK: true}}, run: ok(nil)})
	if msg := press(m, "ctrl+l")(); msg != (ReloadMsg{0}) {
		t.Errorf("got %T", msg)
	}
	if msg := press(m, "ctrl+o")(); msg != (EditMsg{0}) {
		t.Errorf("got %+v", msg)
	}
}

func TestPaneKeepsPastedLines(t *testing.T) {
	var got string
	m := pane(t, &fake{run: func(_ context.Context, _ *intercept.Event, code string) Result {
		got = code
		return Result{}
	}})
	m.Show(held())
	m.Update(tea.KeyMsg{Type: tea.KeyRunes, Paste: true, Runes: []rune("-- comment\nprint(1)")})
	m.Update(press(m, "enter")())
	if got != "-- comment\nprint(1)" {
		t.Errorf("it ran %q", got)
	}
}

func mockUp(t *testing.T) *Model {
	at := time.Date(2026, 2, 11, 9, 14, 12, 0, time.UTC)
	rows := make([]string, 610)
	for i := range rows {
		rows[i] = fmt.Sprint(9001 + i)
	}
	f := &fake{
		scripts: []Status{
			{Name: "audit.lua", Path: "/srv/audit.lua", OK: true, Conns: 3, Hooks: []Hook{
				{Name: "read_query", Calls: 8123, Total: 90 * time.Millisecond, Worst: 1300 * time.Microsecond, Last: "sends COM_QUERY"},
				{Name: "read_query_result", Calls: 812, Total: 90 * time.Microsecond, Worst: 9 * time.Microsecond, Last: "passes"},
			}},
			{
				Name: "rw.lua", Path: "/srv/lua/rw.lua", Conns: 1, Hooks: []Hook{{Name: "read_query", Calls: 4, Errors: 2, Total: 2 * time.Second, Worst: time.Second, Last: "passes"}},
				Err: &Failure{
					At: at.Add(4 * time.Second), Text: "rw.lua:41: attempt to index field 'backends' (a nil value)", Path: "/srv/lua/rw.lua", Line: 41, Hook: "read_query", Conn: 4,
					Trace: "stack traceback:\n\trw.lua:41: in function 'choose'\n\trw.lua:60: in function <rw.lua:55>\n\t[C]: ?",
				},
			},
		},
		lines: []Line{
			{At: at, Script: "audit.lua", Source: 9, Exchange: 1377, Conn: 3, Text: "user=app tables=orders \x1b[31m"},
			{At: at.Add(4 * time.Second), Script: "rw.lua", Source: 41, Exchange: 1381, Conn: 4, Hook: "read_query", Text: "attempt to index field 'backends' (a nil value)", Level: Failed},
			{At: at.Add(5 * time.Second), Script: "audit.lua", Exchange: 1382, Conn: 4, Level: Hint, Text: "proxy.response.errno is not looked at: write proxy.response.errcode"},
			{At: at.Add(5 * time.Second), Script: "audit.lua", Conn: 4, Text: "login"},
		},
		run: ok(nil, rows...),
	}
	m := pane(t, f)
	s := held()
	s.Held, s.Name = false, "a copy of #1381"
	m.Show(s)
	tryCode(t, m, "for row in inj.resultset.rows do print(row[1]) end")
	f.run = ok(&intercept.Verdict{Action: intercept.Reply}, "one\ntwo")
	m.Show(held())
	tryCode(t, m, "proxy.response = { type = proxy.MYSQLD_PACKET_OK }")
	press(m, "retu")
	return m
}

func TestPaneLooks(t *testing.T) {
	for _, s := range []struct{ w, h int }{{80, 22}, {52, 16}, {120, 12}} {
		t.Run(fmt.Sprint(s.w), func(t *testing.T) {
			view := mockUp(t).View(s.w, s.h, true)
			lines := strings.Split(view, "\n")
			if len(lines) != s.h {
				t.Errorf("%d lines, want %d", len(lines), s.h)
			}
			for i, l := range lines {
				if n := ansi.StringWidth(l); n != s.w {
					t.Errorf("line %d is %d cells wide", i, n)
				}
			}
			golden.RequireEqual(t, []byte(view))
		})
	}
	m := mockUp(t)
	if !strings.Contains(m.View(80, 300, true), "410 more, limit 200 lines") {
		t.Error("long output is not cut short")
	}
	for range 5 {
		press(m, "pgup")
	}
	for w := 1; w < 60; w += 9 {
		for h := 1; h < 12; h += 2 {
			if n := strings.Count(m.View(w, h, false), "\n"); n != h-1 {
				t.Errorf("%d by %d has %d lines", w, h, n+1)
			}
		}
	}
}

func TestCopyIsTheResult(t *testing.T) {
	d := &intercept.Detail{
		Exchange: intercept.Exchange{Seq: 5, SQL: "SELECT 1"}, Context: &mysqlwire.Context{},
		Received: mysqlwire.Packet{Kind: mysqlwire.KindQuery, Payload: []byte("\x03SELECT 1")},
	}
	conn := &intercept.Conn{ID: 2}
	if ev := Copy(d, conn); ev.Point != rule.ReadQuery || string(ev.Packet) != "\x03SELECT 1" || ev.ID != 0 || ev.Command() != mysqlwire.ComQuery {
		t.Errorf("without an answer: %+v", ev)
	}
	d.Answer = *mysqlwire.OKAnswer(0, 0, 0, 0, "")
	if ev := Copy(d, conn); ev.Point != rule.ReadQueryResult || ev.Answer == nil || !ev.Query.Show || ev.Command() != mysqlwire.ComQuery || ev.Exchange != 5 {
		t.Errorf("with one: %+v", ev)
	}
}

func TestCopiesAreWhatHooksAreAskedAbout(t *testing.T) {
	d := &intercept.Detail{
		Exchange: intercept.Exchange{Seq: 5, SQL: "SELECT 1"}, Context: &mysqlwire.Context{},
		Received: mysqlwire.Packet{Kind: mysqlwire.KindQuery, Payload: []byte("\x03SELECT 1")},
	}
	conn := &intercept.Conn{ID: 2}
	if list := Copies(d, conn, nil); len(list) != 1 || list[0].Point != rule.ReadQuery {
		t.Errorf("without an answer: %+v", list)
	}
	d.Answer = *mysqlwire.OKAnswer(0, 0, 0, 0, "")
	if list := Copies(d, conn, nil); len(list) != 2 || list[1].Point != rule.ReadQueryResult || string(list[1].Query.Packet) != "\x03SELECT 1" {
		t.Errorf("with one: %+v", list)
	}
	query := intercept.Query{ID: 7, Packet: []byte("\x03SELECT 2"), Show: true}
	acted := []intercept.Acted{{Point: rule.ReadQuery, Sent: intercept.Verdict{Queries: []intercept.Query{{ID: 6, Packet: []byte("\x03SET @a = 1")}, query}}}}
	if list := Copies(d, conn, acted); len(list) != 2 || list[1].Query.ID != 7 {
		t.Errorf("with a query of a script: %+v", list)
	}
	answer := mysqlwire.OKAnswer(1, 0, 0, 0, "")
	acted = append(acted, intercept.Acted{Point: rule.ReadQueryResult, Query: query, Answer: answer, Context: d.Context})
	if list := Copies(d, conn, acted); len(list) != 2 || list[1].Query.ID != 7 || list[1].Answer != answer || list[1].Packet != nil {
		t.Errorf("with a result that a script changed: %+v", list)
	}
}

func TestTableShowsTheErrorOfTheScriptSelected(t *testing.T) {
	m := mockUp(t)
	m.Focus(Table)
	if strings.Contains(m.View(80, 30, true), "in function 'choose'") {
		t.Error("the error is shown of a script that is not selected")
	}
	m.Do(keymap.Bottom)
	view := m.View(80, 30, true)
	if !strings.Contains(view, "09:14:16 in read_query, connection 4: rw.lua:41: attempt to index") || strings.Contains(view, "[C]: ?") {
		t.Errorf("in short:\n%s", view)
	}
	m.Do(keymap.Open)
	if view := m.View(80, 30, true); !strings.Contains(view, "rw.lua:60: in function <rw.lua:55>") || !strings.Contains(view, "[C]: ?") {
		t.Errorf("whole:\n%s", view)
	}
	m.SetFindings(1, []string{"rw.lua:3: nothing defines pirnt"})
	if view := m.View(80, 40, true); !strings.Contains(view, "nothing defines pirnt") {
		t.Errorf("without what was found when it was saved:\n%s", view)
	}
}

// The line that is selected stays so when others arrive and old ones are dropped.
func TestSelectedLineStays(t *testing.T) {
	f := &fake{run: ok(nil)}
	line := func(n int) Line { return Line{Script: "a.lua", Source: n, Exchange: intercept.Seq(n), Text: "text"} }
	for n := range 20 {
		f.lines = append(f.lines, line(n))
	}
	m := pane(t, f)
	m.Focus(Output)
	m.View(80, 12, true)
	m.Do(keymap.Up)
	m.Do(keymap.Up)
	f.lines = append(f.lines[5:], line(20), line(21))
	m.Pull()
	m.View(80, 12, true)
	cmd, _ := m.Do(keymap.Open)
	if got := cmd().(GoMsg).Line; got.Exchange != 17 {
		t.Errorf("at %d, want 17", got.Exchange)
	}
	m.Do(keymap.Bottom)
	f.lines = append(f.lines, line(22))
	m.Pull()
	m.View(80, 12, true)
	cmd, _ = m.Do(keymap.Open)
	if got := cmd().(GoMsg).Line; got.Exchange != 22 {
		t.Errorf("at the end it does not follow: at %d", got.Exchange)
	}
}

func TestSnippetRunsInTheSelectedScript(t *testing.T) {
	f := mockUp(t).engine.(*fake)
	m := pane(t, f)
	m.Show(held())
	tryCode(t, m, "one")
	press(m, "ctrl+n")
	tryCode(t, m, "two")
	press(m, "ctrl+n")
	tryCode(t, m, "three")
	if got := fmt.Sprint(f.in[len(f.in)-3:]); got != "[0 1 0]" {
		t.Errorf("ran in %s", got)
	}
}

func TestHooksAreTriedOnEveryEvent(t *testing.T) {
	f := mockUp(t).engine.(*fake)
	f.tried = map[intercept.Point][]Tried{
		rule.ReadQuery:       {{Script: "audit.lua", Hook: "read_query", Exists: true, Describe: "sends COM_QUERY", Details: []string{"COM_QUERY  SELECT 2"}, Output: []string{"said"}}},
		rule.ReadQueryResult: {{Script: "audit.lua", Hook: "read_query_result"}, {Script: "rw.lua", Hook: "read_query_result", Exists: true, Err: errors.New("rw.lua:1: no")}},
	}
	m := pane(t, f)
	conn := &intercept.Conn{ID: 2}
	m.Show(Subject{Event: &intercept.Event{Conn: conn}, Hooks: []*intercept.Event{{Point: rule.ReadQuery, Conn: conn}, {Point: rule.ReadQueryResult, Conn: conn}}, Name: "a copy of #5"})
	m.Update(press(m, "ctrl+t")())
	view := m.View(80, 40, true)
	for _, want := range []string{"on a copy of #5", "would: sends COM_QUERY", "SELECT 2", "said", "is not in the script", "rw.lua:1: no"} {
		if !strings.Contains(view, want) {
			t.Errorf("%q is not there:\n%s", want, view)
		}
	}
	if m.Busy() {
		t.Error("it still runs")
	}
	m = pane(t, &fake{run: ok(nil)})
	m.Show(held())
	if cmd := press(m, "ctrl+t"); cmd != nil || !strings.Contains(m.note, "--script") {
		t.Errorf("without scripts: %q", m.note)
	}
}
