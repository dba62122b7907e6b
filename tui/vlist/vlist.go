// Package vlist draws a list of any length that changes while it is looked at. Only the visible rows are ever asked
// for, so the cost does not depend on how many there are.
//
// The selection belongs to a row's id, not to its place: rows that arrive, leave or move never change what is
// selected, and while the selected row is in the window it keeps its line. While the list follows, the window stays at the tail, and the selection may then be out of sight; callers
// that act on it should look at SelectionVisible. When the selected row is gone, the nearest one that still exists
// takes its place.
//
// Call Sync in Update after the source may have changed; it is what moves the window. View changes nothing.
package vlist

import (
	"slices"
	"strings"

	"mydbg/tui/theme"
)

// Source has the rows. Ids are unique. Between two calls of Sync the rows should not change, or View may draw rows
// that have moved on: give it a snapshot.
type Source interface {
	Len() int
	// Row draws row i for w cells; the list cuts or fills what is not exactly so wide.
	Row(i, w int, selected bool) string
	ID(i int) uint64
	Index(id uint64) int // -1 if there is none
}

// List is a window on a Source.
type List struct {
	src  Source
	w, h int

	follow   bool
	selected bool
	sel      uint64 // id of the selected row
	at       int    // where it was at the last Sync

	top int
	ids []uint64 // of the rows in the window at the last Sync: the anchors
}

// New returns a list without size. Nothing is selected until Select or a movement.
func New(src Source) *List { return &List{src: src} }

// SetSource changes the rows and keeps what can be kept: selection and window by id.
func (l *List) SetSource(src Source) {
	l.src = src
	l.Sync()
}

// SetSize changes the window. The selected row stays in view if it was, and so does the row at the top.
func (l *List) SetSize(w, h int) {
	l.place()
	visible := l.SelectionVisible()
	l.w, l.h = max(w, 0), max(h, 0)
	l.place()
	if visible && !l.follow {
		l.show(l.at)
	}
	l.remember()
}

// Size is the window's width and height.
func (l *List) Size() (w, h int) { return l.w, l.h }

// Sync takes notice of changed rows.
func (l *List) Sync() {
	l.place()
	l.remember()
}

// place finds selection and window again, by id.
func (l *List) place() {
	n := l.src.Len()
	if l.selected {
		if i := l.src.Index(l.sel); i >= 0 {
			l.at = i
		} else if n > 0 {
			l.at = l.nearest(n)
			l.sel = l.src.ID(l.at)
		} else {
			l.selected, l.at = false, 0
		}
	}
	if l.follow {
		l.top = max(n-l.h, 0)
		return
	}
	l.top = l.anchored()
	l.top = min(max(l.top, 0), max(n-l.h, 0))
}

// anchored is where the window begins when the selected row keeps its line, if it was in the window: rows that come
// between the top and it must not push it out. Else the first row that still exists keeps its line.
func (l *List) anchored() int {
	if k := slices.Index(l.ids, l.sel); l.selected && k >= 0 {
		if i := l.src.Index(l.sel); i >= 0 {
			return i - k
		}
	}
	for k, id := range l.ids {
		if i := l.src.Index(id); i >= 0 {
			return i - k
		}
	}
	return l.top
}

// nearest returns the row that takes the place of a selected one that is gone: the closest that stood beside it in the
// window, else the end where its id would be if ids grow, else its old place.
func (l *List) nearest(n int) int {
	k := l.at - l.top
	for d := 1; d < len(l.ids)+1; d++ {
		for _, j := range [2]int{k + d, k - d} { // the next before the one before
			if j >= 0 && j < len(l.ids) {
				if i := l.src.Index(l.ids[j]); i >= 0 {
					return i
				}
			}
		}
	}
	switch {
	case l.src.ID(0) > l.sel:
		return 0
	case l.src.ID(n-1) < l.sel:
		return n - 1
	default:
		return min(l.at, n-1)
	}
}

// remember notes the ids in the window.
func (l *List) remember() {
	n := min(l.h, l.src.Len()-l.top)
	l.ids = l.ids[:0]
	for i := range max(n, 0) {
		l.ids = append(l.ids, l.src.ID(l.top+i))
	}
}

// show moves the window as little as needed for row i to be in it.
func (l *List) show(i int) {
	if l.h == 0 {
		return
	}
	l.top = min(l.top, i)
	l.top = max(l.top, i-l.h+1)
}

// Selected returns the selected row's id and place; ok is false if nothing is selected.
func (l *List) Selected() (id uint64, i int, ok bool) { return l.sel, l.at, l.selected }

