package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/scripts"
)

// Snippets runs Lua on held events and knows the scripts.
type Snippets = scripts.Engine

// lua runs a snippet.
func (m *Model) lua(code string) tea.Cmd {
	if why := m.offLua(); why != "" {
		m.say(intercept.Info, "lua: %s", why)
		return nil
	}
	return nil
}

func (m *Model) offLua() string {
	if m.o.Snippets == nil {
		return "no Lua here: start with --script FILE"
	}
	return ""
}
