package scripts

import "mydbg/tui/keymap"

// view is a window on lines with a cursor. While it follows, cursor and window are at the end.
type view struct {
	cursor, top int
	n, h        int // lines there are and lines seen, as drawn last
	follow      bool
}

// place finds the window for n lines of which h are seen.
func (v *view) place(n, h int) (from, to int) {
	v.n, v.h = n, h
	if v.follow {
		v.cursor, v.top = max(n-1, 0), max(n-h, 0)
	}
	v.cursor = min(max(v.cursor, 0), max(n-1, 0))
	v.top = max(min(v.top, v.cursor), v.cursor-h+1)
	v.top = min(max(v.top, 0), max(n-h, 0))
	return v.top, min(v.top+max(h, 0), n)
}

// do moves the cursor; at the last line it follows again.
func (v *view) do(a keymap.ID) bool {
	to, ok := move(a, v.cursor, v.n, v.h)
	if ok {
		v.cursor, v.follow = to, to >= v.n-1
	}
	return ok
}

// move is a movement in a list of n rows of which h are seen; ok is false for other actions.
func move(a keymap.ID, cursor, n, h int) (to int, ok bool) {
	page := max(h-1, 1)
	switch a {
	case keymap.Down:
		cursor++
	case keymap.Up:
		cursor--
	case keymap.HalfDown:
		cursor += max(page/2, 1)
	case keymap.HalfUp:
		cursor -= max(page/2, 1)
	case keymap.PageDown:
		cursor += page
	case keymap.PageUp:
		cursor -= page
	case keymap.Top:
		cursor = 0
	case keymap.Bottom:
		cursor = n - 1
	default:
		return cursor, false
	}
	return min(max(cursor, 0), max(n-1, 0)), true
}
