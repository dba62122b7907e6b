package edit

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rivo/uniseg"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// text is an input of one line or of many. Unlike the usual widgets it keeps every byte it was given, tabs,
// control characters and broken UTF-8 too: what nobody touches is sent as it came. A text is a value: editing a
// copy leaves the original alone, so undo just keeps copies.
type text struct {
	lines []string // never empty; the only line of a one-line input may have line breaks in it
	many  bool
	row   int
	off   int // of the cursor in its line, between two clusters
}

func oneLine(s string) text { return text{lines: []string{s}, off: len(s)} }

func manyLines(s string) text { return text{lines: strings.Split(s, "\n"), many: true} }

func (t *text) String() string { return strings.Join(t.lines, "\n") }

// set replaces everything and puts the cursor at the end.
func (t *text) set(s string) {
	if t.many {
		t.lines = strings.Split(s, "\n")
	} else {
		t.lines = []string{s}
	}
	t.row = len(t.lines) - 1
	t.off = len(t.lines[t.row])
}

func (t *text) line() string { return t.lines[t.row] }

// cluster is the length of what a reader takes for the first character of s.
func cluster(s string) int {
	if len(s) < 2 || s[0] < 0x80 && s[1] < 0x80 {
		return min(len(s), 1)
	}
	if r, n := utf8.DecodeRuneInString(s); r == utf8.RuneError && n == 1 {
		return 1
	}
	first, _, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return len(first)
}

// before is the length of the last character of s.
func before(s string) int {
	if s == "" {
		return 0
	}
	if s[len(s)-1] < 0x80 {
		return 1
	}
	// Clusters are short: this one begins behind some boundary near. More than three bytes that begin nothing are
	// no UTF-8.
	from := max(len(s)-64, 0)
	for i := 1; i < utf8.UTFMax && from > 0 && !utf8.RuneStart(s[from]); i++ {
		from++
	}
	n := 0
	for rest := s[from:]; rest != ""; rest = rest[n:] {
		n = cluster(rest)
	}
	return n
}

func cells(s string) int {
	if len(s) == 1 && s[0] >= ' ' && s[0] < 0x7f {
		return 1
	}
	return safe.Width(s)
}

