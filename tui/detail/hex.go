package detail

import (
	"fmt"
	"strings"

	"mydbg/tui/hexview"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

// hexState is the view of bytes: of the packet under the cursor of the tab that is shown.
type hexState struct {
	view   *hexview.View
	shown  bool // what is in the view is still what should be
	at     [2]int
	ref    *frameRef
	opened *opened
	field  hexview.Range
	title  string
	h      int
}

// HexView draws the bytes of the packet as a box of exactly w by h.
func (m *Model) HexView(w, h int, focused bool) string {
	m.inHex = focused
	iw, ih := theme.Inner(w, h)
	if m.about().empty {
		return m.th.BoxLines("Hex", "", nil, w, h, focused)
	}
	x := &m.hex
	x.follow(m)
	if x.opened == nil {
		return m.th.BoxLines("Hex", "", m.dim(m.noBytes(), iw), w, h, focused)
	}
	x.h = ih
	x.view.SetSize(iw, ih)
	x.view.SetFocused(focused)
	right := "tab: move here"
	if focused {
		right = fmt.Sprintf("byte %d of %d", x.view.Cursor(), len(x.opened.frame))
	}
	if n := len(x.view.Changes()); n > 0 {
		right = many(n, "changed run", "changed runs") + "  } next  { previous"
	}
	return m.th.BoxLines(x.title, right, strings.Split(x.view.View(), "\n"), w, h, focused)
}

func (m *Model) noBytes() string {
	if f := m.about(); f.missing != "" {
		return f.missing
	}
	return "No packet is selected."
}

// follow shows the packet and the field under the cursor.
func (x *hexState) follow(m *Model) {
	var field hexview.Range
	switch m.current() {
	case tabStages:
		field = x.followStages(m)
	case tabResult:
		field = x.followResult(m)
	default:
		field = x.followTree(m)
	}
	if x.opened == nil {
		return
	}
	if field != x.field {
		x.field = field
		x.view.SetField(field.Off, field.N)
		if field.N == 0 {
			x.view.Home()
		}
	}
}

func (x *hexState) set(o *opened, title string, changed []hexview.Range) {
	x.opened, x.title, x.shown = o, title, true
	x.field = hexview.Range{Off: -1}
	if o == nil {
		x.view.SetBytes(nil)
		return
	}
	x.view.SetBytes(o.frame)
	x.view.SetSpans(o.spans())
	x.view.SetChanged(changed)
}

func (x *hexState) followTree(m *Model) hexview.Range {
	o := m.outline()
	at, ok := o.packet()
	if !ok {
		x.set(nil, "", nil)
		return hexview.Range{}
	}
	if !x.shown || x.ref != nil || x.at != at || x.opened == nil {
		opened := o.unfolded(at[0], at[1])
		if opened == nil {
			opened = o.takeApart(at[0], at[1])
		}
		p := &o.parts[at[0]]
		title := "Hex  " + strings.TrimPrefix(m.about().title, fmt.Sprintf("connection #%d ", m.s.Conn.ID))
		if m.about().command != "" {
			title = "Hex  " + strings.Fields(m.about().title)[0]
		}
		if !o.alone {
			title += fmt.Sprintf("  %s %d", p.name, at[1]+1)
		}
		title += "  " + bytesOf(len(opened.frame))
		if !opened.headed {
			title += "  header not kept"
		}
		if w := len(p.packets[at[1]].Payload); w > 1<<24 {
			title += "  frames joined"
		}
		x.ref, x.at = nil, at
		x.set(opened, title+"  follows the packet tree", nil)
	}
	if n := o.selected(); n != nil {
		return hexview.Range{Off: n.off, N: n.len}
	}
	return hexview.Range{}
}

func (x *hexState) followStages(m *Model) hexview.Range {
	l := m.stageRows()
	r := l.selected()
	ref := l.sent
	if ref == nil {
		ref = l.received
	}
	if r != nil && r.ref != nil {
		ref = r.ref
	}
	x.showRef(ref, "Hex  ")
	if ref == nil || r == nil || r.ref == nil || r.len == 0 {
		return hexview.Range{}
	}
	skip := len(ref.frame()) - len(ref.packet.Payload)
	return hexview.Range{Off: r.off + skip, N: r.len}
}

func (x *hexState) showRef(ref *frameRef, prefix string) {
	if ref == nil {
		x.ref = nil
		x.set(nil, "", nil)
		return
	}
	if x.shown && x.ref == ref && x.opened != nil {
		return
	}
	o := open(ref.packet, ref.seq, ref.cx, 0, false)
	var changed []hexview.Range
	if ref.old != nil {
		changed = hexview.Diff(ref.old.frame(), o.frame)
	}
	x.ref = ref
	x.set(o, prefix+ref.stage+"  "+ref.packet.Kind.String()+"  "+bytesOf(len(o.frame)), changed)
}

// followResult shows the row of the selected cell.
func (x *hexState) followResult(m *Model) hexview.Range {
	ref, column := m.resultView().row(m)
	x.showRef(ref, "Hex  ")
	if ref == nil {
		return hexview.Range{}
	}
	for i := range x.opened.nodes {
		if n := &x.opened.nodes[i]; n.name == column && n.off > 0 {
			return hexview.Range{Off: n.off, N: n.len}
		}
	}
	return hexview.Range{}
}

// do moves in the bytes and takes the tree along.
func (x *hexState) do(m *Model, a keymap.ID) bool {
	x.follow(m)
	if x.opened == nil {
		return false
	}
	v := x.view
	switch a {
	case keymap.Down:
		v.MoveRows(1)
	case keymap.Up:
		v.MoveRows(-1)
	case keymap.Left:
		v.Move(-1)
	case keymap.Right:
		v.Move(1)
	case keymap.HalfDown:
		v.MoveRows(max(x.h/2, 1))
	case keymap.HalfUp:
		v.MoveRows(-max(x.h/2, 1))
	case keymap.PageDown:
		v.Page(1)
	case keymap.PageUp:
		v.Page(-1)
	case keymap.Top:
		v.Home()
	case keymap.Bottom:
		v.End()
	case keymap.NextChange:
		v.NextChange(1)
	case keymap.PrevChange:
		v.NextChange(-1)
	default:
		return false
	}
	x.reselect(m)
	return true
}

// reselect puts the cursor of the tab on the innermost field with the byte under the cursor here.
func (x *hexState) reselect(m *Model) {
	off := x.view.Cursor()
	switch m.current() {
	case tabPacket:
		o := m.outline()
		at, ok := o.packet()
		if !ok {
			return
		}
		o.unfold(at[0], at[1])
		o.shut[at[0]] = false
		u := o.unfolded(at[0], at[1])
		if n := u.innermost(off); n >= 0 {
			u.reveal(n)
			o.cur = spot{at[0], at[1], n}
		}
	case tabStages:
		m.stageRows().selectByte(x.ref, off)
	default:
		return
	}
	x.follow(m) // brackets
	x.view.MoveTo(off)
}

// selectByte puts the cursor on the smallest field of a packet with the byte at off of its frame.
func (l *stageList) selectByte(ref *frameRef, off int) {
	if ref == nil {
		return
	}
	off -= len(ref.frame()) - len(ref.packet.Payload)
	best := -1
	for i, r := range l.rows {
		if r.ref == ref && off >= r.off && off < r.off+r.len && (best < 0 || r.len <= l.rows[best].len) {
			best = i
		}
	}
	if best >= 0 {
		l.cursor = best
	}
}
