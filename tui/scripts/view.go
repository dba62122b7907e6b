package scripts

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// hints are the keys that one needs in each part.
var hints = [...][]keymap.ID{
	Table:  {keymap.Edit, keymap.Reload, keymap.TryHooks, keymap.FocusNext},
	Output: {keymap.Open, keymap.Snippet, keymap.TryHooks, keymap.FocusNext},
	Prompt: {keymap.Accept, keymap.TryHooks, keymap.NextScript, keymap.External, keymap.FocusPrev, keymap.Close},
}

// Hints are the actions that the footer names.
func (m *Model) Hints() []keymap.ID {
	if m.part == Prompt {
		return []keymap.ID{keymap.Accept, keymap.Draft, keymap.Apply, keymap.TryHooks, keymap.NextScript, keymap.Complete, keymap.FocusPrev, keymap.Close}
	}
	ids := []keymap.ID{keymap.Edit, keymap.Reload, keymap.TryHooks, keymap.Snippet, keymap.FocusNext, keymap.Back, keymap.Help}
	if m.part == Output {
		ids = append([]keymap.ID{keymap.Open}, ids[2:]...)
	}
	return ids
}

// View draws the pane as a box of exactly w by h.
func (m *Model) View(w, h int, focused bool) string {
	iw, ih := theme.Inner(w, h)
	tail := m.prompt(iw, focused && m.part == Prompt)
	room := max(ih-len(tail), 0)
	body := m.table(iw, max(room*2/5, 1), focused && m.part == Table)
	limit := min(3, (room-len(body))/3)
	if m.open && m.part == Table {
		limit = (room - len(body)) * 3 / 4
	}
	body = append(body, m.trouble(iw, limit)...)
	if len(body) > 0 && room-len(body) > 2 {
		body = append(body, m.heading(iw, focused && m.part == Output))
	}
	body = append(body, m.output(iw, max(room-len(body), 0), focused && m.part == Output)...)
	for len(body) < room {
		body = append(body, "")
	}
	title := m.title()
	context := keymap.InScripts
	if m.part == Prompt {
		context = keymap.InSnippet
	}
	keys := m.keys.FooterText(context, hints[m.part], max(w-safe.Width(title)-12, 0))
	return m.theme.BoxLines(title, strings.TrimSpace(keys), append(body, tail...), w, h, focused)
}

func (m *Model) title() string {
	var parts []string
	for _, s := range m.scripts {
		state := "ok"
		if !s.OK {
			state = "error"
		}
		parts = append(parts, s.Name+" "+state)
	}
	if len(parts) == 0 {
		return "6 Lua: no scripts"
	}
	return "6 Lua: " + strings.Join(parts, ", ")
}

// heading stands above the output: how much there is, and of what.
func (m *Model) heading(w int, focused bool) string {
	hints, errors := 0, 0
	for i := range m.lines {
		switch m.lines[i].Level {
		case Hint:
			hints++
		case Failed:
			errors++
		}
	}
	text := "output  " + many(len(m.lines), "line", "lines")
	if hints > 0 {
		text += ", " + many(hints, "hint", "hints")
	}
	if errors > 0 {
		text += ", " + many(errors, "error", "errors")
	}
	if !m.out.follow && m.out.n > 0 {
		text += fmt.Sprintf("  (line %d of %d)", m.out.cursor+1, m.out.n)
	}
	style := m.theme.Dim
	if focused {
		style = m.theme.Strong
	}
	return style.Render(safe.Cut(text, w))
}

