package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// overlayKind is which of the lists of actions is open.
type overlayKind uint8

const (
	overlayHelp overlayKind = iota
	overlayPalette
)

// overlay lists what can be done, filtered by what is typed. In the palette a line can be run.
type overlay struct {
	kind    overlayKind
	context keymap.Context // it was opened in
	search  textinput.Model
	at, top int
	states  bool // the second page of the help
}

func (m *Model) openOverlay(k overlayKind) {
	in := textinput.New()
	in.Prompt = ""
	in.Focus()
	m.overlay = &overlay{kind: k, context: m.context(), search: in}
}

func splitLines(s string) []string { return strings.Split(s, "\n") }

// overlayKey searches, moves, runs or closes.
func (m *Model) overlayKey(k tea.KeyMsg) tea.Cmd {
	o := m.overlay
	a, _ := m.keys.Lookup(keymap.InPrompt, k.String())
	_, room := m.overlaySize()
	switch {
	case k.Paste || a.ID == "":
		if o.search.Value() == "" && k.String() == "?" && o.kind == overlayHelp {
			m.overlay = nil
			return nil
		}
		o.search, _ = o.search.Update(k)
		o.at, o.top = 0, 0
	case a.ID == keymap.Close || a.ID == keymap.Cancel:
		m.overlay = nil
	case a.ID == keymap.HistoryPrev:
		o.move(-1, m.overlayLen(), room)
	case a.ID == keymap.HistoryNext:
		o.move(1, m.overlayLen(), room)
	case a.ID == keymap.PageUp:
		o.move(-room, m.overlayLen(), room)
	case a.ID == keymap.PageDown:
		o.move(room, m.overlayLen(), room)
	case a.ID == keymap.Complete && o.kind == overlayHelp:
		o.states, o.top = !o.states, 0
	case a.ID == keymap.Complete:
		if items := m.overlayItems(); o.at < len(items) {
			m.overlay = nil
			m.open(promptCommand, strings.TrimPrefix(items[o.at].Command(), ":"))
		}
	case a.ID == keymap.Accept && o.kind == overlayPalette:
		items := m.overlayItems()
		m.overlay = nil
		if o.at < len(items) {
			return m.do(items[o.at].ID)
		}
	case a.ID == keymap.Accept:
		m.overlay = nil
	}
	return nil
}

func (o *overlay) move(by, n, room int) {
	if o.kind == overlayHelp {
		o.top = min(max(o.top+by, 0), max(n-room, 0))
		return
	}
	o.at = min(max(o.at+by, 0), max(n-1, 0))
	o.top = min(o.top, o.at)
	o.top = max(o.top, o.at-room+1)
}

// overlayItems are the actions that match the search.
func (m *Model) overlayItems() []keymap.Action {
	want := strings.ToLower(m.overlay.search.Value())
	var items []keymap.Action
	for _, a := range m.keys.Actions(m.overlay.context) {
		text := strings.ToLower(string(a.ID) + " " + a.Short + " " + a.Long)
		if strings.Contains(text, want) || want != "" && strings.Join(a.Keys, " ") == want {
			items = append(items, a)
		}
	}
	return items
}

// overlayLen is how many lines can be scrolled.
func (m *Model) overlayLen() int {
	w, _ := m.overlaySize()
	switch {
	case m.overlay.kind == overlayPalette:
		return len(m.overlayItems())
	case m.overlay.states:
		return len(m.stateLines(w))
	}
	return len(m.helpLinesFor(w))
}

// overlaySize is the room inside the box: cells and lines of the list.
func (m *Model) overlaySize() (w, lines int) {
	return min(m.w-4, 110) - 3, max(m.lay.body.h-5, 3)
}

func (m *Model) drawOverlay() []string {
	o := m.overlay
	w, room := m.overlaySize()
	search := m.th.Dim.Render("search: ") + safe.Line(o.search.Value()) + m.th.Cursor.Render(" ")
	var body []string
	title, right := "", ""
	switch {
	case o.kind == overlayPalette:
		title, right = "Everything that can be done", "enter run  tab as command  esc"
		body = m.paletteLines(w)
	case o.states:
		title, right = "Help: states and conditions", "tab: keys  esc"
		body, search = m.stateLines(w), ""
	default:
		title, right = m.helpTitle(), "tab: states and conditions  esc"
		body = m.helpLinesFor(w)
	}
	top := min(o.top, max(len(body)-room, 0))
	shown := body[top:min(top+room, len(body))]
	lines := append([]string{search}, shown...)
	if n := len(body) - top - len(shown); n > 0 {
		lines = append(lines, m.th.Dim.Render(fmt.Sprintf("%d more below, down and pgdown", n)))
	}
	return splitLines(m.th.BoxLines(title, right, lines, w+3, min(len(lines)+2, m.lay.body.h), true))
}

