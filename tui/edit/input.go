package edit

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/tui/theme"
)

// Input is a text of one line for other panes. It keeps line breaks that are pasted and shows them as signs.
type Input struct{ text text }

// NewInput holds s, with the cursor at its end.
func NewInput(s string) Input { return Input{oneLine(s)} }

// Key edits; it reports whether the key meant something.
func (i *Input) Key(k tea.KeyMsg) bool {
	taken, _ := i.text.key(k)
	return taken
}

func (i *Input) String() string { return i.text.String() }

// Set replaces the text.
func (i *Input) Set(s string) { i.text.set(s) }

// BeforeCursor is the text up to the cursor; Insert puts s there.
func (i *Input) BeforeCursor() string { return i.text.line()[:i.text.off] }

// Insert types s.
func (i *Input) Insert(s string) { i.text.insert(s) }

// View draws it w cells wide, with its cursor if it has the focus.
func (i *Input) View(th *theme.Theme, w int, focused bool) string {
	return i.text.viewLine(th, w, focused)
}
