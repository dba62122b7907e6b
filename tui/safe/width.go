package safe

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

const (
	ellipsis = "…"
	widest   = 4 // more cells than any grapheme takes
)

// Width returns how many cells Line(s) takes.
func Width(s string) int { return cells(Line(s)) }

// Cut returns Line(s) if it fits into w cells, else its beginning and an ellipsis. It never returns more than w cells.
// Its cost depends on w, not on the length of s.
func Cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	line, whole := head(s, w)
	if whole {
		return line
	}
	return take(line, w-1) + ellipsis
}

// Elide is Cut that keeps both ends: the ellipsis stands in the middle.
func Elide(s string, w int) string {
	if w <= 0 {
		return ""
	}
	line, whole := head(s, w)
	if whole {
		return line
	}
	right := (w - 1) / 2
	left := w - 1 - right
	return take(line, left) + ellipsis + takeEnd(tail(s, right), right)
}

// Pad is Cut, filled with spaces at the right to exactly w cells.
func Pad(s string, w int) string {
	s = Cut(s, w)
	return s + spaces(w-cells(s))
}

// PadLeft is Cut, filled with spaces at the left to exactly w cells; for numbers.
func PadLeft(s string, w int) string {
	s = Cut(s, w)
	return spaces(w-cells(s)) + s
}

// Wrap returns Text(s) as lines of at most w cells. It breaks after a space where it can, else between graphemes; a
// space for which there is no room at the end of a line is left out. A character wider than w is replaced by an
// ellipsis; a w of 0 or less gives no lines.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(Text(s), "\n") {
		if w < widest {
			line = narrow(line, w)
		}
		lines = wrapLine(lines, line, w)
	}
	return lines
}

func wrapLine(lines []string, s string, w int) []string {
	start, width := 0, 0         // of the line being filled
	space, widthAtSpace := -1, 0 // after its last space
	for i := 0; i < len(s); {
		g, gw := ansi.FirstGraphemeCluster(s[i:], ansi.GraphemeWidth)
		if width+gw > w && g == " " {
			lines = append(lines, s[start:i])
			i++
			if start, width, space = i, 0, -1; start == len(s) {
				return lines
			}
			continue
		}
		for width+gw > w && i > start {
			if space > start {
				lines = append(lines, s[start:space])
				start, width = space, width-widthAtSpace
			} else {
				lines = append(lines, s[start:i])
				start, width = i, 0
			}
			space = -1
		}
		width += gw
		i += len(g)
		if g == " " {
			space, widthAtSpace = i, width
		}
	}
	return append(lines, s[start:])
}

// cells is the width of clean text.
func cells(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// narrow replaces what is wider than w.
func narrow(s string, w int) string {
	var out strings.Builder
	for len(s) > 0 {
		g, gw := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(g):]
		if gw > w {
			g = ellipsis
		}
		out.WriteString(g)
	}
	return out.String()
}

// head returns a clean beginning of s; whole says that it is all of s and fits into w cells.
func head(s string, w int) (line string, whole bool) {
	for n := 8*w + 64; ; n *= 4 {
		if n >= len(s) {
			line = Line(s)
			return line, cells(line) <= w
		}
		line = Line(s[:runeStart(s, n)])
		if cells(line) > w {
			return line, false
		}
	}
}

// tail returns a clean end of s that is wider than w cells, or all of s.
func tail(s string, w int) string {
	for n := 8*w + 64; n < len(s); n *= 4 {
		line := Line(s[runeStart(s, len(s)-n):])
		if cells(line) > w+2 {
			return line
		}
	}
	return Line(s)
}

// runeStart moves i back to where a rune begins, as far as s is UTF-8 there.
func runeStart(s string, i int) int {
	for back := 0; back < utf8.UTFMax && i-back > 0; back++ {
		if utf8.RuneStart(s[i-back]) {
			return i - back
		}
	}
	return i
}

// take returns the longest beginning of clean text that fits into w cells.
func take(s string, w int) string {
	if isPlain(s) {
		return s[:min(len(s), w)]
	}
	width := 0
	for i := 0; i < len(s); {
		g, gw := ansi.FirstGraphemeCluster(s[i:], ansi.GraphemeWidth)
		if width += gw; width > w {
			return s[:i]
		}
		i += len(g)
	}
	return s
}

// takeEnd returns the longest end of clean text that fits into w cells.
func takeEnd(s string, w int) string {
	skip := cells(s) - w
	i := 0
	for i < len(s) && skip > 0 {
		g, gw := ansi.FirstGraphemeCluster(s[i:], ansi.GraphemeWidth)
		skip -= gw
		i += len(g)
	}
	return s[i:]
}

func spaces(n int) string {
	if n <= 0 {
		return ""
	}
	return strings.Repeat(" ", n)
}