func (m *Model) helpTitle() string {
	where := "Events"
	switch {
	case m.overlay.context == keymap.InGrid:
		return "Help: a result set being edited"
	case m.overlay.context == keymap.InInspector:
		where = "Inspector"
	case m.pane != keymap.Events:
		where = string(m.pane)
	}
	if t, ok := m.target(); ok {
		if h := m.heldByID(t.Hold); h != nil {
			return "Help: " + where + ", " + name(h) + " is paused"
		}
	}
	return "Help: " + where
}

// paletteLines lists the actions with key and command.
func (m *Model) paletteLines(w int) []string {
	var lines []string
	for i, a := range m.overlayItems() {
		text := "  " + safe.Pad(a.Long, max(w-38, 10)) + "  " + safe.Pad(a.Key(), 8) + a.Command()
		style := m.th.Text
		if m.off(a.ID) != "" {
			style = m.th.Dim
		}
		if i == m.overlay.at {
			text = m.th.Pointer() + text[1:]
			style = m.th.Selected
		}
		lines = append(lines, style.Render(safe.Pad(text, w)))
	}
	if len(lines) == 0 {
		lines = append(lines, m.th.Dim.Render("  nothing like that"))
	}
	return lines
}

// helpLinesFor lists the actions by group, in two columns where there is room, and below them what is
// off now and why.
func (m *Model) helpLinesFor(w int) []string {
	match := map[keymap.ID]bool{}
	for _, a := range m.overlayItems() {
		match[a.ID] = true
	}
	cols := 1
	if w >= 90 {
		cols = 2
	}
	cw := w/cols - 2
	var blocks [][]string
	var off []string
	for _, s := range m.keys.Help(m.overlay.context) {
		var block []string
		for _, a := range s.Actions {
			if !match[a.ID] {
				continue
			}
			keys := strings.Join(a.Keys, " ")
			if why := m.off(a.ID); why != "" && m.overlay.context != keymap.InGrid {
				off = append(off, "  "+m.th.FooterKey.Render(safe.Pad(a.Key(), 7))+m.th.Dim.Render(safe.Cut(a.Short+": "+why, w-10)))
				continue
			}
			block = append(block, "  "+m.th.FooterKey.Render(safe.Pad(keys, 14))+safe.Cut(a.Long, cw-16))
		}
		if len(block) > 0 {
			blocks = append(blocks, append([]string{m.th.Strong.Render(string(s.Group))}, block...))
		}
	}
	lines := inColumns(blocks, cols, cw+2)
	if len(off) > 0 {
		lines = append(lines, "", m.th.Strong.Render("off now"))
		lines = append(lines, off...)
	}
	return lines
}

// inColumns sets blocks one below the other in columns of about the same height.
func inColumns(blocks [][]string, cols, w int) []string {
	total := 0
	for _, b := range blocks {
		total += len(b)
	}
	columns := make([][]string, cols)
	at := 0
	for _, b := range blocks {
		if at < cols-1 && len(columns[at])+len(b)/2 > (total+cols-1)/cols {
			at++
		}
		columns[at] = append(columns[at], b...)
	}
	var lines []string
	for y := 0; ; y++ {
		var line string
		more := false
		for _, c := range columns {
			cell := ""
			if y < len(c) {
				cell, more = c[y], true
			}
			line += theme.Fit(cell, w)
		}
		if !more {
			return lines
		}
		lines = append(lines, line)
	}
}

// stateLines explain the signs of the list, and name the fields of conditions.
func (m *Model) stateLines(w int) []string {
	lines := []string{m.th.Strong.Render("states")}
	for _, s := range theme.States() {
		tag := s.Tag()
		if tag == "" {
			tag = "(time)"
		}
		lines = append(lines, "  "+m.th.State(s).Render(safe.Pad(m.th.Glyph(s), 3)+safe.Pad(tag, 9))+s.String())
	}
	lines = append(lines, "", m.th.Strong.Render("fields of filters and breakpoints"))
	for _, f := range rule.Fields() {
		lines = append(lines, "  "+m.th.Key.Render(safe.Pad(f.Name, 16))+m.th.Dim.Render(safe.Pad(f.Type, 9))+safe.Cut(f.Doc, max(w-28, 4)))
	}
	for i, l := range lines {
		if ansi.StringWidth(l) > w {
			lines[i] = ansi.Truncate(l, w, "")
		}
	}
	return lines
}
