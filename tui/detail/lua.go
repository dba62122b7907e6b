package detail

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// luaLines is the Lua tab in lines of w cells: what scripts decided at the events, and what they printed.
func (m *Model) luaLines(w int) []string {
	var lines []string
	for i := range m.s.Acted {
		a := &m.s.Acted[i]
		if i == 0 {
			lines = append(lines, m.th.Strong.Render("what scripts decided"))
		}
		script, sent := effectFrom(&a.Script), effectFrom(&a.Sent)
		lines = append(lines, m.dim(fmt.Sprintf("%s  %s  %s", a.At.Format(time.TimeOnly), a.Point, a.Script.By), w)...)
		lines = append(lines, below(m.th, m.th.Text, m.decision(a, &script), w)...)
		if a.Changed {
			lines = append(lines, below(m.th, m.th.Edited, orNone(a.Sent.By)+" then: "+m.decision(a, &sent), w)...)
		}
	}
	if len(m.s.Lines) == 0 {
		return lines
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	lines = append(lines, m.th.Strong.Render("what they printed"))
	for i := range m.s.Lines {
		l := &m.s.Lines[i]
		hook := l.Hook
		if hook == "" {
			hook = "loading"
		}
		lines = append(lines, m.dim(fmt.Sprintf("%s  %s  %s", l.At.Format(time.TimeOnly), hook, l.From), w)...)
		lines = append(lines, below(m.th, lineStyle(m.th, l), l.Text, w)...)
		if l.Trace != "" {
			lines = append(lines, below(m.th, m.th.Dim, strings.TrimSpace(l.Trace), w)...)
		}
	}
	return lines
}

// decision is what was decided about an event, in words.
func (m *Model) decision(a *intercept.Acted, e *effect) string {
	var list []string
	switch {
	case e.action == intercept.Close: // also says so
	case e.queries != nil && len(e.queries) == 0 && e.answer == nil:
		list = append(list, "sends nothing")
	case len(e.queries) == 1:
		list = append(list, "sends "+queryName(&e.queries[0], a.Context))
	case len(e.queries) > 0:
		list = append(list, "sends "+many(len(e.queries), "query", "queries"))
	}
	switch {
	case e.answer != nil:
		cx := *a.Context
		cx.Command = e.answer.Command
		list = append(list, "answers "+summaryOf(e.answer, &cx))
	case e.packet != nil:
		list = append(list, "sends another packet")
	}
	if list = append(list, e.also()...); len(list) == 0 {
		return "passed on as it came"
	}
	return strings.Join(list, ", ")
}

func lineStyle(th *theme.Theme, l *Line) theme.Style {
	switch {
	case l.Failed:
		return th.Error
	case l.Hint:
		return th.Warning
	}
	return th.Text
}

// below wraps a text of any number of lines two cells in.
func below(th *theme.Theme, style theme.Style, text string, w int) []string {
	var lines []string
	for part := range strings.SplitSeq(text, "\n") {
		for _, l := range safe.Wrap(strings.ReplaceAll(part, "\t", "  "), max(w-2, 1)) {
			lines = append(lines, theme.Fit("  "+style.Render(l), w))
		}
	}
	return lines
}

// luaText is the Lua tab for the clipboard.
func (m *Model) luaText() string {
	return strings.TrimSpace(ansi.Strip(strings.Join(m.luaLines(100), "\n")))
}

// scriptFact says where among the scripts an event is held, what they made of it, and how much they printed.
func (m *Model) scriptFact(w int) []string {
	var lines []string
	if h := m.s.Held; h != nil && h.Event != nil {
		text := "2, after the scripts; "
		scripts := effectFrom(&h.SoFar)
		switch {
		case h.Pre:
			text = "1, as received: the scripts are asked when it goes on unchanged"
		case !m.s.Scripts && !scripts.changes():
			text = ""
		default:
			text += scriptNote(&scripts)
		}
		if text != "" {
			lines = m.fact("at stage", text, w)
		}
	}
	if n := len(m.s.Lines); n > 0 {
		lines = append(lines, m.fact("printed", many(n, "line", "lines")+", see Lua", w)...)
	}
	return lines
}
