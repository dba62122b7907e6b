package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
)

// doView runs the actions that change what is looked at, and nothing else.
func (m *Model) doView(id keymap.ID) tea.Cmd {
	switch id {
	case keymap.Events, keymap.Connections, keymap.Breakpoints, keymap.Digests, keymap.Sessions, keymap.Log:
		m.show(id)
	case keymap.Lua, keymap.Snippet, keymap.Drawer:
		m.toScripts(id)
	case keymap.TryHooks:
		return m.tryHooks()
	case keymap.Filter:
		text := ""
		if f := m.events.Filter(); f != nil {
			text = f.String()
		}
		m.show(keymap.Events)
		m.open(promptFilter, text)
	case keymap.Search:
		m.open(promptSearch, "")
	case keymap.SearchNext, keymap.SearchPrev:
		m.searchOn(id)
	case keymap.Command:
		m.open(promptCommand, "")
	case keymap.Palette:
		m.openOverlay(overlayPalette)
	case keymap.Help:
		m.openOverlay(overlayHelp)
	case keymap.FocusNext, keymap.FocusPrev:
		if m.inLua() {
			return m.doFocused(id)
		}
		m.nextFocus(map[keymap.ID]int{keymap.FocusNext: 1, keymap.FocusPrev: -1}[id])
	case keymap.Layout:
		m.split = (m.split + 1) % 3
	case keymap.Zoom:
		m.zoom = !m.zoom
	case keymap.HelpLines:
		m.helpLines = !m.helpLines
	case keymap.Quit:
		if m.inspect || m.zoom || m.focus != inList || m.pane != keymap.Events {
			m.back()
			return nil
		}
		return m.quit()
	case keymap.QuitDialog, keymap.Cancel:
		if id == keymap.Cancel && m.stopHunt() {
			m.say(intercept.Info, "stopped")
			return nil
		}
		return m.quit()
	case keymap.Suspend:
		return tea.Suspend
	case keymap.Redraw:
		m.pull()
		return tea.ClearScreen
	case keymap.Back:
		m.back()
	default:
		return m.doFocused(id)
	}
	return nil
}

// doFocused gives an action to the pane that has the focus.
func (m *Model) doFocused(id keymap.ID) tea.Cmd {
	switch {
	case m.focus == inInspector || m.focus == inHex || id == keymap.View || id == keymap.NextChange || id == keymap.PrevChange:
		cmd, _ := m.inspector.Do(id)
		return cmd
	case m.focus == inLog || m.pane == keymap.Log:
		if id == keymap.Open {
			m.openLine()
			return nil
		}
		m.logs.Do(id)
	case m.pane == keymap.Breakpoints:
		if b, ok := m.breaks.Selected(); ok && (id == keymap.Toggle || id == keymap.Open) {
			state := "on"
			if b.Enabled {
				state = "off"
			}
			m.report(m.e.EnableBreak(b.ID, !b.Enabled), "breakpoint %d is %s", b.ID, state)
			return nil
		}
		m.breaks.Do(id)
	case m.pane == keymap.Digests:
		m.doDigests(id)
	case m.pane == keymap.Sessions:
		m.doReplay(id)
	case m.inLua():
		cmd, _ := m.scripts.Do(id)
		return cmd
	case id == keymap.Open:
		m.openSelected()
	case m.pane == keymap.Connections:
		m.conns.Do(id)
	default:
		m.chase = 0 // who looks elsewhere is not taken away
		before, _ := m.events.Selected()
		m.events.Do(id)
		return m.beyond(id, before)
	}
	return nil
}

// show changes to a numbered pane.
func (m *Model) show(id keymap.ID) {
	if m.pane != id {
		if t, ok := m.target(); ok && id == keymap.Connections { // the one that was looked at
			m.conns.Select(t.Conn)
		}
		m.pane, m.zoom = id, false
	}
	m.focus, m.inspect = inList, false
	if id == keymap.Sessions {
		m.syncReplay()
	}
	if id == keymap.Digests {
		m.startCounting()
	}
}

// openSelected goes to the inspector.
func (m *Model) openSelected() {
	if _, ok := m.target(); !ok {
		m.say(intercept.Info, "select an event first: j and k move")
		return
	}
	if m.lay.shape == wide {
		m.focus = inInspector
		return
	}
	m.inspect, m.focus = true, inInspector
}

// openLine shows the event that a line of the log is about.
func (m *Model) openLine() {
	l, ok := m.logs.Selected()
	switch {
	case !ok:
		return
	case l.Exchange == 0 && l.Conn != 0 && m.conn(l.Conn).LoginFailure != nil:
		m.show(keymap.Connections)
		m.conns.Select(l.Conn)
		return
	case l.Exchange == 0: // nowhere to go: the whole line, which may have been cut
		m.message = message{level: l.Level, text: l.Text, at: m.now()}
		return
	}
	m.show(keymap.Events)
	if m.rec == nil && !m.events.SelectExchange(l.Exchange) || m.rec != nil && !m.goRecorded(l.Exchange) {
		m.say(intercept.Warning, "#%d is not in the list: the filter hides it, or it is too old", l.Exchange)
	}
}

func (m *Model) nextFocus(by int) {
	if len(m.lay.areas) > 1 {
		m.turn(by)
		return
	}
	if m.pane == keymap.Events || m.pane == keymap.Connections {
		m.openSelected()
	}
}

// back undoes the last step of going somewhere.
func (m *Model) back() {
	switch {
	case m.message.text != "" && m.message.level > intercept.Info:
		m.message = message{}
	case m.zoom:
		m.zoom = false
	case m.inspect:
		m.inspect, m.focus = false, inList
	case m.focus != inList:
		m.focus = inList
	case m.pane != keymap.Events:
		m.show(keymap.Events)
	}
}

// filterBy hides what does not match x; nil shows everything.
func (m *Model) filterBy(x *rule.Expr) {
	if m.rec != nil {
		m.filterRecorded(x)
		return
	}
	m.events.SetFilter(x)
}

// probe counts what matches a condition that is being typed; nil stops.
func (m *Model) probe(x *rule.Expr) {
	if m.rec == nil {
		m.events.Probe(x)
		return
	}
	m.rec.probe = nil
	if x != nil {
		m.rec.probe = &listed{filter: x, next: 1}
	}
}

// probed is how many of how many events match what is being typed; any is false when nothing is.
func (m *Model) probed() (matched, of int, done, any bool) {
	if m.rec == nil {
		matched, done = m.events.Probed()
		_, of = m.events.Counts()
		return matched, of, done, m.events.Probing()
	}
	if l := m.rec.probe; l != nil {
		return len(l.rows), m.rec.r.Len(), l.done, true
	}
	return 0, 0, true, false
}

// search selects the next event whose statement has a text.
func (m *Model) search(text string) tea.Cmd {
	switch {
	case text == "":
	case m.rec != nil:
		return m.searchRecorded(text, 1)
	case !m.events.Search(text, 1):
		m.say(intercept.Info, "no match for %q", text)
	}
	return nil
}

func (m *Model) searchOn(id keymap.ID) {
	dir := 1
	if id == keymap.SearchPrev {
		dir = -1
	}
	if !m.events.Search(m.events.Searching(), dir) {
		m.say(intercept.Info, "no match for %q", m.events.Searching())
	}
}
