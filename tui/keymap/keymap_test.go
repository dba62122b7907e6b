package keymap

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/exp/golden"

	"mydbg/tui/safe"
)

func TestDefaultIsSound(t *testing.T) {
	m := Default()
	for _, err := range m.faults() {
		t.Error(err)
	}
	for _, c := range contexts {
		seen := map[ID]bool{}
		for _, a := range m.actions[c] {
			if seen[a.ID] {
				t.Errorf("%s is declared twice in %s", a.ID, c)
			}
			seen[a.ID] = true
			if a.Short == "" || a.Long == "" || len(a.Keys) == 0 {
				t.Errorf("%s in %s lacks help or a key: %+v", a.ID, c, a)
			}
			for _, k := range a.Keys {
				if !isKey(k) {
					t.Errorf("%s in %s: no key is named %q", a.ID, c, k)
				}
				got, ok := m.Lookup(c, k)
				if !ok || got.ID != a.ID {
					t.Errorf("%q in %s: got %s, want %s", k, c, got.ID, a.ID)
				}
			}
		}
	}
}

func TestLookup(t *testing.T) {
	m := Default()
	for _, tt := range []struct {
		c    Context
		k    string
		want ID
	}{
		{InMain, "c", Continue},
		{InMain, "a", Continue},
		{InMain, "f5", Continue},
		{InMain, " ", Toggle},
		{InMain, "space", Toggle},
		{InMain, "|", Snippet},
		{InList, "c", Continue},
		{InInspector, "n", Next},
		{InRecording, "p", StepBack},
		{InRecording, "s", Step},
		{InEditor, "c", ""},
		{InEditor, "ctrl+z", EditUndo},
		{InMain, "ctrl+z", Suspend},
		{InPrompt, "A", ""},
		{InConfirm, "enter", ""},
		{InConfirm, "y", Yes},
		{InQuit, "y", ""},
		{InQuit, "d", QuitDetach},
		{InGrid, "o", AddRow},
		{InGrid, "c", ""},
		{"nowhere", "c", ""},
	} {
		if got, ok := m.Lookup(tt.c, tt.k); got.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("%q in %s: got %q, want %q", tt.k, tt.c, got.ID, tt.want)
		}
	}
}

// What Bubble Tea calls its keys is what the table calls them.
func TestLookupTakesBubbleTeaNames(t *testing.T) {
	m := Default()
	for _, tt := range []struct {
		msg  tea.KeyMsg
		want ID
	}{
		{tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("]")}, NextPaused},
		{tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(" ")}, Toggle},
		{tea.KeyMsg{Type: tea.KeyF10}, Next},
		{tea.KeyMsg{Type: tea.KeyShiftTab}, FocusPrev},
		{tea.KeyMsg{Type: tea.KeyPgDown}, PageDown},
		{tea.KeyMsg{Type: tea.KeyCtrlK}, Kill},
		{tea.KeyMsg{Type: tea.KeyEsc}, Back},
		{tea.KeyMsg{Type: tea.KeyEnter}, Open},
	} {
		if got, _ := m.Lookup(InMain, tt.msg.String()); got.ID != tt.want {
			t.Errorf("%q: got %q, want %q", tt.msg, got.ID, tt.want)
		}
	}
	space, _ := m.Action(InMain, Toggle)
	if keys := space.Binding().Keys(); len(keys) != 1 || keys[0] != " " {
		t.Errorf("binding of space: got %q, want a blank", keys)
	}
}

func TestNoReleaseKeyMeansAnythingElse(t *testing.T) {
	m := Default()
	for _, release := range m.actions[InMain] {
		if release.Group != GroupRelease {
			continue
		}
		for _, c := range contexts {
			if c.root() != InMain {
				continue
			}
			for _, k := range release.Keys {
				if a, ok := m.Lookup(c, k); ok && a.ID != release.ID {
					t.Errorf("%q releases in main and is %s in %s", k, a.ID, c)
				}
			}
		}
	}
}

func TestCommands(t *testing.T) {
	m := Default()
	seen := map[string]bool{}
	for _, a := range m.Commands() {
		if seen[a.Command()] {
			t.Errorf("%s is listed twice", a.Command())
		}
		seen[a.Command()] = true
	}
	for _, a := range m.Actions(InMain) {
		if got, ok := m.Command(a.Command()); !ok || got.ID != a.ID {
			t.Errorf("%s: got %+v", a.Command(), got)
		}
	}
	for _, name := range []string{"yes", "no", "complete-prev"} {
		if a, ok := m.Command(name); ok {
			t.Errorf("a question's key is a command: %+v", a)
		}
	}
	if _, ok := m.Command("no-such"); ok {
		t.Error("found a command that is none")
	}
}

func TestHelpIsTheLiveMap(t *testing.T) {
	m := Default()
	if err := m.Rebind(map[string]map[string]string{"list": {"mark": "* ctrl+e"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range contexts {
		for _, s := range m.Help(c) {
			for _, a := range s.Actions {
				for _, k := range a.Keys {
					got, _ := m.Lookup(c, k)
					if got.ID != a.ID && hides[got.ID] != a.ID {
						t.Errorf("help of %s says %q is %s, it is %s", c, k, a.ID, got.ID)
					}
				}
			}
		}
	}
}

func TestFooter(t *testing.T) {
	m := Default()
	ids := []ID{Continue, Step, Next, FinishTx, Edit, Respond, Break, Help}
	var out strings.Builder
	for _, w := range []int{200, 100, 82, 80, 60, 40, 20, 8, 7, 0} {
		got := m.FooterText(InMain, ids, w)
		if n := safe.Width(got); n > w {
			t.Errorf("%d cells for a width of %d: %q", n, w, got)
		}
		out.WriteString(got + "|\n")
	}
	golden.RequireEqual(t, []byte(out.String()))
	if got := m.FooterText(InEditor, []ID{Continue, Draft}, 80); got != " ctrl+s keep draft" {
		t.Errorf("got %q, want only what works in an editor", got)
	}
}

func TestMarkdown(t *testing.T) {
	got := Default().Markdown()
	golden.RequireEqual(t, []byte(got))
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if n := strings.Count(line, "|") - strings.Count(line, `\|`); n != 5 {
			t.Errorf("%d cells: %s", n-1, line)
		}
	}
}
