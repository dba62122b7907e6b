// Package edit has the editors of held events: statement and parameters, injected queries, crafted
// answers, result sets, raw bytes.
//
// An editor makes an intercept.Verdict and does nothing else: it never sends, and the event it was
// made for never changes. What it shows comes from the wire and passes package safe. Verdict says in
// words why what was typed cannot be sent; such text is kept and marked until it is mended.
//
// Letters belong to the editor. The caller handles the keys that mean the same in all of them (keep the
// draft, apply, $EDITOR, close) and hands every other key to Update. While Busy reports true something
// inside is open, a cell for example, and the key that closes belongs to that.
package edit

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

// Editor edits one held event.
type Editor interface {
	Title() string
	Update(msg tea.Msg) tea.Cmd
	// View draws a box of exactly w by h, whose last line inside is the editor's keys.
	View(w, h int) string
	// Verdict is the draft as it stands. Its error says what cannot be sent, where and why.
	Verdict() (intercept.Verdict, error)
	// External is what $EDITOR gets and the suffix of its file; ok is false when there is no text.
	External() (text, suffix string, ok bool)
	// SetExternal takes what $EDITOR made of it. After an error nothing has changed.
	SetExternal(text string) error
	// Touched reports whether anything was done here. An editor may open with a proposal: closing one that
	// nobody touched should leave the draft as it was, applying it sends what it shows.
	Touched() bool
	// Busy reports whether something inside is open that Close closes first.
	Busy() bool
}

// Env is what editors need beside the event.
type Env struct {
	Theme *theme.Theme
	Keys  *keymap.Map // nil for the keys as shipped
	// Detail finds an earlier exchange whose answer is copied; nil when there are none.
	Detail func(intercept.Seq) (intercept.Detail, bool)
}

// Ruler is an editor whose draft can be kept as a rule.
type Ruler interface {
	// Rule is the text of a rule to add when the draft is applied, "" when none is wanted.
	Rule() string
}
