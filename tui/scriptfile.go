package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
)

// scriptFile is the text of a script on its way through $EDITOR: a copy, so that no connection loads what
// is half written or does not compile.
type scriptFile struct {
	n      int
	name   string
	line   int    // where the cursor should be; 0 if it does not matter
	was    []byte // the script's own file when the copy was made
	copied []byte // the copy as $EDITOR got it
	path   string // of the copy
}

// The messages of an edit of a script.
type (
	scriptReadyMsg struct {
		file scriptFile
		err  error
	}
	scriptEditedMsg struct {
		file scriptFile
		text []byte
		err  error
	}
	scriptSavedMsg struct {
		n        int
		name     string
		what     string // that was done
		text     []byte // that could not be saved
		findings []string
		err      error
	}
)

// saveWithin is how long a script may take to be saved or loaded again: its hooks are waited for.
const saveWithin = 10 * time.Second

// reload has open connections run a script as its file is now.
func (m *Model) reload(n int) tea.Cmd {
	s := m.o.Snippets
	name := m.scriptName(n)
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), saveWithin)
		defer cancel()
		return scriptSavedMsg{n: n, name: name, what: "loaded again", err: s.Reload(ctx, n)}
	}
}

func (m *Model) scriptName(n int) string {
	if list := m.o.Snippets.Scripts(); n < len(list) {
		return list[n].Name
	}
	return "the script"
}

// openScript writes a copy of a script for $EDITOR: of what could not be saved before, or of its file.
func (m *Model) openScript(n int) tea.Cmd {
	s := m.o.Snippets
	list := s.Scripts()
	switch {
	case m.o.ReadOnly:
		m.say(intercept.Info, "--read-only: nothing may be altered")
		return nil
	case n >= len(list):
		m.say(intercept.Info, "there is no script; --script FILE loads one")
		return nil
	case m.editorCommand() == nil:
		m.say(intercept.Info, "neither $VISUAL nor $EDITOR is set; edit %s elsewhere, ctrl+l has open connections run it", list[n].Path)
		return nil
	}
	f := scriptFile{n: n, name: list[n].Name, copied: m.unsaved[n]}
	if e := list[n].Err; e != nil && f.copied == nil && filepath.Base(e.Path) == f.name {
		f.line = e.Line
	}
	return func() tea.Msg {
		var err error
		if f.was, err = s.Source(n); err != nil {
			return scriptReadyMsg{f, err}
		}
		if f.copied == nil {
			f.copied = f.was
		}
		out, err := os.CreateTemp("", "mydbg-*-"+f.name) // mode 0600
		if err != nil {
			return scriptReadyMsg{f, err}
		}
		f.path = out.Name()
		_, err = out.Write(f.copied)
		return scriptReadyMsg{f, errors.Join(err, out.Close())}
	}
}

// takesLine are editors that understand +LINE.
var takesLine = []string{"vi", "vim", "nvim", "nano", "pico", "emacs", "joe", "jed", "ne", "kak", "mg"}

// editScript starts $EDITOR; the screen is its own until it ends, traffic goes on.
func (m *Model) editScript(msg scriptReadyMsg) tea.Cmd {
	if msg.err != nil {
		m.say(intercept.Error, "%s: %v", msg.file.name, msg.err)
		return nil
	}
	f, words := msg.file, slices.Clone(m.editorCommand())
	if f.line > 0 && slices.Contains(takesLine, filepath.Base(words[0])) {
		words = append(words, "+"+strconv.Itoa(f.line))
	}
	words = append(words, f.path)
	return tea.ExecProcess(exec.Command(words[0], words[1:]...), func(err error) tea.Msg {
		text, readErr := os.ReadFile(f.path)
		_ = os.Remove(f.path) // nothing to do about one that stays
		return scriptEditedMsg{f, text, errors.Join(err, readErr)}
	})
}

// saveScript writes what $EDITOR made of a script, and has open connections run it.
func (m *Model) saveScript(msg scriptEditedMsg) tea.Cmd {
	m.pull()
	f := msg.file
	switch {
	case msg.err != nil:
		m.say(intercept.Error, "$EDITOR: %v; %s is as it was", msg.err, f.name)
		return nil
	case slices.Equal(msg.text, f.was):
		delete(m.unsaved, f.n)
		m.say(intercept.Info, "%s: nothing was changed", f.name)
		return nil
	}
	s := m.o.Snippets
	return func() tea.Msg {
		done := scriptSavedMsg{n: f.n, name: f.name, what: "saved and loaded again"}
		if now, err := s.Source(f.n); err == nil && !slices.Equal(now, f.was) {
			done.text, done.err = msg.text, fmt.Errorf("%s has changed on disk meanwhile", f.name)
			return done
		}
		ctx, cancel := context.WithTimeout(context.Background(), saveWithin)
		defer cancel()
		if done.findings, done.err = s.Save(ctx, f.n, msg.text); done.err != nil {
			done.text = msg.text
		}
		return done
	}
}

// scriptSaved says how it went. A text that could not be saved is kept for the next edit.
func (m *Model) scriptSaved(msg scriptSavedMsg) {
	m.scripts.Pull()
	if msg.err != nil {
		if msg.text == nil {
			m.say(intercept.Error, "not loaded again, connections run what they ran: %v", msg.err)
			return
		}
		m.unsaved[msg.n] = msg.text
		m.say(intercept.Error, "not saved: %v. File and connections are as they were; e opens your text again", msg.err)
		return
	}
	delete(m.unsaved, msg.n)
	m.scripts.SetFindings(msg.n, msg.findings)
	if n := len(msg.findings); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(", and %d more", n-1)
		}
		m.say(intercept.Warning, "%s %s, but %s%s", msg.name, msg.what, msg.findings[0], more)
		return
	}
	m.say(intercept.Info, "%s %s: open connections run it before their next hook", msg.name, msg.what)
}
