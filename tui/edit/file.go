package edit

import (
	"errors"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// file edits the server's request for a file of the app's: another name, or a refusal.
type file struct {
	env   Env
	held  intercept.Held
	draft *intercept.Verdict
	base  intercept.Verdict

	fileState
	history[fileState]
	err error
}

type fileState struct {
	name   text
	refuse bool
	focus  int // 0 the name, 1 the refusal
}

func newFile(h intercept.Held, draft *intercept.Verdict, env Env) Editor {
	e := &file{env: env, held: h, draft: draft, base: begin(h.Event, draft)}
	e.name = oneLine(h.File.Name)
	if len(e.base.Packet) > 1 {
		e.name = oneLine(string(e.base.Packet[1:]))
	}
	e.refuse = e.base.Action == intercept.Reply
	e.check()
	return e
}

func (e *file) Title() string {
	return "Edit " + name(e.held.Event) + ": the file that the server asks for"
}
func (e *file) Busy() bool { return false }

func (e *file) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	was := e.fileState
	switch e.env.action(keymap.InEditor, k) {
	case keymap.EditUndo:
		if s, ok := e.undo(e.fileState); ok {
			e.fileState = s
		}
	case keymap.EditRedo:
		if s, ok := e.redo(e.fileState); ok {
			e.fileState = s
		}
	case keymap.NextField, keymap.PrevField:
		e.focus = 1 - e.focus
	default:
		if e.focus == 0 {
			if _, edited := e.name.key(k); edited {
				e.did(was, typing("name", k))
			}
		} else if s := k.String(); s == " " || s == "left" || s == "right" {
			e.refuse = !e.refuse
			e.did(was, "")
		}
	}
	e.check()
	return nil
}

func (e *file) check() { _, e.err = e.Verdict() }

func (e *file) Verdict() (intercept.Verdict, error) {
	if !e.Touched() {
		return kept(e.draft), nil
	}
	v := e.base
	v.Action, v.Packet, v.Answer = intercept.Pass, nil, nil
	switch s := e.name.String(); {
	case e.refuse && e.base.Action == intercept.Reply: // with the error that Respond made
		v.Action, v.Answer = intercept.Reply, e.base.Answer
	case e.refuse:
		no := intercept.RefuseFile(e.held.Event)
		v.Action, v.Answer = no.Action, no.Answer
	case s == "":
		return intercept.Verdict{}, errors.New("a file has a name: refuse it if the app is to send none")
	case s != e.held.File.Name:
		other := intercept.AskForFile(s)
		v.Action, v.Packet = other.Action, other.Packet
	}
	return v, intercept.Check(e.held.Event, &v)
}

// refusal is what the app is told.
func (e *file) refusal() string {
	a := e.base.Answer
	if e.base.Action != intercept.Reply {
		no := intercept.RefuseFile(e.held.Event)
		a = no.Answer
	}
	var m mysqlwire.ERR
	if a == nil || m.Decode(a.Packets[0].Payload, nil) != nil {
		return "an answer in the server's place"
	}
	return m.Error()
}

var fileHints = []keymap.ID{keymap.Apply, keymap.Draft, keymap.NextField, keymap.EditUndo, keymap.External, keymap.Close}

func (e *file) View(w, h int) string {
	iw, _ := theme.Inner(w, h)
	room := max(iw-indent, 1)
	head := "The server asks the app for this file and reads whatever it sends. What comes crosses as it is."
	body := strings.Split(e.env.Theme.Dim.Render(strings.Join(safe.Wrap(head, iw), "\n")), "\n")
	body = append(body, "", e.env.label("file", e.focus == 0)+e.name.viewLine(e.env.Theme, room, e.focus == 0))
	for i, s := range safe.Wrap("the server is told there is none, the app gets "+e.refusal(), max(room-4, 1)) {
		label := e.env.label("", false) + "    "
		if i == 0 {
			label = e.env.label("refuse", e.focus == 1) + e.env.checkbox(e.refuse, e.focus == 1) + " "
		}
		body = append(body, label+e.env.Theme.Text.Render(s))
	}
	body = append(body, "")
	if !e.held.File.Named {
		body = append(body, e.env.note("note", "The statement does not name this file. A server can ask for any file in answer to any statement.", iw)...)
	}
	ok := "the app is asked for the file the server wants"
	switch {
	case e.refuse:
		ok = "refused; what follows in the same command runs all the same"
	case e.name.String() != e.held.File.Name:
		ok = fmt.Sprintf("the app is asked for %q instead", e.name.String())
	}
	body = append(body, e.env.verdictLine(e.err, ok, iw)...)
	return e.env.frame(e.Title(), body, keymap.InEditor, fileHints, w, h)
}

// External is the name alone.
func (e *file) External() (text, suffix string, ok bool) { return e.name.String() + "\n", ".txt", true }

func (e *file) SetExternal(s string) error {
	s = strings.TrimRight(s, "\r\n")
	if strings.ContainsAny(s, "\r\n") {
		return errors.New("the text has several lines: it is to be one name")
	}
	if s == e.name.String() {
		return nil
	}
	was := e.fileState
	e.name.set(s)
	e.did(was, "")
	e.check()
	return nil
}
