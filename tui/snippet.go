package tui

import (
	"os/exec"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
	"mydbg/tui/scripts"
)

// Snippets runs Lua on held events and knows the scripts. If it also has a method Reload() error, the pane's key for
// that calls it.
type Snippets = scripts.Engine

type reloader interface{ Reload() error }

// luaDoneMsg is the end of something that was done about scripts.
type luaDoneMsg struct {
	what string
	err  error
}

// offLua says why there is no Lua.
func (m *Model) offLua() string {
	if m.o.Snippets == nil {
		return "no Lua here: start with --script FILE"
	}
	return ""
}

// toScripts shows the Lua pane with its prompt, which tries snippets on the selected event.
func (m *Model) toScripts() {
	s := scripts.Subject{}
	if t, ok := m.target(); ok {
		if h := m.heldByID(t.Hold); h != nil {
			s = scripts.Subject{Event: h.Event, Held: true, Name: name(h)}
		} else if d, ok := m.e.Detail(t.Exchange); ok {
			s = scripts.Subject{Event: scripts.Copy(&d, m.e.Conn(t.Conn)), Name: "a copy of " + label(t.Exchange)}
		}
	}
	if m.pane != keymap.Lua || s.Event != nil {
		m.scripts.Show(s)
	}
	m.scripts.Pull()
	m.show(keymap.Lua)
}

// inScripts reports whether keys are text for the Lua prompt.
func (m *Model) inScripts() bool { return m.pane == keymap.Lua && m.edit == nil }

// lua runs a snippet given on the command line.
func (m *Model) lua(code string) tea.Cmd {
	if why := m.offLua(); why != "" {
		m.say(intercept.Info, "lua: %s", why)
		return nil
	}
	m.toScripts()
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

// reload has the scripts read their files again.
func (m *Model) reload() tea.Cmd {
	r, ok := m.o.Snippets.(reloader)
	if !ok {
		m.say(intercept.Info, "scripts are loaded again when their files change")
		return nil
	}
	return func() tea.Msg { return luaDoneMsg{"scripts loaded again", r.Reload()} }
}

// openScript opens a script's file in $EDITOR, and loads it again afterwards.
func (m *Model) openScript(file string) tea.Cmd {
	c := m.editorCommand()
	switch {
	case file == "":
		m.say(intercept.Info, "there is no script; --script FILE loads one")
	case c == nil:
		m.say(intercept.Info, "neither $VISUAL nor $EDITOR is set; edit %s elsewhere", file)
	default:
		cmd := exec.Command(c[0], append(c[1:], file)...)
		return tea.ExecProcess(cmd, func(err error) tea.Msg {
			if r, ok := m.o.Snippets.(reloader); ok && err == nil {
				err = r.Reload()
			}
			return luaDoneMsg{file + " edited", err}
		})
	}
	return nil
}

func (m *Model) luaDone(msg luaDoneMsg) {
	m.scripts.Pull()
	if msg.err != nil {
		m.say(intercept.Error, "lua: %v", msg.err)
		return
	}
	m.say(intercept.Info, "%s", msg.what)
}
