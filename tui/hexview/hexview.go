// Package hexview shows bytes as hexadecimal and text, with what they mean beside them, and lets them be overwritten.
//
// It marks three things apart, also without colour: the field under the cursor of a packet tree stands in brackets,
// changed bytes are underlined, and the byte cursor is reversed. Only visible rows are drawn, and the bytes given are
// neither copied nor kept for writing: the first overwritten nibble makes the copy that Bytes returns.
//
// Bytes can be overwritten but neither put in nor taken out: lengths belong to the message and are rebuilt from it.
package hexview

import (
	"bytes"

	"mydbg/tui/theme"
)

// Range is N bytes from Off.
type Range struct{ Off, N int }

func (r Range) end() int { return r.Off + r.N }

func (r Range) has(off int) bool { return off >= r.Off && off < r.end() }

// Span is a stretch of bytes that means something.
type Span struct {
	Off, Len int
	Label    string // any text; it is cleaned when drawn
}

// View is a window on bytes. Its zero value is not usable.
type View struct {
	theme *theme.Theme
	data  []byte // as given
	edit  []byte // nil until something is overwritten
	w, h  int
	top   int // first row

	field   Range
	changed []Range
	spans   []Span

	cursor  int
	focused bool
	editing bool
	low     bool // the cursor is on the low nibble
	undo    []overwrite
	edits   []Range // the runs of overwritten bytes that differ from those given
}

// overwrite is what an edit replaced.
type overwrite struct {
	off int
	old byte
}

// New returns a view of no bytes, without size.
func New(t *theme.Theme) *View { return &View{theme: t} }

// SetTheme changes the looks.
func (v *View) SetTheme(t *theme.Theme) { v.theme = t }

// SetBytes shows b from its beginning and forgets edits, field, changes and spans of what was there before. The view
// reads b and never writes to it.
func (v *View) SetBytes(b []byte) {
	*v = View{theme: v.theme, data: b, w: v.w, h: v.h, focused: v.focused}
}

// SetSize changes the window; the row of the cursor stays in view.
func (v *View) SetSize(w, h int) {
	first := v.top * v.perRow() // the byte at the top stays there when rows get another length
	v.w, v.h = max(w, 0), max(h, 0)
	v.top = first / v.perRow()
	v.show(v.cursor)
}

// SetFocused says whether the byte cursor is shown.
func (v *View) SetFocused(on bool) { v.focused = on }

// SetField puts n bytes from off in brackets and shows their beginning; n of 0 takes the brackets away.
func (v *View) SetField(off, n int) {
	v.field = v.clip(Range{off, n})
	if v.field.N > 0 {
		v.cursor, v.low = v.field.Off, false
		v.show(v.field.end() - 1)
		v.show(v.field.Off)
	}
}

// SetChanged marks bytes as changed, in ascending order. Edits made here are marked without being told.
func (v *View) SetChanged(rs []Range) { v.changed = rs }

// SetSpans writes what stretches of bytes mean at the right, where there is room. They are in ascending order of Off.
func (v *View) SetSpans(spans []Span) { v.spans = spans }

// Cursor is the offset of the byte under the cursor.
func (v *View) Cursor() int { return v.cursor }

// SpanAt returns the index of the innermost span with the byte at off, or -1.
func (v *View) SpanAt(off int) int {
	best := -1
	for i, s := range v.spans {
		if (Range{s.Off, s.Len}).has(off) && (best < 0 || s.Len <= v.spans[best].Len) {
			best = i
		}
	}
	return best
}

// MoveTo puts the cursor on the byte at off, or the nearest there is.
func (v *View) MoveTo(off int) {
	v.cursor, v.low = min(max(off, 0), max(len(v.data)-1, 0)), false
	v.show(v.cursor)
}

// Move moves the cursor by bytes, MoveRows by rows, Page by windows.
func (v *View) Move(by int) { v.MoveTo(v.cursor + by) }

// MoveRows moves the cursor by rows and keeps its column.
func (v *View) MoveRows(rows int) {
	if to := v.cursor + rows*v.perRow(); to >= 0 && to < len(v.data) {
		v.MoveTo(to)
	} else if to >= 0 && to/v.perRow() <= (len(v.data)-1)/v.perRow() {
		v.MoveTo(len(v.data) - 1) // the last row is short
	}
}

// Page moves the cursor by n windows.
func (v *View) Page(n int) {
	by := n * max(v.h-1, 1) * v.perRow()
	v.top = v.clampTop(v.top + by/v.perRow())
	v.MoveTo(v.cursor + by)
}

