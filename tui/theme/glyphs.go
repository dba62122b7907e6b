package theme

import "strings"

// glyphSet are the signs that are no states. Each is one cell wide.
type glyphSet struct {
	open, closed, cursor, ellipsis, arrow, full, empty string

	line, focused border
}

// border are the parts of a frame: corners clockwise from the top left, then the lines.
type border struct{ tl, tr, br, bl, h, v string }

var (
	unicodeGlyphs = glyphSet{
		open: "▾", closed: "▸", cursor: ">", ellipsis: "…", arrow: "→", full: "█", empty: "░",
		line:    border{"╭", "╮", "╯", "╰", "─", "│"},
		focused: border{"┏", "┓", "┛", "┗", "━", "┃"},
	}
	asciiGlyphs = glyphSet{
		open: "v", closed: ">", cursor: ">", ellipsis: "~", arrow: ">", full: "#", empty: ".",
		line:    border{"+", "+", "+", "+", "-", "|"},
		focused: border{"+", "+", "+", "+", "=", "|"},
	}
)

// Fold is the sign before a row that has rows below it.
func (t *Theme) Fold(open bool) string {
	if open {
		return t.glyphs.open
	}
	return t.glyphs.closed
}

// Pointer is the sign before the selected row.
func (t *Theme) Pointer() string { return t.glyphs.cursor }

// Ellipsis stands for text left out.
func (t *Theme) Ellipsis() string { return t.glyphs.ellipsis }

// Arrow points from what was to what is.
func (t *Theme) Arrow() string { return t.glyphs.arrow }

// Rule is the vertical line between columns.
func (t *Theme) Rule() string { return t.glyphs.line.v }

// Line is the horizontal line between parts of a box.
func (t *Theme) Line() string { return t.glyphs.line.h }

// Bar draws done of total as a bar of w cells.
func (t *Theme) Bar(done, total, w int) string {
	if w <= 0 {
		return ""
	}
	full := 0
	if total > 0 {
		full = min(max(int(int64(done)*int64(w)/int64(total)), 0), w)
	}
	return strings.Repeat(t.glyphs.full, full) + strings.Repeat(t.glyphs.empty, w-full)
}
