// Package safe makes text from outside fit to print: what came over the wire, from Lua, from files or from the
// environment passes through here before it reaches a style. It is the only sanitiser of the screen.
//
// Control characters (C0, DEL, C1), bidirectional controls, zero-width and other invisible characters and bytes that
// are not UTF-8 become visible escapes such as \x1b and \u202e, so nothing in the data can move the cursor, change a
// colour, reorder a line or hide. The functions are idempotent: cleaning clean text changes nothing. A backslash is
// left alone, so the five characters "\x1b1" in a value look like the escape of a control character; the hex view
// tells them apart.
//
// Every function takes raw text and cleans it first; widths are counted in terminal cells by grapheme. None of them
// may be given styled text: its escape sequences would be shown, not obeyed. Style what they return.
package safe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	tabGlyph     = "→"
	newlineGlyph = "⏎"
	tabStop      = 4 // of Text; statements are narrow and often indented with tabs

	// maxMarks is how many combining marks may stand on one character. More than any written language uses;
	// without a limit one cell could hold a megabyte.
	maxMarks = 6

	hexDigits = "0123456789abcdef"
)

// Line returns s for a place that has one line: a tab becomes → and a newline ⏎.
func Line(s string) string {
	if isPlain(s) {
		return s
	}
	var c cleaner
	c.out.Grow(len(s) + 16)
	c.write(s, false)
	return c.out.String()
}

// Text returns s with its line breaks kept and tabs expanded to spaces.
func Text(s string) string {
	if isPlain(s) {
		return s
	}
	var c cleaner
	c.out.Grow(len(s) + 16)
	c.write(s, true)
	return c.out.String()
}

// Bytes is Line for bytes that may or may not be text.
func Bytes(b []byte) string { return Line(string(b)) }

// isPlain reports whether s is printable ASCII and so clean already.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// cleaner collects clean text and remembers what the next combining mark would stand on.
type cleaner struct {
	out   strings.Builder
	base  bool // the last rune can carry a mark
	marks int  // on it already
	col   int  // runes since the line began, for tab stops
}

func (c *cleaner) write(s string, lines bool) {
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			i++
			c.ascii(b, lines)
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			c.escapeByte(s[i])
		} else {
			c.rune(r)
		}
		i += n
	}
}

func (c *cleaner) ascii(b byte, lines bool) {
	switch {
	case b >= 0x20 && b < 0x7f:
		c.out.WriteByte(b)
		c.printed()
	case b == '\n' && lines:
		c.out.WriteByte('\n')
		c.base, c.marks, c.col = false, 0, 0
	case b == '\t' && lines:
		n := tabStop - c.col%tabStop
		for range n {
			c.out.WriteByte(' ')
		}
		c.printed()
		c.col += n - 1
	case b == '\n':
		c.out.WriteString(newlineGlyph)
		c.printed()
	case b == '\t':
		c.out.WriteString(tabGlyph)
		c.printed()
	default:
		c.escapeByte(b)
	}
}

func (c *cleaner) rune(r rune) {
	switch {
	case unicode.In(r, unicode.M, joining) && !hidden(r):
		// A mark with nothing under it would land on the border or on the neighbouring cell.
		if !c.base || c.marks >= maxMarks {
			c.escapeRune(r)
			return
		}
		c.marks++
		c.out.WriteRune(r)
	case hidden(r):
		c.escapeRune(r)
	default:
		c.out.WriteRune(r)
		c.printed()
	}
}

func (c *cleaner) printed() {
	c.base, c.marks = true, 0
	c.col++
}

// escapeByte and escapeRune leave nothing that a mark may stand on: it would hide the escape's last digit.
func (c *cleaner) escapeByte(b byte) {
	c.out.WriteString(`\x`)
	c.hex(uint32(b), 2)
}

func (c *cleaner) escapeRune(r rune) {
	if r > 0xffff {
		c.out.WriteString(`\U`)
		c.hex(uint32(r), 8)
		return
	}
	c.out.WriteString(`\u`)
	c.hex(uint32(r), 4)
}

func (c *cleaner) hex(v uint32, digits int) {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		c.out.WriteByte(hexDigits[v>>shift&0xf])
	}
	c.base, c.marks = false, 0
	c.col += digits + 2
}

// hidden reports whether r draws nothing of its own, or draws elsewhere than where it stands.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r,
		unicode.Cf, // bidi controls, zero-width joiners, soft hyphen, tags, byte order mark
		unicode.Zl, unicode.Zp,
		unicode.Cn, // not assigned yet: how wide a terminal with newer tables draws it is anyone's guess
		unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point, // fillers, combining grapheme joiner
		prepended,
	)
}

// joining are the characters that are no marks by category but join the one before them all the same: Thai and Lao
// vowels, half-width voicing marks, emoji skin tones.
var joining = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x0e33, Hi: 0x0e33, Stride: 1},
		{Lo: 0x0eb3, Hi: 0x0eb3, Stride: 1},
		{Lo: 0xff9e, Hi: 0xff9f, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0x1f3fb, Hi: 0x1f3ff, Stride: 1}},
}

// prepended are the letters of grapheme class Prepend: they join whatever follows, be it a border, and terminals
// disagree on the width of the result.
var prepended = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x0d4e, Hi: 0x0d4e, Stride: 1}},
	R32: []unicode.Range32{
		{Lo: 0x111c2, Hi: 0x111c3, Stride: 1},
		{Lo: 0x113d1, Hi: 0x113d1, Stride: 1},
		{Lo: 0x1193f, Hi: 0x1193f, Stride: 1},
		{Lo: 0x11941, Hi: 0x11941, Stride: 1},
		{Lo: 0x11a3a, Hi: 0x11a3a, Stride: 1},
		{Lo: 0x11a84, Hi: 0x11a89, Stride: 1},
		{Lo: 0x11d46, Hi: 0x11d46, Stride: 1},
		{Lo: 0x11f02, Hi: 0x11f02, Stride: 1},
	},
}
