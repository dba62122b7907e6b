package detail

import "mydbg/tui/keymap"

// pager is a window on lines without a cursor.
type pager struct {
	lines []string
	w     int // they are for
	top   int
	stale bool
}

// fill has the lines made when they are not those for w.
func (p *pager) fill(w int, make func(int) []string) {
	if p.lines == nil || p.stale || p.w != w {
		p.lines, p.w, p.stale = make(w), w, false
	}
}

// window is the h lines that are seen.
func (p *pager) window(h int) []string {
	p.top = min(max(p.top, 0), max(len(p.lines)-h, 0))
	return p.lines[p.top:min(p.top+max(h, 0), len(p.lines))]
}

func (p *pager) do(a keymap.ID, h int) bool {
	last := max(len(p.lines)-h, 0)
	to, ok := move(a, p.top, last+1, h)
	if ok {
		p.top = to
	}
	return ok
}
