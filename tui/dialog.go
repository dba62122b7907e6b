package tui

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// dialog is a question. It hears nothing for its first quarter of a second, so that no key meant
// for something else answers it.
type dialog struct {
	title  string
	lines  []string
	keys   []string // what can be answered, as shown
	quit   bool
	yes    func() tea.Cmd
	opened time.Time
}

// ask opens a question that y answers.
func (m *Model) ask(title string, lines []string, yes func() tea.Cmd) {
	m.dialog = &dialog{title: title, lines: lines, keys: []string{"y  yes", "n  no"}, yes: yes, opened: m.now()}
}

// quit leaves the screen, asking when that ends or releases something.
func (m *Model) quit() tea.Cmd {
	open := 0
	for i := range m.infos {
		if m.infos[i].Phase != intercept.Closed {
			open++
		}
	}
	if m.o.Replay != nil && m.rec != nil && !m.leaving {
		if s := m.replays.State(); !s.Over {
			m.leaving = true
			m.say(intercept.Warning, "the replay has sent %d of %d: the same key again ends it", s.Done, s.All)
			return nil
		}
	}
	if open == 0 && len(m.held) == 0 || m.rec != nil && !m.rec.past {
		return tea.Quit
	}
	d := &dialog{title: "Quit?", quit: true, opened: m.now()}
	switch open {
	case 0:
	case 1:
		d.lines = append(d.lines, "1 open connection ends with the proxy.")
	default:
		d.lines = append(d.lines, fmt.Sprintf("%d open connections end with the proxy.", open))
	}
	if len(m.held) > 0 {
		d.title = fmt.Sprintf("Quit with %d paused?", len(m.held))
		d.lines = append(d.lines, m.explainHeld()...)
		if n := len(m.drafts); n > 0 {
			lost := "1 unsent edit is lost."
			if n > 1 {
				lost = fmt.Sprintf("%d unsent edits are lost.", n)
			}
			d.lines = append(d.lines, lost)
		}
		d.keys = append(d.keys, "r    release them unchanged, and quit")
	} else {
		d.keys = append(d.keys, "r    quit")
	}
	d.keys = append(d.keys, "x    close the connections, and quit", "esc  stay")
	m.dialog = d
	return nil
}

// dialogKey answers a question.
func (m *Model) dialogKey(k tea.KeyMsg) tea.Cmd {
	d := m.dialog
	if m.now().Sub(d.opened) < settle || k.Paste || len(k.Runes) > 1 {
		return nil
	}
	a, ok := m.keys.Lookup(m.context(), k.String())
	if !ok {
		return nil
	}
	switch a.ID {
	case keymap.Yes:
		m.dialog = nil
		return d.yes()
	case keymap.No, keymap.Cancel:
		m.dialog = nil
	case keymap.QuitRelease:
		m.e.PauseAll(false)
		m.e.BreaksOff(true)
		m.e.ReleaseAll()
		return tea.Quit
	case keymap.QuitClose:
		for i := range m.infos {
			if m.infos[i].Phase != intercept.Closed {
				m.e.Kill(m.infos[i].ID)
			}
		}
		return tea.Quit
	}
	return nil
}

// box draws the question.
func (d *dialog) box(th *theme.Theme, w, h int) []string {
	width := safe.Width(d.title) + 8
	for _, l := range append(d.lines[:len(d.lines):len(d.lines)], d.keys...) {
		width = max(width, safe.Width(l)+7)
	}
	width = min(max(width, 44), w-4)
	lines := []string{""}
	for _, l := range d.lines {
		lines = append(lines, "  "+safe.Cut(l, width-6))
	}
	lines = append(lines, "")
	for _, k := range d.keys {
		key, what, _ := cutKey(k)
		lines = append(lines, "  "+th.FooterKey.Render(key)+safe.Cut(what, width-6-len(key)))
	}
	height := min(len(lines)+3, h)
	return splitLines(th.BoxLines(d.title, "", lines, width, height, true))
}

// plain is the question for windows too small for a box.
func (d *dialog) plain(w int) []string {
	lines := []string{safe.Cut(d.title, w)}
	for _, k := range d.keys {
		lines = append(lines, safe.Cut(k, w))
	}
	return lines
}

// cutKey cuts "r    release" after its key.
func cutKey(s string) (key, what string, ok bool) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == ' ' {
			return s[:i], s[i:], true
		}
	}
	return s, "", false
}
