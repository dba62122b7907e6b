// Package logs is the pane of everything that was ever said: the journal's notices and the screen's
// own messages.
package logs

import (
	"fmt"
	"time"

	"mydbg/intercept"
	"mydbg/tui/conns"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
	"mydbg/tui/vlist"
)

// keep is how many lines there are at most.
const keep = 5_000

// Line is a line of the log.
type Line struct {
	At    time.Time
	Level intercept.Level
	Text  string
	// Exchange is what it is about, 0 for nothing.
	Exchange intercept.Seq
	// Conn is the connection whose failed login it explains, 0 for none.
	Conn intercept.ConnID

	id uint64
}

// Pane lists the lines. Use New.
type Pane struct {
	th       *theme.Theme
	list     *vlist.List
	w, h     int
	focused  bool
	lines    []Line
	last     uint64
	problems int
}

// New makes an empty pane.
func New(th *theme.Theme) *Pane {
	p := &Pane{th: th}
	p.list = vlist.New(p)
	p.list.SetFollow(true)
	return p
}

// SetFocused says whether keys go here; it changes how the selection looks.
func (p *Pane) SetFocused(on bool) { p.focused = on }

// SetTheme changes the looks.
func (p *Pane) SetTheme(th *theme.Theme) { p.th = th }

// SetSize changes the size of the box.
func (p *Pane) SetSize(w, h int) {
	p.w, p.h = w, h
	p.list.SetSize(theme.Inner(w, h))
}

// Add appends lines.
func (p *Pane) Add(lines ...Line) {
	for _, l := range lines {
		p.last++
		l.id = p.last
		p.lines = append(p.lines, l)
		if l.Level > intercept.Info {
			p.problems++
		}
	}
	if n := len(p.lines) - keep; n > 0 {
		p.lines = p.lines[n:]
	}
	p.list.Sync()
}

// Selected is the selected line.
func (p *Pane) Selected() (Line, bool) {
	_, i, ok := p.list.Selected()
	if !ok || i >= len(p.lines) {
		return Line{}, false
	}
	return p.lines[i], true
}

// Do carries out a movement; false when a is not the pane's.
func (p *Pane) Do(a keymap.ID) bool {
	if a == keymap.Follow {
		p.list.SetFollow(!p.list.Following())
		return true
	}
	return conns.Move(p.list, a)
}

// Len is the number of rows.
func (p *Pane) Len() int { return len(p.lines) }

// ID is the identity of row i.
func (p *Pane) ID(i int) uint64 { return p.lines[i].id }

// Index is the place of a line, -1 if it has been dropped.
func (p *Pane) Index(id uint64) int {
	if len(p.lines) == 0 || id < p.lines[0].id || id > p.last {
		return -1
	}
	return int(id - p.lines[0].id)
}

// Row draws row i.
func (p *Pane) Row(i, w int, selected bool) string {
	l := &p.lines[i]
	pointer := " "
	if selected {
		pointer = p.th.Pointer()
	}
	style, sign := p.th.Text, " "
	switch l.Level {
	case intercept.Warning:
		style, sign = p.th.Warning, "!"
	case intercept.Error:
		style, sign = p.th.Error, "E"
	}
	line := pointer + p.th.Dim.Render(l.At.Format("15:04:05")) + " " + style.Render(sign) + " " + style.Render(safe.Cut(l.Text, w-12))
	if selected {
		return conns.Chosen(p.th, line, w, p.focused)
	}
	return line
}

// View draws the pane's box.
func (p *Pane) View(focused bool) string {
	title, right := "8 Log", ""
	switch p.problems {
	case 0:
	case 1:
		title += ": 1 warning or error"
	default:
		title += fmt.Sprintf(": %d warnings and errors", p.problems)
	}
	if p.list.Following() {
		right = "follow"
	}
	body := p.list.View()
	if len(p.lines) == 0 {
		body = p.th.Dim.Render("Nothing has happened yet.")
	}
	return p.th.Box(title, right, body, p.w, p.h, focused)
}
