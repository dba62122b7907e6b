package tui

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/detail"
	"mydbg/tui/keymap"
	"mydbg/tui/scripts"
)

// Snippets runs Lua on held events and knows the scripts.
type Snippets = scripts.Engine

// offLua says why there is no Lua.
func (m *Model) offLua() string {
	if m.o.Snippets == nil {
		return "no Lua here: start with --script FILE"
	}
	return ""
}

// toScripts shows the Lua pane: with the keys in its lists, or in its prompt, which tries snippets on the
// selected event.
func (m *Model) toScripts(id keymap.ID) {
	s := scripts.Subject{}
	if t, ok := m.target(); ok {
		if h := m.heldByID(t.Hold); h != nil {
			s = scripts.Subject{Event: h.Event, Held: true, Name: name(h)}
		} else {
			s = m.copyOf(t.Exchange)
		}
	}
	if m.pane != keymap.Lua || s.Event != nil {
		m.scripts.Show(s)
	}
	m.scripts.Pull()
	switch {
	case m.pane == keymap.Lua && id == keymap.Snippet:
		m.scripts.Focus(scripts.Prompt)
		m.scripts.Stay()
	case id == keymap.Snippet || id == keymap.Drawer || m.scripts.Scripts() == 0:
		m.scripts.Focus(scripts.Prompt)
	case m.pane != keymap.Lua && m.scripts.Typing():
		m.scripts.Focus(scripts.Table)
	}
	m.show(keymap.Lua)
}

// copyOf is an exchange that is over as something to try scripts on.
func (m *Model) copyOf(s intercept.Seq) scripts.Subject {
	d, ok := m.e.Detail(s)
	if s == 0 || !ok {
		return scripts.Subject{}
	}
	conn := m.e.Conn(d.Conn)
	return scripts.Subject{Event: scripts.Copy(&d, conn), Hooks: scripts.Copies(&d, conn, m.e.Acted(d.Conn, s)), Name: "a copy of " + label(s)}
}

// tryHooks asks the scripts' hooks about the selected event, or in the Lua pane about the one that it is about.
func (m *Model) tryHooks() tea.Cmd {
	if m.pane != keymap.Lua {
		m.toScripts(keymap.Lua)
		m.scripts.Focus(scripts.Output)
	}
	return m.scripts.TryHooks()
}

// inLua reports whether the Lua pane has the keys.
func (m *Model) inLua() bool { return m.pane == keymap.Lua && m.edit == nil && m.focus == inList }

// inScripts reports whether keys are text for the Lua prompt.
func (m *Model) inScripts() bool { return m.inLua() && m.scripts.Typing() }

// lua runs a snippet given on the command line.
func (m *Model) lua(code string) tea.Cmd {
	if why := m.offLua(); why != "" {
		m.say(intercept.Info, "lua: %s", why)
		return nil
	}
	m.toScripts(keymap.Snippet)
	if code == "" {
		return nil
	}
	m.scripts.SetCode(code)
	return m.scripts.Update(tea.KeyMsg{Type: tea.KeyEnter})
}

// take uses what a snippet decided about a held event: as its draft, or at once.
func (m *Model) take(msg scripts.TakeMsg) {
	h := m.heldByID(msg.Event)
	switch {
	case m.o.ReadOnly:
		m.say(intercept.Info, "--read-only: nothing may be altered")
	case h == nil:
		m.say(intercept.Warning, "the event was released meanwhile: what the snippet decided is not used")
	case msg.Continue:
		held := *h
		if err := m.e.Resolve(held.ID, msg.Verdict); err != nil {
			m.say(intercept.Error, "not sent: %v", err)
			return
		}
		m.show(keymap.Events)
		m.released(&held, intercept.Continue, msg.Verdict)
	default:
		m.drafts[h.ID] = &msg.Verdict
		m.tellDrafts()
		m.show(keymap.Events)
		m.say(intercept.Info, "%s: what the snippet decided is the draft; c sends it, u drops it", name(h))
	}
}

// toLine shows the event that a line of output belongs to.
func (m *Model) toLine(l scripts.Line) {
	switch {
	case l.Exchange != 0:
		m.show(keymap.Events)
		if m.rec == nil && !m.events.SelectExchange(l.Exchange) || m.rec != nil && !m.goRecorded(l.Exchange) {
			m.say(intercept.Warning, "%s is not in the list: the filter hides it, or it is too old", label(l.Exchange))
		}
	case l.Conn != 0:
		m.show(keymap.Connections)
		m.conns.Select(l.Conn)
		if l.Text != "" {
			m.say(intercept.Info, "%s: %s", l.From(), l.Said())
		}
	default: // nowhere to go: the whole line, which may have been cut
		m.say(intercept.Info, "%s: %s", l.From(), l.Said())
	}
}

// printed is the output of scripts at an exchange or, with 0, in the life of a connection outside its commands.
func (m *Model) printed(c intercept.ConnID, x intercept.Seq) (list []detail.Line) {
	if m.o.Snippets == nil || m.rec != nil {
		return nil
	}
	for _, l := range m.o.Snippets.Lines() {
		if l.Exchange != x || x == 0 && l.Conn != c {
			continue
		}
		list = append(list, detail.Line{
			At: l.At, From: l.From(), Hook: l.Hook, Text: l.Said(), Trace: l.Trace,
			Hint: l.Level == scripts.Hint || l.Level == scripts.Warning, Failed: l.Level == scripts.Failed,
		})
	}
	return list
}

// heldWhen says of an event that it is held before the scripts.
func heldWhen(h *intercept.Held) string {
	if h.Pre {
		return " pre"
	}
	return ""
}

// name is an event as messages call it.
func name(h *intercept.Held) string {
	if h.Exchange == 0 {
		return fmt.Sprintf("%s of connection #%d", h.Point, h.Conn.ID)
	}
	return label(h.Exchange) + " " + h.Point.String()
}