// SelectionVisible reports whether the selected row is in the window.
func (l *List) SelectionVisible() bool {
	return l.selected && l.at >= l.top && l.at < l.top+l.h
}

// Select selects the row with that id and shows it; it reports whether there is one. The list stops following unless
// the row is in the tail window.
func (l *List) Select(id uint64) bool {
	i := l.src.Index(id)
	if i < 0 {
		return false
	}
	l.place()
	l.choose(i)
	return true
}

// Unselect leaves no row selected.
func (l *List) Unselect() { l.selected = false }

func (l *List) choose(i int) {
	l.selected, l.sel, l.at = true, l.src.ID(i), i
	if l.follow && !l.SelectionVisible() {
		l.follow = false
	}
	l.show(i)
	l.remember()
}

// Following reports whether the window stays at the tail.
func (l *List) Following() bool { return l.follow }

// SetFollow makes the window stay at the tail, or leaves it where it is. The selection stays.
func (l *List) SetFollow(on bool) {
	l.follow = on
	l.Sync()
}

// Move selects the row d below (above, if negative) the selected one. Moving up stops following. If nothing is
// selected it selects what is at the edge of the window it comes from: the last visible row going up, the first
// going down, and the last one if the list follows.
func (l *List) Move(d int) {
	l.place()
	n := l.src.Len()
	if n == 0 || d == 0 {
		return
	}
	to := l.at + d
	if !l.selected {
		to = l.top
		if d < 0 || l.follow {
			to = min(l.top+l.h, n) - 1
		}
	}
	if d < 0 {
		l.follow = false
	}
	l.choose(min(max(to, 0), n-1))
}

// Page moves by n windows, less one line each; HalfPage by half of that.
func (l *List) Page(n int) { l.scroll(n, max(l.h-1, 1)) }

// HalfPage moves by n half windows.
func (l *List) HalfPage(n int) { l.scroll(n, max(l.h/2, 1)) }

// scroll moves the window and the selection by the same number of lines, so the eye keeps its place.
func (l *List) scroll(n, by int) {
	l.place()
	if l.selected { // else there is nothing to move: select first
		l.top = min(max(l.top+n*by, 0), max(l.src.Len()-l.h, 0))
		l.remember()
	}
	l.Move(n * by)
}

// Home selects the first row and stops following.
func (l *List) Home() {
	if l.src.Len() > 0 {
		l.follow = false
		l.choose(0)
	}
}

// End selects the last row and follows the tail.
func (l *List) End() {
	l.follow = true
	l.place()
	if n := l.src.Len(); n > 0 {
		l.choose(n - 1)
	}
}

// Scroll moves the window alone, as a mouse wheel does; up stops following.
func (l *List) Scroll(lines int) {
	l.place()
	if lines < 0 {
		l.follow = false
	}
	l.top = min(max(l.top+lines, 0), max(l.src.Len()-l.h, 0))
	l.remember()
}

// Search selects the nearest row that matches below the selected one, or above it if dir is negative, going on at the
// other end. It reports whether there is one. Its cost is that of asking about the rows between.
func (l *List) Search(dir int, match func(i int) bool) bool {
	l.place()
	n := l.src.Len()
	if n == 0 {
		return false
	}
	step, from := 1, l.at
	if dir < 0 {
		step = -1
	}
	if !l.selected {
		from = l.top - 1
		if dir < 0 {
			from = min(l.top+l.h, n)
		}
	}
	for k := 1; k <= n; k++ {
		i := ((from+k*step)%n + n) % n
		if match(i) {
			if step < 0 {
				l.follow = false
			}
			l.choose(i)
			return true
		}
	}
	return false
}

// At returns the id of the row drawn in line y of the window.
func (l *List) At(y int) (id uint64, ok bool) {
	if y < 0 || y >= len(l.ids) {
		return 0, false
	}
	return l.ids[y], true
}

// Window returns the place of the first visible row and how many are visible.
func (l *List) Window() (top, n int) { return l.top, len(l.ids) }

// View draws the window as exactly its height of lines of exactly its width.
func (l *List) View() string {
	if l.w == 0 || l.h == 0 {
		return ""
	}
	lines := make([]string, l.h)
	n := l.src.Len()
	for y := range lines {
		var row string
		if i := l.top + y; i < n {
			row = l.src.Row(i, l.w, l.selected && l.src.ID(i) == l.sel)
		}
		lines[y] = theme.Fit(row, l.w)
	}
	return strings.Join(lines, "\n")
}
