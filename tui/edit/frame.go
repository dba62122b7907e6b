package edit

import (
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

const (
	editing      = "EDITING, debug keys off"
	editingShort = "EDITING"

	labelWidth = 11
)

func itoa(n int) string { return strconv.Itoa(n) }

// keys is the map in use.
func (e *Env) keys() *keymap.Map {
	if e.Keys == nil {
		e.Keys = keymap.Default()
	}
	return e.Keys
}

// action is what k does in an editor, "" for text.
func (e *Env) action(in keymap.Context, k tea.KeyMsg) keymap.ID {
	if k.Paste {
		return ""
	}
	a, ok := e.keys().Lookup(in, k.String())
	if !ok {
		return ""
	}
	return a.ID
}

// frame draws an editor's box: body lines, the rest empty, hints in the last line. The title always says that
// letters are text now.
func (e *Env) frame(title string, body []string, in keymap.Context, hints []keymap.ID, w, h int) string {
	right := editing
	if safe.Width(title)+len(right)+9 > w {
		right = editingShort
	}
	title = safe.Cut(title, max(w-9-len(right), 0))
	iw, ih := theme.Inner(w, h)
	lines := make([]string, 0, max(ih, len(body)))
	lines = append(lines, body...)
	if ih > 1 {
		lines = append(lines[:min(len(lines), ih-1):min(len(lines), ih-1)], make([]string, max(ih-1-len(lines), 0))...)
		lines = append(lines, e.Theme.Dim.Render(strings.TrimLeft(e.keys().FooterText(in, hints, iw), " ")))
	}
	return e.Theme.BoxLines(title, right, lines, w, h, true)
}

// label begins a line of a form; the pointer says where the focus is, also without colours.
func (e *Env) label(name string, focused bool) string {
	mark := "  "
	if focused {
		mark = e.Theme.Pointer() + " "
	}
	return e.Theme.Key.Render(mark + safe.Pad(name, labelWidth))
}

// indent is the width of a label.
const indent = labelWidth + 2

// choice draws one button of several.
func (e *Env) choice(name string, chosen, focused bool) string {
	switch {
	case chosen && focused:
		return e.Theme.Cursor.Render("[>" + name + "]")
	case chosen:
		return e.Theme.TabActive.Render("[>" + name + "]")
	}
	return e.Theme.Tab.Render("[ " + name + "]")
}

// checkbox draws a box that is ticked or not.
func (e *Env) checkbox(on, focused bool) string {
	s := "[ ]"
	if on {
		s = "[x]"
	}
	if focused {
		return e.Theme.Cursor.Render(s)
	}
	return e.Theme.Text.Render(s)
}

// verdictLine says whether the draft can be sent, and what it is or why it cannot.
func (e *Env) verdictLine(err error, ok string, w int) []string {
	if err == nil {
		return []string{e.label("check", false) + e.Theme.Text.Render(safe.Cut("ok, "+ok, max(w-indent, 0)))}
	}
	var lines []string
	for i, s := range safe.Wrap(err.Error(), max(w-indent, 1)) {
		if i == 3 {
			break
		}
		name := ""
		if i == 0 {
			name = "check"
		}
		lines = append(lines, e.label(name, false)+e.Theme.Invalid.Render(s))
	}
	return lines
}

// note draws a warning over as many lines as it needs.
func (e *Env) note(name, s string, w int) []string {
	if s == "" {
		return nil
	}
	var lines []string
	for i, part := range safe.Wrap(s, max(w-indent, 1)) {
		if i > 0 {
			name = ""
		}
		lines = append(lines, e.label(name, false)+e.Theme.Warning.Render(part))
	}
	return lines
}

// typing is the group of an edit by a key: letters of one word are undone together.
func typing(where string, k tea.KeyMsg) string {
	switch {
	case k.Type == tea.KeyRunes && !k.Paste && len(k.Runes) == 1:
		return where + " typed"
	case k.Type == tea.KeyBackspace:
		return where + " rubbed out"
	}
	return ""
}
