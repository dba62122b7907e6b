package tui

import (
	"errors"
	"os"
	"os/exec"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/edit"
	"mydbg/tui/keymap"
)

// editing is an open editor and the held event it is for.
type editing struct {
	edit.Editor
	action keymap.ID
	held   intercept.Held
	gone   bool // it is not held any more
}

// grid reports whether letters are commands in the editor.
func (e *editing) grid() bool {
	return e.action == keymap.Edit && e.held.Point == rule.ReadQueryResult && e.held.File == nil
}

// startEdit opens the editor for an action on the selected held event: what was left there before,
// or a new one that begins with the draft.
func (m *Model) startEdit(id keymap.ID) tea.Cmd {
	t, _ := m.target()
	h := m.heldByID(t.Hold)
	if h == nil {
		return nil
	}
	action := id
	if id == keymap.EditExternal {
		action = keymap.Edit
	}
	if left := m.left; left != nil && left.held.ID == h.ID && left.action == action {
		m.edit, m.left = left, nil
	} else {
		ed, err := m.newEditor(action, *h, m.drafts[h.ID])
		if err != nil {
			m.say(intercept.Error, "%s: %v", name(h), err)
			return nil
		}
		m.edit = &editing{Editor: ed, action: action, held: *h}
	}
	m.e.Keep(h.ID) // a person is at work: no deadline ends it
	m.zoom = false
	m.message = message{}
	if id == keymap.EditExternal {
		return m.toExternal()
	}
	return nil
}

// editKey gives a key to the editor, but for the few that mean the same in all of them.
func (m *Model) editKey(k tea.KeyMsg) tea.Cmd {
	if m.edit.grid() && !m.edit.Busy() && !k.Paste {
		if a, _ := m.keys.Lookup(keymap.InGrid, k.String()); a.ID == keymap.Help {
			m.openOverlay(overlayHelp)
			m.overlay.context = keymap.InGrid
			return nil
		}
	}
	a, ok := m.keys.Lookup(keymap.InEditor, k.String())
	if !ok || k.Paste {
		return m.edit.Update(k)
	}
	switch a.ID {
	case keymap.Draft:
		m.keepDraft()
	case keymap.Apply:
		m.apply()
	case keymap.External:
		return m.toExternal()
	case keymap.Close:
		if m.edit.Busy() {
			return m.edit.Update(k)
		}
		m.closeEditor()
	case keymap.Cancel:
		m.closeEditor()
	default:
		return m.edit.Update(k)
	}
	return nil
}

// keepDraft closes the editor and leaves the event paused, with what was made of it.
func (m *Model) keepDraft() {
	e := m.edit
	v, err := e.Verdict()
	if err != nil {
		m.say(intercept.Error, "not kept: %v", err)
		return
	}
	m.edit = nil
	if e.gone {
		return
	}
	m.setDraft(e, v)
	if v.Touches() {
		m.say(intercept.Info, "%s: draft kept, still paused; c sends it, u drops it", name(&e.held))
	}
}

func (m *Model) setDraft(e *editing, v intercept.Verdict) {
	if v.Touches() {
		m.drafts[e.held.ID] = &v
	} else {
		delete(m.drafts, e.held.ID)
	}
	m.tellDrafts()
}

// closeEditor closes and keeps the draft. What is no verdict yet is left in its editor.
func (m *Model) closeEditor() {
	e := m.edit
	m.edit = nil
	if e.gone {
		return
	}
	v, err := e.Verdict()
	if err != nil {
		m.left = e
		m.say(intercept.Warning, "not a draft yet: %v; the same key opens it again", err)
		return
	}
	m.setDraft(e, v)
	if v.Touches() {
		m.say(intercept.Info, "%s: draft kept; c sends it, u drops it", name(&e.held))
	}
}

// apply resolves the event with what was edited. When that is refused the editor stays open.
func (m *Model) apply() {
	e := m.edit
	v, err := e.Verdict()
	if err == nil {
		err = m.e.Resolve(e.held.ID, v)
	}
	if errors.Is(err, intercept.ErrUnawaited) {
		if h := m.heldByID(e.held.ID); h != nil {
			m.askUnawaited(h, v)
			return
		}
	}
	if err != nil {
		m.say(intercept.Error, "not sent: %v", err)
		return
	}
	m.edit = nil
	m.released(&e.held, intercept.Continue, v)
	m.keepRule(e.Editor)
}

// externalMsg is a text on disk, ready for $EDITOR.
type externalMsg struct {
	file string
	err  error
}

// editedMsg is what $EDITOR made of it.
type editedMsg struct {
	text string
	err  error
}

// toExternal writes what is edited to a file for $EDITOR.
func (m *Model) toExternal() tea.Cmd {
	if m.editorCommand() == nil {
		m.say(intercept.Info, "neither $VISUAL nor $EDITOR is set; this editor does it all")
		return nil
	}
	text, suffix, ok := m.edit.External()
	if !ok {
		m.say(intercept.Info, "there is no text here that another editor could take")
		return nil
	}
	return func() tea.Msg {
		f, err := os.CreateTemp("", "mydbg-*"+suffix) // mode 0600
		if err != nil {
			return externalMsg{err: err}
		}
		_, err = f.WriteString(text)
		return externalMsg{f.Name(), errors.Join(err, f.Close())}
	}
}

func (m *Model) editorCommand() []string {
	for _, v := range []string{"VISUAL", "EDITOR"} {
		if c := strings.Fields(m.o.Getenv(v)); len(c) > 0 {
			return c
		}
	}
	return nil
}

// external starts $EDITOR; the screen is its own until it ends, traffic goes on.
func (m *Model) external(msg externalMsg) tea.Cmd {
	if msg.err != nil {
		m.say(intercept.Error, "$EDITOR: %v", msg.err)
		return nil
	}
	c := m.editorCommand()
	cmd := exec.Command(c[0], append(c[1:], msg.file)...)
	return tea.ExecProcess(cmd, func(err error) tea.Msg {
		text, readErr := os.ReadFile(msg.file)
		_ = os.Remove(msg.file) // nothing to do about one that stays
		return editedMsg{strings.TrimSuffix(string(text), "\n"), errors.Join(err, readErr)}
	})
}

// edited takes back what $EDITOR made.
func (m *Model) edited(msg editedMsg) {
	m.pull()
	switch {
	case msg.err != nil:
		m.say(intercept.Error, "$EDITOR: %v; nothing was changed", msg.err)
	case m.edit == nil:
		m.say(intercept.Warning, "the event was released meanwhile; the text from $EDITOR is not used")
	default:
		if err := m.edit.SetExternal(msg.text); err != nil {
			m.say(intercept.Error, "$EDITOR: %v", err)
		}
	}
}
