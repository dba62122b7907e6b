// Package grid shows a result set: columns with their types, numbered rows, one selected cell.
//
// Only visible cells are asked for. The width of a column is that of its widest visible cell or header, up to MaxWidth;
// it may therefore change while one scrolls, and no result set is ever read through to draw a screen of it.
//
// What looks alike is told apart: NULL is dim and italic, a string of no characters reads (empty), one of blanks only
// is drawn as dots, an edited cell has a * before it and an invalid one a !. The selected cell stands in brackets.
package grid

import (
	"strconv"
	"strings"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

const (
	MaxWidth = 32 // of a column, unless it is the only one
	minWidth = 3

	headerLines = 2
)

// Column heads the cells of a field.
type Column struct {
	Name string // any text, as are type and cells: it is cleaned when drawn
	Type string
}

// Cell is a value as text.
type Cell struct {
	Text    string // of a binary value, what the caller wants to show of it
	Null    bool
	Edited  bool
	Binary  bool // Text stands for the value: blanks and emptiness mean nothing
	Invalid bool // the server would not take it
}

// Source has the cells. Cell is asked only for rows and columns there are.
type Source interface {
	Rows() int
	Cols() int
	Cell(row, col int) Cell
}

// Grid is a window on a result set. Its zero value is not usable.
type Grid struct {
	theme *theme.Theme
	cols  []Column
	src   Source
	w, h  int

	row, col  int // selected
	top, left int
	focused   bool
}

// New returns a grid of no cells, without size.
func New(t *theme.Theme) *Grid { return &Grid{theme: t, src: none{}} }

type none struct{}

func (none) Rows() int          { return 0 }
func (none) Cols() int          { return 0 }
func (none) Cell(int, int) Cell { return Cell{} }

// SetTheme changes the looks.
func (g *Grid) SetTheme(t *theme.Theme) { g.theme = t }

// SetSource shows other cells. Columns without a heading get an empty one. The selected cell stays where it is, as far
// as there is one.
func (g *Grid) SetSource(cols []Column, src Source) {
	g.cols, g.src = cols, src
	g.Select(g.row, g.col)
}

// SetSize changes the window; the selected cell stays in view.
func (g *Grid) SetSize(w, h int) {
	g.w, g.h = max(w, 0), max(h, 0)
	g.Select(g.row, g.col)
}

// SetFocused says whether the selected cell is shown as such.
func (g *Grid) SetFocused(on bool) { g.focused = on }

// Selected is the row and the column of the selected cell; ok is false if there are no cells.
func (g *Grid) Selected() (row, col int, ok bool) {
	return g.row, g.col, g.src.Rows() > 0 && g.src.Cols() > 0
}

// Select selects the cell, or the nearest there is, and scrolls until it is in view.
func (g *Grid) Select(row, col int) {
	rows, cols := g.src.Rows(), g.src.Cols()
	g.row = min(max(row, 0), max(rows-1, 0))
	g.col = min(max(col, 0), max(cols-1, 0))
	if n := g.visibleRows(); n > 0 {
		g.top = max(min(g.top, g.row), g.row-n+1)
		g.top = min(max(g.top, 0), max(rows-n, 0))
	}
	g.left = min(g.left, g.col)
	if _, last := g.fits(); g.col > last {
		g.left = g.col
		g.back(g.col)
	}
	if _, last := g.fits(); last == cols-1 {
		g.back(last) // leave no room unused at the right
	}
}

// back moves the window to the left as long as column col stays whole.
func (g *Grid) back(col int) {
	for g.left > 0 {
		g.left--
		if _, last := g.fits(); last < col {
			g.left++
			return
		}
	}
}

// Move selects the cell that many rows down and columns to the right.
func (g *Grid) Move(rows, cols int) { g.Select(g.row+rows, g.col+cols) }

// Page moves by n windows, less one row each.
func (g *Grid) Page(n int) {
	by := n * max(g.visibleRows()-1, 1)
	g.top = min(max(g.top+by, 0), max(g.src.Rows()-g.visibleRows(), 0))
	g.Move(by, 0)
}

// Home and End go to the first and the last row, FirstCol and LastCol to the ends of a row.
func (g *Grid) Home() { g.Select(0, g.col) }

// End goes to the last row.
func (g *Grid) End() { g.Select(g.src.Rows()-1, g.col) }

// FirstCol goes to the first column.
func (g *Grid) FirstCol() { g.Select(g.row, 0) }

// LastCol goes to the last column.
func (g *Grid) LastCol() { g.Select(g.row, g.src.Cols()-1) }

// Visible is what the window shows: the first row and how many, the first column and how many, the last perhaps cut.
func (g *Grid) Visible() (row, rows, col, cols int) {
	shown, _ := g.fits()
	return g.top, max(min(g.visibleRows(), g.src.Rows()-g.top), 0), g.left, len(shown)
}

func (g *Grid) visibleRows() int { return max(g.h-headerLines, 0) }

// gutter is the width of what stands before the cells: the pointer and the row number.
func (g *Grid) gutter() int { return 2 + g.digits() + 1 }

func (g *Grid) digits() int { return max(len(strconv.Itoa(g.src.Rows())), 3) }

// fits returns the widths of the columns drawn, from g.left on, and the last of them that is whole. A cell takes two
// cells more than its column is wide, for brackets or marks, and the line between columns takes one.
func (g *Grid) fits() (widths []int, lastWhole int) {
	room := g.w - g.gutter()
	lastWhole = g.left
	for col := g.left; col < g.src.Cols() && room > minWidth+2; col++ {
		w := g.width(col)
		if room >= w+2 {
			lastWhole = col
		} else {
			w = room - 2
		}
		widths = append(widths, w)
		room -= w + 3
	}
	return widths, lastWhole
}

// width is what the header and the visible cells of a column need.
func (g *Grid) width(col int) int {
	limit := MaxWidth
	if g.src.Cols() == 1 {
		limit = max(g.w, MaxWidth)
	}
	head := g.column(col)
	need := max(minWidth, safe.Width(safe.Cut(head.Name, limit)), safe.Width(safe.Cut(head.Type, limit)))
	for r := g.top; r < min(g.top+g.visibleRows(), g.src.Rows()) && need < limit; r++ {
		c := g.src.Cell(r, col)
		text, _ := g.text(c, limit)
		n := safe.Width(text)
		if c.Edited || c.Invalid {
			n++ // the mark, which moves in when a bracket takes its place
		}
		need = max(need, n)
	}
	return min(need, limit)
}

func (g *Grid) column(col int) Column {
	if col < len(g.cols) {
		return g.cols[col]
	}
	return Column{}
}

// text is what a cell shows in w cells, and how.
func (g *Grid) text(c Cell, w int) (string, theme.Style) {
	switch {
	case c.Null:
		return safe.Cut("NULL", w), g.theme.Null
	case c.Binary:
		return safe.Cut(c.Text, w), g.theme.Annotation
	case c.Text == "":
		return safe.Cut("(empty)", w), g.theme.Empty
	case strings.Trim(c.Text[:min(len(c.Text), w+1)], " ") == "": // blank as far as one can see
		return safe.Cut(strings.Repeat("·", min(len(c.Text), w+1)), w), g.theme.Empty
	default:
		return safe.Cut(c.Text, w), g.theme.Value
	}
}
