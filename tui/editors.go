package tui

import (
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
)

// editor is what the root needs of one.
type editor interface {
	Title() string
	Update(msg tea.Msg) tea.Cmd
	View(w, h int) string
	Verdict() (intercept.Verdict, error)
	External() (text, suffix string, ok bool)
	SetExternal(text string) error
	Busy() bool
}

func (m *Model) newEditor(id keymap.ID, h intercept.Held, draft *intercept.Verdict) (editor, error) {
	return nil, errors.New("no editor")
}

type Snippets interface{}