// output draws h lines of what scripts printed, then of what was tried and what came of it.
func (m *Model) output(w, h int, focused bool) []string {
	if w > 20 && focused { // a column for the pointer
		w -= 2
	}
	m.owners = m.owners[:0]
	var tried []string
	for _, t := range m.tries {
		lines := m.tried(t, w)
		for range lines {
			m.owners = append(m.owners, t)
		}
		tried = append(tried, lines...)
	}
	place := 0
	for i := range m.lines {
		place = max(place, min(safe.Width(m.lines[i].From()), w/4))
	}
	n := len(m.lines) + len(tried)
	from, to := m.out.place(n, h)
	if n == 0 {
		lines := m.intro(w)
		return lines[:min(len(lines), h)]
	}
	var lines []string
	for i := from; i < to; i++ {
		var line string
		if i < len(m.lines) {
			line = m.line(&m.lines[i], place, w)
		} else {
			line = tried[i-len(m.lines)]
		}
		switch {
		case focused && i == m.out.cursor:
			line = m.chosen(m.theme.Pointer()+" "+line, w+2)
		case focused:
			line = "  " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// chosen draws a selected row in reverse as a whole: colours of its parts would tear it to patches.
func (m *Model) chosen(line string, w int) string {
	return m.theme.Selected.Render(theme.Fit(ansi.Strip(line), w))
}

// tryAt is what a line of the output belongs to, if something was tried there.
func (m *Model) tryAt(i int) *try {
	if i -= len(m.lines); i >= 0 && i < len(m.owners) {
		return m.owners[i]
	}
	return nil
}

// line draws a line of output, the place that wrote it from cells wide.
func (m *Model) line(l *Line, from, w int) string {
	th := m.theme
	where := fmt.Sprintf("conn %d", l.Conn)
	if l.Exchange != 0 {
		where = fmt.Sprintf("#%d", l.Exchange)
	}
	head := fmt.Sprintf("%s %s %s  ", l.At.Format("15:04:05"), safe.Pad(where, 7), safe.Pad(l.From(), from))
	style := th.Text
	switch l.Level {
	case Hint, Warning:
		style = th.Warning
	case Failed:
		style = th.Error
	case Message:
		style = th.Info
	}
	head = safe.Cut(head, w)
	return th.Dim.Render(head) + style.Render(safe.Cut(l.Said(), max(w-safe.Width(head), 0)))
}

// examples are snippets to begin with.
var examples = []struct{ code, what string }{
	{`print(packet)`, "what was sent: the command's byte and its text"},
	{`proxy.queries:append(1, string.char(3) .. "SELECT 1") return proxy.PROXY_SEND_QUERY`, "send something else"},
	{`proxy.response = {type = proxy.MYSQLD_PACKET_ERR, errcode = 1213, sqlstate = "40001", errmsg = "no"} return proxy.PROXY_SEND_RESULT`, "answer with an error"},
	{`for row in inj.resultset.rows do print(row[1]) end`, "look at a held result"},
}

// intro says what the prompt is for.
func (m *Model) intro(w int) []string {
	if m.engine == nil {
		return nil
	}
	var lines []string
	for _, l := range safe.Wrap("Lua as in a script for MySQL Proxy, tried on the event below: what it decides is shown, and sent only when you say so. For example:", w) {
		lines = append(lines, m.theme.Text.Render(l))
	}
	for _, e := range examples {
		lines = append(lines, "", "  "+m.theme.Dim.Render(safe.Cut(e.what, max(w-2, 0))))
		for _, l := range safe.Wrap(e.code, max(w-4, 1)) {
			lines = append(lines, "    "+m.theme.Text.Render(l))
		}
	}
	return lines
}

// tried is something that was tried and what came of it.
func (m *Model) tried(t *try, w int) []string {
	th := m.theme
	on, code, sign := "on "+t.subject.Name, t.code, "> "
	switch {
	case t.code == "":
		code = "hooks of all scripts"
	case t.script != "":
		sign = t.script + "> "
	}
	room := max(w-safe.Width(sign)-safe.Width(on)-2, 1)
	lines := []string{th.Strong.Render(safe.Cut(sign, w)) + th.Strong.Render(safe.Pad(code, room)) + "  " + th.Dim.Render(safe.Cut(on, max(w-room-safe.Width(sign)-2, 0)))}
	if t.running {
		return append(lines, th.InFlight.Render(safe.Cut("  runs; ctrl+c stops it", w)))
	}
	if t.code == "" {
		lines = append(lines, m.triedHooks(t, w)...)
	}
	lines = m.printed(lines, t.result.Output, 2, w)
	if t.result.Err != nil {
		for _, part := range safe.Wrap(t.result.Err.Error(), max(w-2, 1)) {
			lines = append(lines, "  "+th.Error.Render(part))
		}
		return lines
	}
	if t.result.Describe != "" {
		lines = append(lines, th.Annotation.Render(safe.Cut("  "+on+": "+t.result.Describe, w)))
	}
	return lines
}

// triedHooks are the verdicts that hooks would have given.
func (m *Model) triedHooks(t *try, w int) []string {
	th := m.theme
	name := m.nameWidth(w)
	var lines []string
	for i := range t.tried {
		h := &t.tried[i]
		head := "  " + safe.Pad(h.Script, min(name, 20)) + " " + safe.Pad(h.Hook, 18) + " "
		style, said := th.Annotation, "would: "+h.Describe
		switch {
		case h.Err != nil:
			style, said = th.Error, h.Err.Error()
		case !h.Exists:
			style, said = th.Dim, "is not in the script"
		}
		lines = append(lines, th.Key.Render(safe.Cut(head, w))+style.Render(safe.Cut(said, max(w-safe.Width(head), 0))))
		for _, d := range h.Details {
			lines = append(lines, th.Text.Render(safe.Cut("      "+d, w)))
		}
		lines = m.printed(lines, h.Output, 6, w)
	}
	return lines
}

// printed adds what was printed while something was tried.
func (m *Model) printed(lines, output []string, indent, w int) []string {
	for i, s := range output {
		if i == shownLines {
			text := fmt.Sprintf("%d more, limit %d lines", len(output)-i, shownLines)
			return append(lines, m.theme.Partial.Render(safe.Cut(strings.Repeat(" ", indent)+text, w)))
		}
		for _, part := range safe.Wrap(s, max(w-indent, 1)) {
			lines = append(lines, strings.Repeat(" ", indent)+m.theme.Text.Render(part))
		}
	}
	return lines
}

// prompt is the input, with what it is tried on and what can be done with the newest decision.
func (m *Model) prompt(w int, focused bool) []string {
	th := m.theme
	var lines []string
	if m.note != "" {
		lines = append(lines, th.Warning.Render(safe.Cut(m.note, w)))
	} else if _, _, ok := m.Verdict(); ok {
		draft, _ := m.keys.Action(keymap.InSnippet, keymap.Draft)
		goOn, _ := m.keys.Action(keymap.InSnippet, keymap.Apply)
		lines = append(lines, th.Held.Render(safe.Cut(draft.Key()+" use it  "+goOn.Key()+" use it and continue", w)))
	}
	on := ""
	if m.subject.Event != nil {
		on = "  " + safe.Cut("on "+m.subject.Name, w/2)
	}
	sign := "> "
	if _, s, ok := m.Script(); ok && len(m.scripts) > 1 {
		sign = safe.Cut(s.Name, w/4) + "> "
	}
	return append(lines, th.Key.Render(sign)+m.input.View(th, max(w-safe.Width(sign)-safe.Width(on), 1), focused)+th.Dim.Render(on))
}
