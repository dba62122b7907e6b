package detail

import (
	"strings"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// stagesBody draws the Stages tab.
func (m *Model) stagesBody(w, h int) []string {
	l := m.stageRows()
	m.size.h = h
	if h > 0 {
		l.top = max(min(l.top, l.cursor), l.cursor-h+1)
		l.top = min(max(l.top, 0), max(len(l.rows)-h, 0))
	}
	var lines []string
	for i := l.top; i < min(l.top+max(h, 0), len(l.rows)); i++ {
		lines = append(lines, m.selected(m.stageRow(&l.rows[i], i == l.cursor, w), i == l.cursor, m.focused, w))
	}
	return fill(lines, h)
}

// stageRow draws a row: pointer, sign of the difference, name, value, and what it is.
func (m *Model) stageRow(r *stageRow, selected bool, w int) string {
	name, value := m.th.Key, m.valueStyle(r.value)
	switch r.mark {
	case markGone:
		name, value = m.th.Removed, m.th.Removed
	case markAdded:
		name, value = m.th.Added, m.th.Added
	default:
		if r.head {
			name, value = m.th.Strong, m.th.Text
		} else if r.same {
			name, value = m.th.Dim, m.th.Dim
		}
	}
	left := m.pointer(selected) + strings.Repeat(" ", 2*r.depth)
	switch {
	case r.mark != markNone:
		left += string(rune(r.mark)) + " "
	case !r.head:
		left += "  "
	}
	used := len(left)
	tail, tailStyle := "", m.th.Dim
	switch {
	case r.tagged:
		tail, tailStyle = r.tag.Tag(), m.th.State(r.tag)
	case r.same && !r.head && m.stages.changes > 0:
		tail = "(same)"
	}
	room := w - used
	if tail != "" && room > 24 {
		room -= len(tail) + 2
	} else {
		tail = ""
	}
	var out strings.Builder
	out.WriteString(left)
	switch {
	case r.value == "":
		text := safe.Cut(r.name, room)
		out.WriteString(name.Render(text))
		used = safe.Width(text)
	default:
		at := max(valueColumn(w)-len(left), 8)
		if r.head {
			at = max(24-len(left), 8)
		}
		label := safe.Cut(r.name, at-1)
		if r.name == "…" {
			label = m.th.Ellipsis()
		}
		if r.head {
			label = safe.Cut(r.name, max(room-2, 1))
			at = max(at, safe.Width(label)+2)
		}
		text := safe.Cut(r.value, max(room-at, 0))
		out.WriteString(name.Render(label) + strings.Repeat(" ", max(at-safe.Width(label), 1)) + value.Render(text))
		used = at + safe.Width(text)
	}
	if tail != "" {
		out.WriteString(strings.Repeat(" ", max(room-used, 0)+2) + tailStyle.Render(tail))
	}
	return theme.Fit(out.String(), w)
}
