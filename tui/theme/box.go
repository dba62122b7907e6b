package theme

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"mydbg/tui/safe"
)

// Inner returns the room for the body of a Box of w by h: the frame takes a cell on each side, and the text keeps one
// more from its left edge.
func Inner(w, h int) (int, int) { return max(w-3, 0), max(h-2, 0) }

// Box draws a panel of exactly w by h cells with its title, and a shorter text at the right, in the top border. The
// texts are plain and cleaned here; the body is styled text that is clean already, of lines that may be too many, too
// few, too long or too short. A focused box has a thick border and a bold title.
func (t *Theme) Box(title, right, body string, w, h int, focused bool) string {
	return t.BoxLines(title, right, strings.Split(body, "\n"), w, h, focused)
}

// BoxLines is Box for a body that is cut into lines already.
func (t *Theme) BoxLines(title, right string, body []string, w, h int, focused bool) string {
	if w <= 0 || h <= 0 {
		return ""
	}
	lines := make([]string, h)
	if w < 4 || h < 2 { // no room for a frame
		for i := range lines {
			lines[i] = strings.Repeat(" ", w)
		}
		return strings.Join(lines, "\n")
	}
	b, style := t.glyphs.line, t.Border
	if focused {
		b, style = t.glyphs.focused, t.BorderFocused
	}
	lines[0] = t.boxTop(b, title, right, w, focused)
	left, rightEdge := style.Render(b.v)+" ", style.Render(b.v)
	for i := 1; i < h-1; i++ {
		var text string
		if i-1 < len(body) {
			text = body[i-1]
		}
		lines[i] = left + Fit(text, w-3) + rightEdge
	}
	lines[h-1] = style.Render(b.bl + strings.Repeat(b.h, w-2) + b.br)
	return strings.Join(lines, "\n")
}

// boxTop draws ╭─ title ───── right ─╮. The right text goes first when the room ends, then the title is cut.
func (t *Theme) boxTop(b border, title, right string, w int, focused bool) string {
	style, text := t.Border, t.Title
	if focused {
		style, text = t.BorderFocused, t.TitleFocused
	}
	const around = 6 // corners, one line and one space at both ends
	title = safe.Cut(title, w-around)
	right = safe.Line(right)
	used := 0
	if title != "" {
		used = ansi.StringWidth(title)
	}
	// At least "─ " more must fit between the two.
	if room := w - around - used - 3; right != "" && ansi.StringWidth(right) > room {
		right = safe.Cut(right, room)
		if ansi.StringWidth(right) < 8 { // a stump says nothing
			right = ""
		}
	}
	var out strings.Builder
	fill := w - 3 // corners and the line after the first
	out.WriteString(style.Render(b.tl + b.h))
	if title != "" {
		out.WriteString(text.Render(" " + title + " "))
		fill -= used + 2
	}
	if right == "" {
		out.WriteString(style.Render(strings.Repeat(b.h, max(fill, 0)) + b.tr))
		return out.String()
	}
	fill -= ansi.StringWidth(right) + 2 + 1
	out.WriteString(style.Render(strings.Repeat(b.h, max(fill, 0))))
	out.WriteString(t.Title.Render(" " + right + " "))
	out.WriteString(style.Render(b.h + b.tr))
	return out.String()
}

// Fit cuts or fills one line of styled text to exactly w cells.
func Fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	n := ansi.StringWidth(s)
	if n > w {
		s = ansi.Truncate(s, w, "")
		n = ansi.StringWidth(s)
	}
	if n < w {
		s += strings.Repeat(" ", w-n)
	}
	return s
}
