package safe

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// asciiForms are those of the signs that the screen itself puts into text.
var asciiForms = map[string]string{
	ellipsis: "~", tabGlyph: ">", newlineGlyph: "$", "·": ".", "│": "|", "─": "-",
}

// ASCII returns text, which may be styled, for a terminal that knows no other characters: each of those becomes as many
// question marks as it has cells, so that nothing moves. It is for whole frames, after everything else.
func ASCII(s string) string {
	if isASCII(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for len(s) > 0 {
		g, w := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(g):]
		switch form, known := asciiForms[g]; {
		case isASCII(g):
			out.WriteString(g)
		case known:
			out.WriteString(form)
		case g[0] < 0x80: // with a mark on it
			out.WriteByte(g[0])
			out.WriteString(strings.Repeat("?", max(w-1, 0)))
		default:
			out.WriteString(strings.Repeat("?", w))
		}
	}
	return out.String()
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