// key edits or moves. taken is false for keys that mean nothing here.
func (t *text) key(k tea.KeyMsg) (taken, edited bool) {
	switch k.Type {
	case tea.KeyRunes, tea.KeySpace:
		if k.Alt {
			return t.alt(k.String())
		}
		s := string(k.Runes)
		if k.Type == tea.KeySpace && s == "" {
			s = " "
		}
		t.insert(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"))
		return true, true
	case tea.KeyEnter:
		if !t.many {
			return false, false
		}
		t.insert("\n")
		return true, true
	case tea.KeyBackspace:
		if k.Alt {
			return true, t.cut(t.wordLeft())
		}
		return true, t.backspace()
	case tea.KeyCtrlW:
		return true, t.cut(t.wordLeft())
	case tea.KeyDelete, tea.KeyCtrlD:
		return true, t.delete()
	case tea.KeyCtrlU:
		return true, t.cut(0)
	case tea.KeyCtrlK:
		return true, t.cut(len(t.line()))
	}
	return t.move(k.String()), false
}

func (t *text) alt(key string) (taken, edited bool) {
	switch key {
	case "alt+b":
		t.off = t.wordLeft()
	case "alt+f":
		t.off = t.wordRight()
	case "alt+d":
		return true, t.cut(t.wordRight())
	default:
		return false, false
	}
	return true, false
}

func (t *text) move(key string) bool {
	switch key {
	case "left", "ctrl+b":
		if t.off > 0 {
			t.off -= before(t.line()[:t.off])
		} else if t.row > 0 {
			t.row--
			t.off = len(t.line())
		}
	case "right", "ctrl+f":
		if t.off < len(t.line()) {
			t.off += cluster(t.line()[t.off:])
		} else if t.row < len(t.lines)-1 {
			t.row, t.off = t.row+1, 0
		}
	case "home", "ctrl+a":
		t.off = 0
	case "end", "ctrl+e":
		t.off = len(t.line())
	case "ctrl+left":
		t.off = t.wordLeft()
	case "ctrl+right":
		t.off = t.wordRight()
	case "ctrl+home":
		t.row, t.off = 0, 0
	case "ctrl+end":
		t.row = len(t.lines) - 1
		t.off = len(t.line())
	case "up":
		return t.vertical(-1)
	case "down":
		return t.vertical(1)
	case "pgup":
		return t.vertical(-10)
	case "pgdown":
		return t.vertical(10)
	default:
		return false
	}
	return true
}

// vertical moves by lines and keeps the column; false at the first and the last line.
func (t *text) vertical(by int) bool {
	to := min(max(t.row+by, 0), len(t.lines)-1)
	if to == t.row {
		return false
	}
	column := safe.Width(t.line()[:t.off])
	t.row, t.off = to, 0
	for w := 0; t.off < len(t.line()) && w < column; {
		n := cluster(t.line()[t.off:])
		w += cells(t.line()[t.off : t.off+n])
		t.off += n
	}
	return true
}

func (t *text) wordLeft() int {
	s := strings.TrimRightFunc(t.line()[:t.off], notWord)
	return len(strings.TrimRightFunc(s, func(r rune) bool { return !notWord(r) }))
}

func (t *text) wordRight() int {
	s := strings.TrimLeftFunc(t.line()[t.off:], notWord)
	s = strings.TrimLeftFunc(s, func(r rune) bool { return !notWord(r) })
	return len(t.line()) - len(s)
}

func notWord(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func (t *text) insert(s string) {
	line := t.line()
	all := line[:t.off] + s + line[t.off:]
	if !t.many || !strings.Contains(s, "\n") {
		t.lines = slices.Clone(t.lines)
		t.lines[t.row] = all
		t.off += len(s)
		return
	}
	parts := strings.Split(all, "\n")
	tail := len(line) - t.off
	t.lines = slices.Concat(t.lines[:t.row], parts, t.lines[t.row+1:])
	t.row += len(parts) - 1
	t.off = len(t.line()) - tail
}

// cut takes out what is between the cursor and offset to of the line.
func (t *text) cut(to int) bool {
	from := min(t.off, to)
	to = max(t.off, to)
	if from == to {
		return false
	}
	t.lines = slices.Clone(t.lines)
	t.lines[t.row] = t.line()[:from] + t.line()[to:]
	t.off = from
	return true
}

func (t *text) backspace() bool {
	if t.off > 0 {
		return t.cut(t.off - before(t.line()[:t.off]))
	}
	if t.row == 0 {
		return false
	}
	t.row--
	t.off = len(t.line())
	t.join()
	return true
}

func (t *text) delete() bool {
	if t.off < len(t.line()) {
		return t.cut(t.off + cluster(t.line()[t.off:]))
	}
	if t.row == len(t.lines)-1 {
		return false
	}
	t.join()
	return true
}

// join appends the next line to the cursor's.
func (t *text) join() {
	joined := t.line() + t.lines[t.row+1]
	t.lines = slices.Delete(slices.Clone(t.lines), t.row+1, t.row+2)
	t.lines[t.row] = joined
}

// stretch is a part of a line that is drawn in one row.
type stretch struct{ from, to int }

// wrap cuts a line into rows of at most w cells, after a space where it can.
func wrap(s string, w int) []stretch {
	w = max(w, 1)
	var rows []stretch
	from, width, space := 0, 0, -1
	for off := 0; off < len(s); {
		n := cluster(s[off:])
		c := cells(s[off : off+n])
		if width+c > w && off > from {
			cut := off
			if space > from {
				cut = space
			}
			rows = append(rows, stretch{from, cut})
			width = safe.Width(s[cut:off])
			from, space = cut, -1
		}
		width += c
		off += n
		if s[off-1] == ' ' {
			space = off
		}
	}
	return append(rows, stretch{from, len(s)})
}

// view draws w by h cells around the cursor, which is shown when the input has the focus. numbers puts the
// numbers of the lines at the left.
func (t *text) view(th *theme.Theme, w, h int, focused, numbers bool) []string {
	if !t.many {
		return []string{t.viewLine(th, w, focused)}
	}
	gutter := 0
	if numbers {
		gutter = 5
	}
	type drawn struct {
		line int
		stretch
	}
	room := max(w-gutter-1, 1) // a cell for the cursor behind the last character
	var rows []drawn
	at := 0
	add := func(line int) (list []drawn) {
		for _, s := range wrap(t.lines[line], room) {
			list = append(list, drawn{line, s})
		}
		return list
	}
	rows = add(t.row)
	for i, r := range rows {
		if t.off >= r.from && (t.off < r.to || i == len(rows)-1) {
			at = i
			break
		}
	}
	for line := t.row - 1; line >= 0 && at < h; line-- {
		above := add(line)
		at += len(above)
		rows = append(above, rows...)
	}
	for line := t.row + 1; line < len(t.lines) && len(rows)-at < h; line++ {
		rows = append(rows, add(line)...)
	}
	top := min(max(at-h/2, 0), max(len(rows)-h, 0))
	out := make([]string, 0, h)
	for i := top; i < len(rows) && len(out) < h; i++ {
		r := rows[i]
		s := t.lines[r.line][r.from:r.to]
		var body string
		if focused && i == at {
			body = withCursor(th, s, t.off-r.from)
		} else {
			body = th.Text.Render(safe.Line(s))
		}
		if numbers {
			number := "     "
			if r.from == 0 {
				number = safe.PadLeft(itoa(r.line+1), 3) + "  "
			}
			body = th.Dim.Render(number) + body
		}
		out = append(out, theme.Fit(body, w))
	}
	for len(out) < h {
		out = append(out, strings.Repeat(" ", w))
	}
	return out
}

// viewLine draws a one-line input, moved to the left until the cursor is in it.
func (t *text) viewLine(th *theme.Theme, w int, focused bool) string {
	s := t.line()
	if !focused {
		return theme.Fit(th.Text.Render(safe.Cut(s, w)), w)
	}
	from, width := t.off, 1
	for from > 0 && width < w {
		n := before(s[:from])
		if width += cells(s[from-n : from]); width > w {
			break
		}
		from -= n
	}
	to := t.off
	for to < len(s) && width <= w {
		n := cluster(s[to:])
		width += cells(s[to : to+n])
		to += n
	}
	return theme.Fit(withCursor(th, s[from:to], t.off-from), w)
}

// withCursor draws s with the character at off as the cursor's.
func withCursor(th *theme.Theme, s string, off int) string {
	under, n := " ", 0
	if off < len(s) {
		n = cluster(s[off:])
		under = safe.Line(s[off : off+n])
	}
	return th.Text.Render(safe.Line(s[:off])) + th.Cursor.Render(under) + th.Text.Render(safe.Line(s[off+n:]))
}
