package tui

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
	"mydbg/tui/scripts"
	"mydbg/tui/tuitest"
)

// twoScripts is the shop's traffic and two scripts at work on it.
func twoScripts() *lua {
	at := noon.Add(-5 * time.Second)
	return &lua{
		scripts: []scripts.Status{
			{Name: "audit.lua", Path: "/srv/audit.lua", OK: true, Conns: 3, Hooks: []scripts.Hook{
				{Name: "read_query", Calls: 8123, Total: 90 * time.Millisecond, Worst: 1300 * time.Microsecond, Last: "sends COM_QUERY"},
				{Name: "read_query_result", Calls: 812, Total: 7 * time.Millisecond, Worst: 90 * time.Microsecond, Last: "passes"},
			}},
			{
				Name: "rw.lua", Path: "/srv/rw.lua", Conns: 3, Hooks: []scripts.Hook{{Name: "read_query", Calls: 4, Errors: 2, Total: 2 * time.Millisecond, Worst: time.Millisecond, Last: "passes"}},
				Err: &scripts.Failure{
					At: at, Text: "rw.lua:41: attempt to index field 'backends' (a nil value)", Path: "/srv/rw.lua", Line: 41, Hook: "read_query", Conn: 4,
					Trace: "stack traceback:\n\trw.lua:41: in function 'choose'\n\trw.lua:60: in function <rw.lua:55>\n\t[C]: ?",
				},
			},
		},
		lines: []scripts.Line{
			{At: at, Script: "audit.lua", Source: 9, Exchange: 1377, Conn: 3, Hook: "read_query", Text: "user=app tables=orders"},
			{At: at, Script: "rw.lua", Source: 41, Exchange: 1381, Conn: 4, Hook: "read_query", Text: "attempt to index field 'backends' (a nil value)", Level: scripts.Failed, Trace: "stack traceback:"},
			{At: at, Script: "audit.lua", Exchange: 1378, Conn: 6, Hook: "read_query", Level: scripts.Hint, Text: "proxy.response.errno is not looked at: write proxy.response.errcode"},
			{At: at, Script: "audit.lua", Source: 2, Conn: 5, Text: "loaded"},
		},
	}
}

func withLua(l *lua) func(*Options) { return func(o *Options) { o.Snippets = l } }

