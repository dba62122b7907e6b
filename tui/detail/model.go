// Package detail is the inspector: everything there is to see of one held event or one exchange of
// the journal, in tabs, with a view of its bytes beside them.
//
// The inspector reads and never changes what it shows. A Subject is handed over whole by Show, which
// may be told the same event as often as something about it changes: tab, cursor and folds stay where
// they are. Nothing is decoded before it is looked at: an answer of millions of rows opens at once,
// because only the rows on the screen are taken apart.
//
// Bytes of a login are blanked where they are secret before anything is drawn from them.
package detail

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

// Subject is what the inspector shows.
type Subject struct {
	Held   *intercept.Held   // nil when it is not held now
	Detail *intercept.Detail // the exchange's bytes; nil for login events
	Conn   intercept.ConnInfo
	Draft  *intercept.Verdict // an edit that is not sent yet, nil without one
}

// Model is the inspector.
type Model struct {
	th *theme.Theme
	s  Subject
}

// New returns an inspector of nothing.
func New(th *theme.Theme) *Model { return &Model{th: th} }

// Show shows s. Tab, cursor and folds stay when it is the event shown before.
func (m *Model) Show(s Subject) { m.s = s }

// Do does what a key asks for. It reports whether the action is one of the inspector's.
func (m *Model) Do(a keymap.ID) (tea.Cmd, bool) { return nil, false }

// View draws the inspector as a box of exactly w by h.
func (m *Model) View(w, h int, focused bool) string {
	return m.th.BoxLines("Inspector", "", nil, w, h, focused)
}

// HexView draws the bytes of the packet as a box of exactly w by h.
func (m *Model) HexView(w, h int, focused bool) string {
	return m.th.BoxLines("Hex", "", nil, w, h, focused)
}

// Preview draws the most important facts as a box of exactly w by h.
func (m *Model) Preview(w, h int) string { return m.th.BoxLines("", "", nil, w, h, false) }

// Copy is what copying takes here, and what to call it; what is empty when there is nothing.
func (m *Model) Copy() (text, what string) { return "", "" }
