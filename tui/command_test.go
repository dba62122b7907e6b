package tui

import (
	"slices"
	"testing"

	"mydbg/tui/keymap"
	"mydbg/tui/tuitest"
)

func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		line string
		want string // on the screen
	}{
		{`break at result if rows > 100`, "breakpoint 5: at result if rows > 100"},
		{`break if rosw > 100`, `did you mean`},
		{`filter rows > 9`, "1 Events  tree  1/13"},
		{`filter /status`, "1 Events  tree  1/13"},
		{`filter`, "filter off"},
		{`search status`, "inspector of #1377"},
		{`search nowhere`, `no match for "nowhere"`},
		{`go 1374`, "inspector of #1374"},
		{`go #1374`, "inspector of #1374"},
		{`go 99`, "#99 is not in the list"},
		{`go there`, "takes the number of an exchange"},
		{`connections`, "2 Connections: 4 open, 1 closed"},
		{`breakpoints`, "3 Breakpoints: 3 on, 1 off"},
		{`tree`, "1 Events  flat"},
		{`breaks`, "all breakpoints are off"},
		{`continue now`, `:continue takes nothing, not "now"`},
		{`digests`, "4 Digests"},
		{`q`, "Quit with 2 paused?"},
		{`set theme light`, "theme light"},
		{`set theme pink`, `unknown theme "pink"`},
		{`set read-only`, "READ-ONLY"},
		{`set mouse on`, "set theme auto|dark"},
		{`lua print(1)`, "no Lua here"},
		{`add-row`, ":add-row is for grids only"},
		{`continu`, `unknown command "continu"; tab completes, such as :`},
		{``, "1 Events  tree  13"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			f := shop()
			d, _ := start(t, f, 120, 36, plain)
			d.Press(":")
			d.Type(tt.line)
			d.Press("enter")
			d.Has(tt.want)
			if len(f.resolved) != 0 {
				t.Errorf("released %s", f.ids())
			}
		})
	}
}

func TestCommandLineCompletes(t *testing.T) {
	_, m := start(t, shop(), 120, 36, plain)
	for _, tt := range []struct{ text, want string }{
		{"conti", "continue"},
		{"set th", "theme"},
		{"set theme li", "light"},
		{"filter verb == \"UPD", `"UPDATE"`},
		{"break at res", "result"},
		{"break if ro", "rows"},
		{"break at query h", "hit"},
	} {
		var got []string
		for _, c := range m.completeCommand(tt.text, len(tt.text)) {
			got = append(got, c.Text)
			if c.From < 0 || c.From > c.To || c.To > len(tt.text) {
				t.Errorf("%q: %+v is out of place", tt.text, c)
			}
		}
		if !slices.Contains(got, tt.want) {
			t.Errorf("%q: got %q, want %q among them", tt.text, got, tt.want)
		}
	}
}

// Every action has a command, except those of prompts and questions.
func TestEveryActionHasACommand(t *testing.T) {
	_, m := start(t, shop(), 120, 36, plain)
	for _, a := range m.keys.Actions(keymap.InList) {
		if _, ok := m.keys.Command(string(a.ID)); !ok {
			t.Errorf("%s has no command", a.ID)
		}
		if cands := m.completeCommand(string(a.ID), len(a.ID)); len(cands) == 0 {
			t.Errorf("%s is not completed", a.ID)
		}
	}
}

func TestHistory(t *testing.T) {
	d, _ := start(t, shop(), 120, 36, plain)
	for _, line := range []string{"tree", "log"} {
		d.Press(":")
		d.Type(line)
		d.Press("enter")
	}
	d.Press(":")
	d.Type("x")
	d.Press("up")
	d.Has(" :log")
	d.Press("up", "up")
	d.Has(" :tree")
	d.Press("down", "down")
	d.Has(" :x")
}

func TestPasteIntoAPrompt(t *testing.T) {
	d, _ := start(t, shop(), 120, 36, plain)
	d.Press("f")
	d.Paste("rows > 2\nand rows < 5")
	d.Has("filter> rows > 2 and rows < 5")
	d.Press("esc")
	d.Send(tuitest.Key("f"))
	d.Send(tuitest.Key("r")) // at once: typed ahead into the prompt
	d.Advance(1e9)
	d.Has("filter> r")
}