func TestGoldenLua(t *testing.T) {
	for _, s := range []struct {
		name string
		keys []string
	}{
		{"scripts", []string{"6"}},
		{"error", []string{"6", "j", "j", "j", "enter"}},
		{"output", []string{"6", "tab", "g", "j"}},
		{"tried", []string{`\`}},
		{"prompt", []string{"|", "ctrl+n"}},
		{"help", []string{"6", "?"}},
	} {
		for _, z := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", s.name, z[0], z[1]), func(t *testing.T) {
				d, _ := start(t, shop(), z[0], z[1], plain, withLua(twoScripts()))
				d.Press(s.keys...)
				d.Golden(t)
				tuitest.Exact(t, d.Frame())
			})
		}
	}
}

// Whatever has the keys, frames are exact at any size.
func TestLuaFramesAreExact(t *testing.T) {
	for _, keys := range [][]string{{"6"}, {"6", "G", "enter"}, {"6", "tab", "k"}, {`\`, "|", "x"}} {
		f := shop()
		f.backends = []intercept.BackendInfo{{Index: 1}, {Index: 2}}
		d, _ := start(t, f, 80, 24, plain, withLua(twoScripts()))
		d.Press(keys...)
		for w := 20; w < 220; w += 17 {
			for h := 5; h < 60; h += 9 {
				d.Resize(w, h)
				tuitest.Exact(t, d.Frame())
			}
		}
	}
}

func TestGoldenBackends(t *testing.T) {
	for _, z := range sizes {
		t.Run(fmt.Sprintf("%dx%d", z[0], z[1]), func(t *testing.T) {
			f := shop()
			f.backends = []intercept.BackendInfo{
				{Backend: intercept.Backend{Address: "127.0.0.1:3306"}, Index: 1, State: intercept.BackendUp, Since: noon.Add(-time.Minute), Clients: 3, Idle: []intercept.IdleInfo{{User: "app"}, {User: "app"}, {User: "cron"}}, MinIdle: 1, MaxIdle: 5},
				{Backend: intercept.Backend{Address: "10.0.0.12:3306", ReadOnly: true}, Index: 2, State: intercept.BackendDown, Since: noon.Add(-2 * time.Second)},
				{Backend: intercept.Backend{Address: "10.0.0.13:3306", ReadOnly: true}, Index: 3},
			}
			d, _ := start(t, f, z[0], z[1], plain)
			d.Press("2")
			d.Golden(t)
			tuitest.Exact(t, d.Frame())
		})
	}
}

// One server, as most have, is in the header already.
func TestBackendsAreShownWhereThereIsAChoice(t *testing.T) {
	f := shop()
	f.backends = []intercept.BackendInfo{{Backend: intercept.Backend{Address: "127.0.0.1:3306"}, Index: 1, State: intercept.BackendUp}}
	d, _ := start(t, f, 80, 24, plain)
	d.Press("2")
	d.Lacks("pooled logins")
	f.backends[0].State = intercept.BackendDown
	wake(d)
	d.Has("pooled logins", "down")
}

func TestOutputLeadsToItsEvent(t *testing.T) {
	d, m := start(t, shop(), 120, 36, plain, withLua(twoScripts()))
	d.Press("6")
	d.Has("user=app")
	d.Press("tab", "g", "enter")
	if target, _ := m.events.Selected(); m.pane != keymap.Events || target.Exchange != 1377 {
		t.Errorf("at %v of %s", target, m.pane)
	}
	b := m.inspector.(*blank)
	if len(b.s.Lines) != 1 || b.s.Lines[0].From != "audit.lua:9" || b.s.Lines[0].Text != "user=app tables=orders" {
		t.Errorf("the inspector has %+v", b.s.Lines)
	}
	d.Press("6", "tab", "tab", "shift+tab") // from the prompt to the output
	d.Has("loaded")
	d.Press("G", "enter") // printed outside any command
	if id, _ := m.conns.Selected(); m.pane != keymap.Connections || id != 5 {
		t.Errorf("at connection %d of %s", id, m.pane)
	}
}

func TestInspectorIsToldWhatScriptsDid(t *testing.T) {
	f := shop()
	f.acted = []intercept.Acted{{Conn: 3, Exchange: 1377, Point: rule.ReadQuery, Script: intercept.Verdict{By: "script audit.lua"}}, {Conn: 4, Exchange: 1381}}
	d, m := start(t, f, 120, 36, plain, withLua(twoScripts()))
	d.Press(":")
	d.Type("go 1377")
	d.Press("enter")
	b := m.inspector.(*blank)
	if !b.s.Scripts || len(b.s.Acted) != 1 || b.s.Acted[0].Script.By != "script audit.lua" {
		t.Errorf("got %+v", b.s)
	}
}

func TestHooksAreTriedOnBothEvents(t *testing.T) {
	l := twoScripts()
	d, m := start(t, shop(), 120, 36, plain, withLua(l))
	d.Press(":")
	d.Type("go 1372")
	d.Press("enter", `\`)
	if got := strings.Join(l.tried, ", "); got != "query of SELECT * FROM items WHERE order_id = 4711" {
		t.Errorf("asked about %s", got) // there are no bytes of its answer
	}
	d.Has("on a copy of #1372", "would: sends 2 queries")
	if m.scripts.Typing() {
		t.Error("letters would go into the prompt")
	}
	d.Press("esc", "]", `\`)
	d.Has("on #1380 read_query")
	d.Press("|", "ctrl+s")
	d.Has("hooks are asked for themselves")
	if len(m.drafts) != 0 {
		t.Error("a trial became a draft")
	}
}

func TestSnippetRunsInTheScriptChosen(t *testing.T) {
	l := twoScripts()
	d, _ := start(t, shop(), 120, 36, plain, withLua(l))
	d.Press("]", "|", "ctrl+n")
	d.Type("return 1")
	d.Press("enter", "ctrl+n")
	d.Type("return 2")
	d.Press("enter")
	if fmt.Sprint(l.in) != "[1 0]" {
		t.Errorf("ran in %v", l.in)
	}
	d.Has("rw.lua> return 1", "audit.lua> return 2")
}

func TestEscapeLeadsBack(t *testing.T) {
	d, m := start(t, shop(), 80, 24, plain, withLua(twoScripts()))
	d.Press("|", "esc")
	if m.pane != keymap.Events {
		t.Error("the prompt does not close to the events that it was opened from")
	}
	d.Press("6", "|", "esc")
	if m.pane != keymap.Lua || m.scripts.Typing() {
		t.Error("the prompt does not close to the pane that it was opened from")
	}
	d.Press("tab", "shift+tab", "shift+tab", "shift+tab")
	if !m.scripts.Typing() {
		t.Errorf("the focus is at %d", m.scripts.Part())
	}
	d.Press("shift+tab", "esc")
	if m.pane != keymap.Events {
		t.Error("esc does not leave the pane")
	}
}

// edited is what $EDITOR leaves of a script's copy.
func edited(t *testing.T, m *Model, d *tuitest.Driver, text string) {
	t.Helper()
	ready := m.openScript(0)().(scriptReadyMsg)
	if ready.err != nil {
		t.Fatal(ready.err)
	}
	if got, err := os.ReadFile(ready.file.path); err != nil || string(got) != string(ready.file.copied) {
		t.Errorf("the copy is %q, %v", got, err)
	}
	if err := os.Remove(ready.file.path); err != nil {
		t.Error(err)
	}
	d.Send(scriptEditedMsg{file: ready.file, text: []byte(text)})
}

func TestScriptIsEditedInPlace(t *testing.T) {
	l := twoScripts()
	l.source = "print(1)"
	d, m := start(t, shop(), 120, 36, plain, withLua(l), func(o *Options) { o.Getenv = func(string) string { return "true" } })
	d.Press("6")
	edited(t, m, d, "print(1)")
	d.Has("nothing was changed")
	l.broken = errors.New("audit.lua:1: unexpected symbol")
	edited(t, m, d, "print(")
	d.Has("not saved: audit.lua:1: unexpected symbol")
	if l.source != "print(1)" || string(m.unsaved[0]) != "print(" {
		t.Errorf("the file has %q, kept is %q", l.source, m.unsaved[0])
	}
	l.broken, l.findings = nil, []string{"audit.lua:1: nothing defines pirnt"}
	edited(t, m, d, "pirnt(2)") // of the copy with print(
	d.Has("audit.lua saved and loaded again", "nothing defines pirnt")
	if len(l.saved) != 1 || l.saved[0] != "pirnt(2)" || m.unsaved[0] != nil {
		t.Errorf("saved %q, kept %q", l.saved, m.unsaved[0])
	}
	l.findings = nil
	ready := m.openScript(0)().(scriptReadyMsg)
	defer os.Remove(ready.file.path)
	l.source = "print('theirs')"
	d.Send(scriptEditedMsg{file: ready.file, text: []byte("print('mine')")})
	d.Has("changed on disk meanwhile")
	if len(l.saved) != 1 {
		t.Errorf("saved %q over somebody else's text", l.saved)
	}
}

func TestScriptIsNamedWithoutAnEditor(t *testing.T) {
	for _, key := range []string{"e", "E", "ctrl+o"} {
		d, _ := start(t, shop(), 120, 36, plain, withLua(twoScripts()))
		d.Press("6", "G", key)
		d.Has("neither $VISUAL nor $EDITOR is set; edit /srv/rw.lua elsewhere")
		d.Press("|", "ctrl+n", "ctrl+o")
		d.Has("edit /srv/audit.lua elsewhere")
	}
}

func TestScriptIsNotEditedReadOnly(t *testing.T) {
	d, m := start(t, shop(), 120, 36, plain, withLua(twoScripts()), func(o *Options) {
		o.ReadOnly, o.Getenv = true, func(string) string { return "true" }
	})
	d.Press("6", "e")
	d.Has("--read-only")
	if cmd := m.openScript(0); cmd != nil {
		t.Error("it is opened")
	}
}

// $EDITOR gets a private copy, at the line of the error if it takes one.
func TestEditorCommandOfAScript(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "args")
	vi := filepath.Join(dir, "vi")
	if err := os.WriteFile(vi, []byte("#!/bin/sh\necho \"$@\" > "+out+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, m := start(t, shop(), 120, 36, plain, withLua(twoScripts()), func(o *Options) { o.Getenv = func(string) string { return vi } })
	ready := m.openScript(1)().(scriptReadyMsg)
	t.Cleanup(func() { _ = os.Remove(ready.file.path) })
	if ready.file.line != 41 || !strings.HasSuffix(ready.file.path, "-rw.lua") {
		t.Errorf("got %+v", ready.file)
	}
	info, err := os.Stat(ready.file.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v", info.Mode(), err)
	}
	p := tea.NewProgram(quitAfter{m.editScript(ready)}, tea.WithInput(strings.NewReader("")), tea.WithOutput(&strings.Builder{}), tea.WithoutRenderer())
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	args, err := os.ReadFile(out)
	if want := "+41 " + ready.file.path + "\n"; err != nil || string(args) != want {
		t.Errorf("it ran with %q, %v, want %q", args, err, want)
	}
}

// quitAfter runs a command and ends with its message.
type quitAfter struct{ cmd tea.Cmd }

func (q quitAfter) Init() tea.Cmd { return q.cmd }
func (q quitAfter) View() string  { return "" }
func (q quitAfter) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(scriptEditedMsg); ok {
		return q, tea.Quit
	}
	return q, nil
}

func TestBreakpointsBeforeTheScripts(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain, withLua(twoScripts()))
	d.Press(":")
	d.Type("go 1372")
	d.Press("enter", "B")
	list, _ := f.Breaks()
	if last := list[len(list)-1].Rule; !last.Pre || last.Points()[0] != rule.ReadQuery {
		t.Errorf("B added %s", last)
	}
	f.breaks[3].Enabled = false
	d.Press("3", "G", "k", "B")
	d.Has("breakpoint 4 stops before the scripts")
	if b := f.breaks[3]; !b.Rule.Pre || b.Enabled {
		t.Errorf("got %s, on %v", b.Rule, b.Enabled)
	}
	d.Press("B")
	if f.breaks[3].Rule.Pre {
		t.Error("it does not go back")
	}
	f.held[0].Pre = true
	wake(d)
	d.Has("#1380 read_query pre")
	d.Press("1")
	if !strings.Contains(m.View(), "pre") {
		t.Error("the row does not say that it is held before the scripts")
	}
}
