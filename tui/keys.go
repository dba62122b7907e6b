package tui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/keymap"
)

const (
	burst    = 30 * time.Millisecond  // so long a printable key waits for company
	burstLen = 4                      // so many keys in that time are no typing
	quiet    = 60 * time.Millisecond  // so long nothing may come until keys are believed again
	repeat   = 60 * time.Millisecond  // a release key pressed again within is still the same press
	settle   = 250 * time.Millisecond // so long a question hears nothing
)

// guard keeps text from acting as keys.
type guard struct {
	waiting  []tea.KeyMsg
	since    time.Time
	flushing bool
	muted    time.Time // until then keys of the main contexts are part of a paste
	released map[keymap.ID]time.Time
}

type flushMsg struct{}

// context is where a key is pressed now.
func (m *Model) context() keymap.Context {
	switch {
	case m.dialog != nil && m.dialog.quit:
		return keymap.InQuit
	case m.dialog != nil:
		return keymap.InConfirm
	case m.prompt != nil, m.overlay != nil:
		return keymap.InPrompt
	case m.edit != nil:
		return keymap.InEditor
	case m.inScripts():
		return keymap.InSnippet
	case m.inLua():
		return keymap.InScripts
	case m.focus == inInspector || m.focus == inHex:
		return keymap.InInspector
	case m.rec != nil:
		return keymap.InRecording
	}
	return keymap.InList
}

// key sends a key to what has the keyboard: a question, a prompt, an editor, or the panes.
func (m *Model) key(k tea.KeyMsg) tea.Cmd {
	switch {
	case m.lay.tiny && m.dialog == nil:
		return m.tinyKey(k)
	case m.dialog != nil:
		return m.dialogKey(k)
	case m.prompt != nil:
		return m.promptKey(k)
	case m.overlay != nil:
		return m.overlayKey(k)
	case m.edit != nil:
		return m.editKey(k)
	case m.inScripts():
		return m.scripts.Update(k)
	}
	return m.mainKey(k)
}

// mainKey holds a printable key back until it is clear that it was typed.
func (m *Model) mainKey(k tea.KeyMsg) tea.Cmd {
	now := m.now()
	if k.Paste || now.Before(m.guard.muted) {
		m.guard.muted = now.Add(quiet)
		m.pasted()
		return nil
	}
	if len(m.guard.waiting) == 0 && !printable(k) {
		return m.press(k)
	}
	if len(m.guard.waiting) == 0 {
		m.guard.since = now
	}
	if k.Type == tea.KeyRunes {
		for _, r := range k.Runes { // several read at once come as one
			m.guard.waiting = append(m.guard.waiting, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt})
		}
	} else {
		m.guard.waiting = append(m.guard.waiting, k)
	}
	if now.Sub(m.guard.since) <= burst && count(m.guard.waiting) >= burstLen {
		m.guard.waiting = nil
		m.guard.muted = now.Add(quiet)
		m.pasted()
		return nil
	}
	if m.guard.flushing {
		return nil
	}
	m.guard.flushing = true
	return m.after(burst, flushMsg{})
}

func printable(k tea.KeyMsg) bool { return k.Type == tea.KeyRunes || k.Type == tea.KeySpace }

func count(ks []tea.KeyMsg) (n int) {
	for _, k := range ks {
		if printable(k) {
			n++
		}
	}
	return n
}

func (m *Model) pasted() {
	const text = "paste ignored: press / : i or e first"
	if m.message.text != text {
		m.say(intercept.Warning, text)
	}
	m.message.level, m.message.at = intercept.Info, m.now() // it needs no dismissing
}

// flush presses the keys that waited. One that opens a prompt takes the rest along.
func (m *Model) flush() tea.Cmd {
	m.guard.flushing = false
	waiting := m.guard.waiting
	m.guard.waiting = nil
	var cmds []tea.Cmd
	for _, k := range waiting {
		if m.dialog != nil || m.prompt != nil || m.overlay != nil || m.edit != nil {
			cmds = append(cmds, m.key(k))
			continue
		}
		cmds = append(cmds, m.press(k))
	}
	return tea.Batch(cmds...)
}

// press runs what a key means in the main contexts.
func (m *Model) press(k tea.KeyMsg) tea.Cmd {
	a, ok := m.keys.Lookup(m.context(), k.String())
	if !ok {
		return nil
	}
	if a.Group == keymap.GroupRelease && m.repeated(a.ID) {
		return nil
	}
	m.stopTimer()
	return m.do(a.ID)
}

// countdown is the end of a deadline: it is shown running down, and any key on the event stops it.
const countdown = 5 * time.Second

func (m *Model) stopTimer() {
	t, _ := m.target()
	h := m.heldByID(t.Hold)
	if h == nil || h.Deadline.IsZero() || h.Deadline.Sub(m.now()) > countdown {
		return
	}
	m.e.Keep(h.ID)
	m.pull()
	m.say(intercept.Info, "%s: its timer is stopped, it stays paused", name(h))
}

// repeated reports whether a release key is held down.
func (m *Model) repeated(id keymap.ID) bool {
	if m.guard.released == nil {
		m.guard.released = map[keymap.ID]time.Time{}
	}
	now := m.now()
	last, pressed := m.guard.released[id]
	m.guard.released[id] = now
	return pressed && now.Sub(last) < repeat
}

// tinyKey is for windows too small to show anything: what lets traffic go, and the way out.
func (m *Model) tinyKey(k tea.KeyMsg) tea.Cmd {
	if k.Paste || len(k.Runes) > 1 {
		return nil
	}
	a, ok := m.keys.Lookup(keymap.InList, k.String())
	if !ok || a.Group == keymap.GroupRelease && m.repeated(a.ID) {
		return nil
	}
	switch a.ID {
	case keymap.Continue:
		m.show(keymap.Events)
		if t, _ := m.target(); t.Hold == 0 && len(m.held) > 0 {
			m.events.SelectHeld(m.held[0].ID)
		}
		return m.do(a.ID)
	case keymap.ContinueAll, keymap.QuitDialog, keymap.Cancel, keymap.Quit, keymap.Suspend:
		return m.do(a.ID)
	}
	return nil
}
