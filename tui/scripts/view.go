package scripts

import (
	"fmt"
	"path/filepath"
	"strings"

	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// hints are the keys that one needs at the prompt.
var hints = []keymap.ID{keymap.Accept, keymap.Draft, keymap.Apply, keymap.External, keymap.Reload, keymap.HistoryPrev, keymap.Close}

// View draws the pane as a box of exactly w by h.
func (m *Model) View(w, h int, focused bool) string {
	iw, ih := theme.Inner(w, h)
	tail := m.prompt(iw, focused)
	top := m.status(iw, max(ih/4, 1))
	room := max(ih-len(top)-len(tail), 0)
	lines := m.output(iw)
	end := max(len(lines)-min(m.scroll, max(len(lines)-room, 0)), 0)
	lines = lines[max(end-room, 0):end]
	body := append(top, lines...)
	for len(body) < ih-len(tail) {
		body = append(body, "")
	}
	title := m.title()
	keys := m.keys.FooterText(keymap.InSnippet, hints, max(w-safe.Width(title)-12, 0))
	return m.theme.BoxLines(title, strings.TrimSpace(keys), append(body, tail...), w, h, focused)
}

func (m *Model) title() string {
	if m.engine == nil {
		return "6 Lua: no scripts"
	}
	var parts []string
	for _, s := range m.scripts {
		state := "ok"
		if !s.OK {
			state = "error"
		}
		parts = append(parts, filepath.Base(s.Name)+" "+state)
	}
	if len(parts) == 0 {
		return "6 Lua: no scripts"
	}
	return "6 Lua: " + strings.Join(parts, ", ")
}

// status is a line for each script, as many as there is room for.
func (m *Model) status(w, limit int) []string {
	var lines []string
	for i, s := range m.scripts {
		if len(lines) == limit-1 && i < len(m.scripts)-1 {
			lines = append(lines, m.theme.Dim.Render(safe.Cut(fmt.Sprintf("%d more scripts", len(m.scripts)-i), w)))
			break
		}
		if s.OK {
			text := fmt.Sprintf("%s  ok, %d connections, %d calls", filepath.Base(s.Name), s.Conns, s.Calls)
			lines = append(lines, m.theme.Script.Render(safe.Cut(text, w)))
		} else {
			lines = append(lines, m.theme.Error.Render(safe.Cut(filepath.Base(s.Name)+"  error: "+s.Err, w)))
		}
	}
	return lines
}

// output is what scripts printed, then the snippets and what came of them.
func (m *Model) output(w int) []string {
	th := m.theme
	var lines []string
	for _, l := range m.lines {
		where := "conn " + fmt.Sprint(uint64(l.Conn))
		if l.Exchange != 0 {
			where = fmt.Sprintf("#%d", l.Exchange)
		}
		from := filepath.Base(l.Script)
		if l.Source > 0 {
			from = fmt.Sprintf("%s:%d", from, l.Source)
		}
		head := safe.Line(fmt.Sprintf("%s %s %s  ", l.At.Format("15:04:05"), where, from))
		style := th.Text
		if l.Failed {
			style = th.Error
		}
		lines = append(lines, th.Dim.Render(safe.Cut(head, w))+style.Render(safe.Cut(l.Text, max(w-safe.Width(head), 0))))
	}
	for _, t := range m.tries {
		lines = append(lines, m.tried(t, w)...)
	}
	if len(lines) == 0 {
		return m.intro(w)
	}
	return lines
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

func (m *Model) tried(t *try, w int) []string {
	th := m.theme
	on := "on " + t.subject.Name
	room := max(w-2-safe.Width(on)-2, 1)
	lines := []string{th.Strong.Render("> ") + th.Strong.Render(safe.Pad(t.code, room)) + "  " + th.Dim.Render(safe.Cut(on, max(w-room-4, 0)))}
	if t.running {
		return append(lines, th.InFlight.Render(safe.Cut("  runs; ctrl+c stops it", w)))
	}
	n := 0
	for i, s := range t.result.Output {
		if n == shownLines {
			lines = append(lines, th.Partial.Render(safe.Cut(fmt.Sprintf("  %d more, limit %d lines", len(t.result.Output)-i, shownLines), w)))
			break
		}
		for _, part := range safe.Wrap(s, max(w-2, 1)) {
			lines = append(lines, "  "+th.Text.Render(part))
		}
		n++
	}
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
	return append(lines, th.Key.Render("> ")+m.input.View(th, max(w-2-safe.Width(on), 1), focused)+th.Dim.Render(on))
}
