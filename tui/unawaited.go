package tui

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
)

// askUnawaited asks before something goes on whose client has left.
func (m *Model) askUnawaited(h *intercept.Held, v intercept.Verdict) {
	held := *h
	lines := []string{
		fmt.Sprintf("The client left at %s. Its server connection is still open.", held.Left.Format("15:04:05")),
		"y carries it out and throws the answer away, then the connection ends.",
		"Until then it stays paused; " + m.keyed(keymap.Kill) + " discards it, and so does everything that releases all.",
	}
	m.ask("Nobody awaits "+name(&held)+" any more. Go on all the same?", lines, func() tea.Cmd {
		v.Unawaited = true
		if err := m.e.Resolve(held.ID, v); err != nil {
			m.say(intercept.Error, "%s: %v", name(&held), err)
			return nil
		}
		m.edit = nil
		m.released(&held, intercept.Continue, v)
		return nil
	})
}
