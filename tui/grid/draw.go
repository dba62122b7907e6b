package grid

import (
	"strconv"
	"strings"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// View draws the window as exactly its height of lines of exactly its width.
func (g *Grid) View() string {
	if g.w == 0 || g.h == 0 {
		return ""
	}
	lines := make([]string, g.h)
	widths, _ := g.fits()
	rows := g.src.Rows()
	for y := range lines {
		var line string
		switch row := g.top + y - headerLines; {
		case y == 0:
			line = g.header(widths, g.theme.Strong, func(c Column) string { return c.Name })
		case y == 1:
			line = g.header(widths, g.theme.Dim, func(c Column) string { return c.Type })
		case row < rows:
			line = g.line(row, widths)
		}
		lines[y] = theme.Fit(line, g.w)
	}
	return strings.Join(lines, "\n")
}

func (g *Grid) header(widths []int, style theme.Style, of func(Column) string) string {
	var out strings.Builder
	out.WriteString(strings.Repeat(" ", g.gutter()))
	for i, w := range widths {
		g.rule(&out, i)
		out.WriteString(" " + style.Render(safe.Pad(of(g.column(g.left+i)), w)) + " ")
	}
	g.endRule(&out, widths)
	return out.String()
}

func (g *Grid) line(row int, widths []int) string {
	var out strings.Builder
	pointer, number := " ", g.theme.Offset
	if row == g.row {
		pointer, number = g.theme.Pointer(), g.theme.Strong
	}
	out.WriteString(pointer + " " + number.Render(safe.PadLeft(strconv.Itoa(row+1), g.digits())) + " ")
	for i, w := range widths {
		g.rule(&out, i)
		g.cell(&out, row, g.left+i, w)
	}
	g.endRule(&out, widths)
	return out.String()
}

func (g *Grid) rule(out *strings.Builder, i int) {
	if i > 0 {
		out.WriteString(g.theme.Border.Render(g.theme.Rule()))
	}
}

// endRule closes the last column if there is room, so that one sees where it ends.
func (g *Grid) endRule(out *strings.Builder, widths []int) {
	if len(widths) > 0 {
		out.WriteString(g.theme.Border.Render(g.theme.Rule()))
	}
}

// cell draws a cell of w cells between its brackets or marks.
func (g *Grid) cell(out *strings.Builder, row, col, w int) {
	c := g.src.Cell(row, col)
	text, style := g.text(c, w)
	mark := ""
	switch {
	case c.Invalid:
		mark, style = "!", g.theme.Invalid
	case c.Edited && c.Null:
		mark, style = "*", g.theme.Edited.Italic()
	case c.Edited:
		mark, style = "*", g.theme.Edited
	}
	if row != g.row || col != g.col {
		if mark == "" {
			out.WriteString(" ")
		}
		out.WriteString(style.Render(mark+text) + strings.Repeat(" ", w-safe.Width(text)+1))
		return
	}
	text = safe.Cut(mark+text, w) // a bracket stands in the mark's place
	if g.focused {
		style = g.theme.Selected
	}
	bracket := g.theme.Field
	out.WriteString(bracket.Render("[") + style.Render(text) + strings.Repeat(" ", w-safe.Width(text)) + bracket.Render("]"))
}
