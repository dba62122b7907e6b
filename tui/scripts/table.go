package scripts

import (
	"fmt"
	"strings"
	"time"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// tableRow is a row of the table: a script, or one of its hooks.
type tableRow struct {
	script int
	hook   *Hook // nil for the script itself
}

// rows are those of the table.
func (m *Model) rows() []tableRow {
	var list []tableRow
	for i := range m.scripts {
		list = append(list, tableRow{script: i})
		for j := range m.scripts[i].Hooks {
			list = append(list, tableRow{i, &m.scripts[i].Hooks[j]})
		}
	}
	return list
}

// all sums the hooks of a script up.
func (s *Status) all() Hook {
	var sum Hook
	for i := range s.Hooks {
		h := &s.Hooks[i]
		sum.Calls, sum.Errors, sum.Total, sum.Worst = sum.Calls+h.Calls, sum.Errors+h.Errors, sum.Total+h.Total, max(sum.Worst, h.Worst)
	}
	return sum
}

// nameWidth is the width of the names of scripts and hooks.
func (m *Model) nameWidth(w int) int {
	widest := 18
	for _, s := range m.scripts {
		widest = max(widest, safe.Width(s.Name))
		for _, h := range s.Hooks {
			widest = max(widest, 2+len(h.Name))
		}
	}
	return min(widest, max(w*2/5, 8))
}

// table draws the scripts and their hooks in at most limit lines, the names of the columns above.
func (m *Model) table(w, limit int, focused bool) []string {
	rows := m.rows()
	if len(rows) == 0 || limit < 1 {
		return nil
	}
	name := m.nameWidth(w)
	var lines []string
	if limit > 2 {
		label := "script, hook"
		if hidden := len(rows) - limit + 1; hidden > 0 {
			label += fmt.Sprintf(" +%d", hidden)
		}
		head := "  " + safe.Pad(label, name) + numbers("calls", "mean", "max", "errors", w) + "  last verdict"
		lines = append(lines, m.theme.Dim.Render(safe.Cut(head, w)))
		limit--
	}
	top := max(min(m.row-limit/2, len(rows)-limit), 0)
	for i := top; i < min(top+limit, len(rows)); i++ {
		line := m.tableRow(rows[i], i == m.row, name, w)
		if i == m.row && focused {
			line = m.chosen(line, w)
		}
		lines = append(lines, line)
	}
	return lines
}

// numbers are the columns behind the name; narrow panes have fewer.
func numbers(calls, mean, worst, errors string, w int) string {
	text := safe.PadLeft(calls, 9)
	if w >= 60 {
		text += safe.PadLeft(mean, 8)
	}
	if w >= 50 {
		text += safe.PadLeft(worst, 8)
	}
	return text + safe.PadLeft(errors, 8)
}

func (m *Model) tableRow(r tableRow, selected bool, name, w int) string {
	th, s := m.theme, &m.scripts[r.script]
	pointer := "  "
	if selected {
		pointer = th.Pointer() + " "
	}
	style, h, label, last := th.Text, r.hook, "", ""
	if h == nil {
		sum := s.all()
		h, style, label = &sum, th.Strong, s.Name
		last = "ok, " + many(s.Conns, "connection", "connections")
		if !s.OK {
			last = "error"
			if s.Err != nil {
				last = "error: " + s.Err.Text
			}
		}
	} else {
		label, last = "  "+h.Name, h.Last
	}
	count, mean, worst, errors := "-", "-", "-", "-"
	if h.Calls > 0 {
		count, mean, worst, errors = thousands(h.Calls), m.span(h.mean()), m.span(h.Worst), thousands(h.Errors)
	}
	left := pointer + style.Render(safe.Pad(label, name))
	figures := numbers(count, mean, worst, "", w)
	figures = figures[:len(figures)-8]
	bad := th.Text
	if h.Errors > 0 {
		bad = th.Error
	}
	left += th.Text.Render(figures) + bad.Render(safe.PadLeft(errors, 8))
	tail := th.Dim
	if r.hook == nil {
		tail = th.Script
		if !s.OK {
			tail = th.Error
		}
	}
	return left + tail.Render("  "+safe.Cut(last, max(w-4-name-len(figures)-8, 0)))
}

// span is a time of a hook in at most six cells.
func (m *Model) span(d time.Duration) string {
	micro := "µs"
	if m.theme.ASCII {
		micro = "us"
	}
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.1f%s", float64(d)/float64(time.Microsecond), micro)
	case d < time.Millisecond:
		return fmt.Sprintf("%d%s", d.Microseconds(), micro)
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// thousands is a count with commas.
func thousands(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// trouble is what is wrong with the selected script: its newest error, and what was found when it was saved.
// It takes at most limit lines.
func (m *Model) trouble(w, limit int) []string {
	n, s, ok := m.Script()
	if !ok || limit < 1 {
		return nil
	}
	th := m.theme
	var lines []string
	add := func(style theme.Style, indent int, text string) {
		for _, l := range safe.Wrap(text, max(w-indent, 1)) {
			lines = append(lines, strings.Repeat(" ", indent)+style.Render(l))
		}
	}
	if e := s.Err; e != nil {
		add(th.Error, 0, e.whole())
		if e.Path != "" && e.Path != s.Name && e.Line > 0 {
			add(th.Dim, 2, fmt.Sprintf("%s line %d", e.Path, e.Line))
		}
		for l := range strings.SplitSeq(e.Trace, "\n") {
			if l = strings.TrimSpace(l); l != "" && l != "stack traceback:" {
				add(th.Dim, 2, l)
			}
		}
	}
	for _, f := range m.findings[n] {
		add(th.Warning, 0, f)
	}
	if len(lines) > limit {
		more := fmt.Sprintf("  %d more lines, enter shows them", len(lines)-limit+1)
		if m.open || m.part != Table {
			more = fmt.Sprintf("  %d more lines", len(lines)-limit+1)
		}
		lines = append(lines[:limit-1], th.Dim.Render(safe.Cut(more, w)))
	}
	return lines
}