// Home and End go to the first and the last byte.
func (v *View) Home() { v.MoveTo(0) }

// End goes to the last byte.
func (v *View) End() { v.MoveTo(len(v.data) - 1) }

// NextChange moves the cursor to the beginning of the next run of changed bytes, or of the previous one if dir is
// negative. It reports whether there is one.
func (v *View) NextChange(dir int) bool {
	runs := v.Changes()
	if dir < 0 {
		for i := len(runs) - 1; i >= 0; i-- {
			if runs[i].Off < v.cursor {
				v.MoveTo(runs[i].Off)
				return true
			}
		}
		return false
	}
	for _, r := range runs {
		if r.Off > v.cursor {
			v.MoveTo(r.Off)
			return true
		}
	}
	return false
}

// Changes are the runs of changed bytes: those told by SetChanged and those edited here, joined where they touch.
func (v *View) Changes() []Range {
	var runs []Range
	add := func(r Range) {
		if r = v.clip(r); r.N == 0 {
			return
		}
		if n := len(runs); n > 0 && runs[n-1].end() >= r.Off {
			runs[n-1].N = max(runs[n-1].end(), r.end()) - runs[n-1].Off
			return
		}
		runs = append(runs, r)
	}
	told := v.changed
	for _, e := range v.edits {
		for len(told) > 0 && told[0].Off <= e.Off {
			add(told[0])
			told = told[1:]
		}
		add(e)
	}
	for _, r := range told {
		add(r)
	}
	return runs
}

// findEdits is done when something is overwritten, not for each frame.
func (v *View) findEdits() {
	runs := v.edits[:0]
	for i := range v.edit {
		if v.edit[i] == v.data[i] {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].end() == i {
			runs[n-1].N++
		} else {
			runs = append(runs, Range{i, 1})
		}
	}
	v.edits = runs
}

// SetEditing turns overwriting on or off. What was overwritten stays.
func (v *View) SetEditing(on bool) { v.editing, v.low = on, false }

// Editing reports whether overwriting is on.
func (v *View) Editing() bool { return v.editing }

// TypeNibble overwrites the nibble under the cursor with a hexadecimal digit and moves on to the next. It reports
// whether it did: not when editing is off, for other characters, or where there is no byte.
func (v *View) TypeNibble(r rune) bool {
	n, ok := nibble(r)
	if !v.editing || !ok || len(v.data) == 0 {
		return false
	}
	if v.edit == nil {
		v.edit = bytes.Clone(v.data)
	}
	old := v.edit[v.cursor]
	v.undo = append(v.undo, overwrite{v.cursor, old})
	if v.low {
		v.edit[v.cursor] = old&0xf0 | n
		last := v.cursor == len(v.data)-1
		v.Move(1)
		v.low = last // stay where the data ends
	} else {
		v.edit[v.cursor] = old&0x0f | n<<4
		v.low = true
	}
	v.findEdits()
	return true
}

func nibble(r rune) (byte, bool) {
	switch {
	case r >= '0' && r <= '9':
		return byte(r - '0'), true
	case r >= 'a' && r <= 'f':
		return byte(r - 'a' + 10), true
	case r >= 'A' && r <= 'F':
		return byte(r - 'A' + 10), true
	}
	return 0, false
}

// Undo takes back the last overwritten nibble and goes there. It reports whether there was one.
func (v *View) Undo() bool {
	if len(v.undo) == 0 {
		return false
	}
	last := v.undo[len(v.undo)-1]
	v.undo = v.undo[:len(v.undo)-1]
	v.edit[last.off] = last.old
	v.findEdits()
	v.MoveTo(last.off)
	return true
}

// Edited reports whether the bytes differ from those given.
func (v *View) Edited() bool { return len(v.edits) > 0 }

// Bytes returns the bytes as edited. The slice is the view's own; clone it to keep it.
func (v *View) Bytes() []byte {
	if v.edit != nil {
		return v.edit
	}
	return v.data
}

func (v *View) clip(r Range) Range {
	end := min(r.end(), len(v.data))
	off := max(r.Off, 0)
	return Range{off, max(end-off, 0)}
}

func (v *View) show(off int) {
	row := off / v.perRow()
	if v.h > 0 {
		v.top = max(min(v.top, row), row-v.h+1)
	}
	v.top = v.clampTop(v.top)
}

func (v *View) clampTop(top int) int {
	rows := (len(v.data) + v.perRow() - 1) / v.perRow()
	return min(max(top, 0), max(rows-v.h, 0))
}
