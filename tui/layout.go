package tui

import (
	"mydbg/tui/keymap"
)

// area is a part of the screen that can have the focus.
type area uint8

const (
	inList      area = iota // the numbered pane
	inInspector             // packet, stages, statement, …
	inHex
	inLog // below the list in wide windows
)

// shape is how the body is divided.
type shape uint8

const (
	single  shape = iota // one pane
	stacked              // list and preview
	wide                 // list and inspector, hex and log below
	opened               // inspector and hex instead of the list
)

// Below these sizes only a notice is shown.
const (
	minWidth  = 60
	minHeight = 15
)

// size is a width and a height.
type size struct{ w, h int }

// layout is worked out from the last size alone.
type layout struct {
	tiny                 bool
	shape                shape
	body                 size // between header and footer
	list, side, hex, log size // zero for what is not shown
	preview              size
	editor               size
	footer               int    // lines of hints
	queue                bool   // a line of what is paused
	areas                []area // that have the focus in turn
}

// arrange works out the layout and tells the panes their sizes.
func (m *Model) arrange() {
	l := layout{tiny: m.w < minWidth || m.h < minHeight}
	if l.tiny {
		m.lay = l
		return
	}
	l.footer = 1
	if m.h >= 30 {
		l.footer = 2
	}
	if !m.helpLines {
		l.footer = 0
	}
	l.queue = len(m.held) > 0 && m.h >= 20
	bottom := l.footer + 1
	if l.queue {
		bottom++
	}
	if m.prompt != nil {
		bottom = max(bottom, promptLines)
	}
	l.body = size{m.w, m.h - 1 - bottom}
	m.divide(&l)
	m.lay = l
	if !l.has(m.focus) {
		m.focus = l.areas[0]
	}
	m.resize()
}

// divide gives the parts of the body their room.
func (m *Model) divide(l *layout) {
	w, h := l.body.w, l.body.h
	withSubject := m.pane == keymap.Events || m.pane == keymap.Connections
	switch {
	case m.edit != nil && w < 120:
		l.shape, l.editor, l.areas = single, l.body, []area{inList}
	case m.zoom:
		m.zoomed(l)
	case w >= 120 && h >= 24 && m.split == 0 && withSubject:
		m.divideWide(l)
	case m.inspect && withSubject:
		l.shape, l.side, l.areas = opened, l.body, []area{inInspector}
		if h >= 14 {
			l.hex = size{w, min(max(h/3, 5), 12)}
			l.side.h = h - l.hex.h
			l.areas = append(l.areas, inHex)
		}
		if m.edit != nil {
			l.editor = l.body
		}
	case withSubject && (w >= 100 || m.h >= 20) && h >= 14 && m.split != 2:
		l.shape, l.areas = stacked, []area{inList}
		l.preview = size{w, 6}
		if h > 26 {
			l.preview.h = min(h/3, 14)
		}
		l.list = size{w, h - l.preview.h}
		if m.edit != nil {
			l.editor = l.body
		}
	default:
		l.shape, l.list, l.areas = single, l.body, []area{inList}
		if m.edit != nil {
			l.editor = l.body
		}
	}
}

func (m *Model) divideWide(l *layout) {
	w, h := l.body.w, l.body.h
	l.shape, l.areas = wide, []area{inList, inInspector, inHex, inLog}
	hex, log := 5, 3
	if h >= 32 {
		hex, log = 7, 5
	}
	if h >= 42 {
		hex, log = 10, 7
	}
	top := h - hex - log
	left := min(w*56/100, w-52)
	if m.edit != nil {
		left = min(left, w-76)
		l.editor = size{w - left, top + hex}
		l.list, l.log = size{left, top + hex}, size{w, log}
		return
	}
	if _, ok := m.target(); !ok && m.focus != inHex { // no bytes to show yet: the list has more use for the room
		top, hex = top+hex, 0
		l.areas = []area{inList, inInspector, inLog}
	}
	l.list, l.side = size{left, top}, size{w - left, top}
	l.hex, l.log = size{w, hex}, size{w, log}
}

// zoomed lets the focused area fill the body.
func (m *Model) zoomed(l *layout) {
	l.shape, l.areas = single, []area{m.focus}
	switch {
	case m.edit != nil:
		l.editor = l.body
	case m.focus == inInspector:
		l.side = l.body
	case m.focus == inHex:
		l.hex = l.body
	case m.focus == inLog:
		l.log = l.body
	default:
		l.list = l.body
	}
}

func (l *layout) has(a area) bool {
	for _, b := range l.areas {
		if a == b {
			return true
		}
	}
	return false
}

// resize tells the lists their windows.
func (m *Model) resize() {
	l := &m.lay
	main := m.focus == inList && m.edit == nil
	m.events.SetFocused(main)
	m.conns.SetFocused(main)
	m.breaks.SetFocused(main)
	m.digests.SetFocused(main)
	m.replays.SetFocused(main)
	m.logs.SetFocused(m.focus == inLog || main && m.pane == keymap.Log)
	if l.list.w > 0 {
		switch m.pane {
		case keymap.Events:
			m.events.SetSize(l.list.w, l.list.h)
		case keymap.Connections:
			m.conns.SetSize(l.list.w, l.list.h)
		case keymap.Breakpoints:
			m.breaks.SetSize(l.list.w, l.list.h)
		case keymap.Digests:
			m.digests.SetSize(l.list.w, l.list.h)
		case keymap.Sessions:
			m.replays.SetSize(l.list.w, l.list.h)
		case keymap.Log:
			m.logs.SetSize(l.list.w, l.list.h)
		}
	}
	if l.log.w > 0 && m.pane != keymap.Log {
		m.logs.SetSize(l.log.w, l.log.h)
	}
}

// turn gives the focus to the next area, or the one before.
func (m *Model) turn(by int) {
	as := m.lay.areas
	for i, a := range as {
		if a == m.focus {
			m.focus = as[(i+by+len(as))%len(as)]
			return
		}
	}
}
