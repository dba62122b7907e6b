package hexview

import (
	"strings"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

const minAnnotation = 12 // a narrower column says nothing

type offset [8]byte // the digits of the largest there can be: packets are shorter than 4 GiB

// layout is how a row is cut: offset, bytes, text, annotations.
type layout struct {
	per     int // bytes in a row
	digits  int // of the offset
	text    bool
	annot   int // width of the annotations, 0 for none
	hexWide int // a cell before each byte and one at the end, for brackets
}

// textWide is the width of the text column: each bracket takes a cell of it.
func (l layout) textWide() int { return l.per + 2 }

func (v *View) layout() layout {
	l := layout{digits: 4, per: 16, text: true}
	for n := len(v.data); n > 1<<(4*l.digits) && l.digits < len(offset{}); {
		l.digits += 2
	}
	width := func() int {
		l.hexWide = 3*l.per + 1
		n := l.digits + 1 + l.hexWide
		if l.text {
			n += 2 + l.textWide()
		}
		return n
	}
	for width() > v.w {
		switch {
		case l.per == 16:
			l.per = 8
		case l.text:
			l.text = false
		case l.per > 1:
			l.per /= 2
		default:
			return l
		}
	}
	if rest := v.w - width() - 1; rest >= minAnnotation && len(v.spans) > 0 {
		l.annot = rest
	}
	return l
}

func (v *View) perRow() int { return v.layout().per }

// View draws the window as exactly its height of lines of exactly its width.
func (v *View) View() string {
	if v.w == 0 || v.h == 0 {
		return ""
	}
	lines := make([]string, v.h)
	d := drawing{View: v, layout: v.layout(), bytes: v.Bytes(), changes: v.Changes()}
	for y := range lines {
		off := (v.top + y) * d.per
		if off < len(v.data) {
			lines[y] = d.row(off)
		}
		lines[y] = theme.Fit(lines[y], v.w)
	}
	return strings.Join(lines, "\n")
}

// drawing is what the rows of one View have in common.
type drawing struct {
	*View
	layout
	bytes   []byte
	changes []Range // those before the current row are gone
}

func (d *drawing) row(off int) string {
	t := d.theme
	end := min(off+d.per, len(d.bytes))
	for len(d.changes) > 0 && d.changes[0].end() <= off {
		d.changes = d.changes[1:]
	}
	var out strings.Builder
	out.WriteString(t.Offset.Render(hexOf(off, d.digits)) + " ")

	hex := runs{theme: t, out: &out}
	for i := off; i < end; i++ {
		hex.add(d.gap(i), d.gapLook(i))
		look := d.look(i)
		s := hexOf(int(d.bytes[i]), 2)
		if look == lookCursor && d.editing {
			// The cursor is one digit.
			hi, lo := lookCursor, d.base(i)
			if d.low {
				hi, lo = lo, hi
			}
			hex.add(s[:1], hi)
			hex.add(s[1:], lo)
			continue
		}
		hex.add(s, look)
	}
	if d.field.N > 0 && end == d.field.end() {
		hex.add("]", lookField)
	} else {
		hex.add(" ", lookPlain)
	}
	hex.flush()
	if d.text {
		out.WriteString(strings.Repeat(" ", 3*(d.per-(end-off))+2))
		d.textColumn(&out, off, end)
	}
	if d.annot > 0 {
		if !d.text {
			out.WriteString(strings.Repeat(" ", 3*(d.per-(end-off))))
		}
		out.WriteString(" " + t.Annotation.Render(safe.Cut(d.annotation(off, end), d.annot)))
	}
	return out.String()
}

func (d *drawing) textColumn(out *strings.Builder, off, end int) {
	text := runs{theme: d.theme, out: out}
	width := end - off
	for i := off; i < end; i++ {
		if d.field.N > 0 && i == d.field.Off {
			text.add("[", lookField)
			width++
		}
		text.add(printable(d.bytes[i]), d.look(i))
		if d.field.N > 0 && i == d.field.end()-1 {
			text.add("]", lookField)
			width++
		}
	}
	text.flush()
	out.WriteString(strings.Repeat(" ", d.textWide()-width))
}

// gap is the cell before byte i.
func (d *drawing) gap(i int) string {
	switch {
	case d.field.N > 0 && i == d.field.Off:
		return "["
	case d.field.N > 0 && i == d.field.end() && i%d.per != 0:
		return "]"
	default:
		return " "
	}
}

// gapLook joins the gaps within a stretch to it: an underline goes on, and there are fewer runs.
func (d *drawing) gapLook(i int) look {
	switch {
	case d.gap(i) != " ":
		return lookField
	case i%d.per != 0 && d.look(i) == d.look(i-1):
		return d.look(i)
	default:
		return lookPlain
	}
}

// hexOf is v in that many digits.
func hexOf(v, digits int) string {
	const chars = "0123456789abcdef"
	var b offset
	for i := range digits {
		b[i] = chars[v>>(4*(digits-1-i))&0xf]
	}
	return string(b[:digits])
}

func printable(b byte) string {
	if b < 0x20 || b > 0x7e {
		return "."
	}
	return string(rune(b))
}

// look says how a byte is drawn; runs of one look are styled at once, because a style costs more than a byte.
type look uint8

const (
	lookPlain look = iota
	lookZero
	lookField
	lookChanged
	lookFieldChanged
	lookCursor
)

func (d *drawing) look(i int) look {
	if d.focused && i == d.cursor {
		return lookCursor
	}
	return d.base(i)
}

// base is the look of a byte that is not under the cursor.
func (d *drawing) base(i int) look {
	changed, field := d.isChanged(i), d.field.has(i)
	switch {
	case changed && field:
		return lookFieldChanged
	case changed:
		return lookChanged
	case field:
		return lookField
	case d.bytes[i] == 0:
		return lookZero
	default:
		return lookPlain
	}
}

func (d *drawing) isChanged(i int) bool {
	for _, r := range d.changes {
		if r.has(i) {
			return true
		}
		if r.Off > i {
			return false
		}
	}
	return false
}

func lookStyle(t *theme.Theme, l look) theme.Style {
	switch l {
	case lookZero:
		return t.Zero
	case lookField:
		return t.Field
	case lookChanged:
		return t.Changed
	case lookFieldChanged:
		return t.Changed.Bold()
	case lookCursor:
		return t.Cursor
	default:
		return t.Text
	}
}

// runs writes texts of the same look as one.
type runs struct {
	theme *theme.Theme
	out   *strings.Builder
	text  strings.Builder
	look  look
}

func (r *runs) add(s string, l look) {
	if l != r.look {
		r.flush()
		r.look = l
	}
	r.text.WriteString(s)
}

func (r *runs) flush() {
	if r.text.Len() == 0 {
		return
	}
	if r.look == lookPlain {
		r.out.WriteString(r.text.String())
	} else {
		r.out.WriteString(lookStyle(r.theme, r.look).Render(r.text.String()))
	}
	r.text.Reset()
}

// annotation names the spans that begin in a row, or else the one that goes on there.
func (d *drawing) annotation(off, end int) string {
	var labels []string
	for _, s := range d.spans {
		if s.Off >= end {
			break
		}
		if s.Off >= off {
			labels = append(labels, s.Label)
		}
	}
	if len(labels) > 0 {
		return strings.Join(labels, ", ")
	}
	if i := d.SpanAt(off); i >= 0 {
		return d.theme.Ellipsis() + d.spans[i].Label
	}
	return ""
}
