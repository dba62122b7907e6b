package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/tui/detail"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/scripts"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
)

// View draws the screen: exactly its height of lines of exactly its width.
func (m *Model) View() string {
	if m.w <= 0 || m.h <= 0 {
		return ""
	}
	if m.lay.tiny {
		return m.notice()
	}
	lines := append([]string{m.header()}, m.body()...)
	lines = append(lines, m.bottom()...)
	return m.exact(lines)
}

// exact cuts and fills what is drawn to the size of the window.
func (m *Model) exact(lines []string) string {
	out := make([]string, m.h)
	for i := range out {
		if i < len(lines) {
			out[i] = theme.Fit(lines[i], m.w)
		} else {
			out[i] = strings.Repeat(" ", m.w)
		}
	}
	return strings.Join(out, "\n")
}

// notice is all that a window too small for anything else shows.
func (m *Model) notice() string {
	text := fmt.Sprintf("mydbg needs %dx%d, this is %dx%d", minWidth, minHeight, m.w, m.h)
	paused := "nothing is paused"
	style := m.th.Text
	if n := len(m.held); n > 0 {
		paused = fmt.Sprintf("%s %d PAUSED  oldest %s", m.th.Glyph(theme.Held), n, traffic.Clock(m.now().Sub(m.held[0].Since)))
		style = m.th.Held
	}
	lines := []string{
		m.th.Strong.Render(safe.Cut(text, m.w)), style.Render(safe.Cut(paused, m.w)),
		m.th.Dim.Render(safe.Cut("c continue  A all  Q quit", m.w)),
	}
	if m.dialog != nil {
		lines = m.dialog.plain(m.w)
	}
	return m.exact(lines)
}

func (m *Model) header() string {
	w := m.w
	var parts []string
	var held string
	if n := len(m.held); n > 0 {
		oldest := traffic.Clock(m.now().Sub(m.held[0].Since))
		if w < 100 {
			held = fmt.Sprintf(" %s %d PAUSED %s ", m.th.Glyph(theme.Held), n, oldest)
		} else {
			held = fmt.Sprintf(" %s %d PAUSED oldest %s ", m.th.Glyph(theme.Held), n, oldest)
		}
	}
	on, all := m.breaks.On()
	switch {
	case all == 0:
	case m.breaks.AllOff():
		parts = append(parts, "BP all off")
	default:
		parts = append(parts, fmt.Sprintf("BP %d on", on))
	}
	if m.e.PausingAll() {
		parts = append(parts, "PAUSE ALL")
	}
	if m.o.ReadOnly {
		parts = append(parts, "READ-ONLY")
	}
	if m.o.Demo != nil {
		parts = append(parts, "DEMO")
	}
	if rec := m.recordingState(); rec != "" {
		parts = append(parts, rec)
	}
	if s := m.replayState(); s != "" {
		parts = append(parts, s)
	}
	if m.rec != nil {
		parts = append(parts, "RECORDING")
	} else {
		parts = append(parts, traffic.Count(max(m.rate.perSecond(), 0))+"/s")
	}
	sep := " " + m.th.Rule() + " "
	rest := strings.Join(parts, sep)
	left := " mydbg  " + m.where(w-len(" mydbg  ")-1-ansi.StringWidth(held)-len(sep)-ansi.StringWidth(rest)) + " "
	room := m.w - ansi.StringWidth(left) - ansi.StringWidth(held)
	if held != "" {
		rest = sep[1:] + rest
	} else {
		rest = sep + rest
	}
	return m.th.Header.Render(left) + m.th.HeaderWarn.Render(held) + m.th.Header.Render(safe.Pad(rest, max(room, 0)))
}

// where names the addresses on both sides and the server's version, as much of it as fits.
func (m *Model) where(room int) string {
	if m.rec != nil {
		return safe.Cut(safe.Line(m.rec.state()), max(room, 10))
	}
	arrow := " " + m.th.Pointer() + " "
	long := m.o.addresses() + arrow + m.o.Backend
	short := strings.NewReplacer("127.0.0.1:", ":", "localhost:", ":", arrow, m.th.Pointer()).Replace(long)
	tries := []string{short}
	if v := m.server(); v != "" {
		brief, _, _ := strings.Cut(v, "-")
		tries = []string{short + " " + v, short + " " + brief, short}
		if m.w >= 100 {
			tries = append([]string{long + " " + v, long + " " + brief, long}, tries...)
		}
	} else if m.w >= 100 {
		tries = []string{long, short}
	}
	for _, t := range tries {
		if t = safe.Line(t); ansi.StringWidth(t) <= room {
			return t
		}
	}
	return safe.Cut(short, max(room, 10))
}

// server is the kind and version of the server that the first connection with one met.
func (m *Model) server() string {
	for i := range m.infos {
		v := m.infos[i].Server
		if v == "" {
			continue
		}
		if m.infos[i].MariaDB {
			v, _, _ = strings.Cut(strings.TrimPrefix(v, "5.5.5-"), "-")
			return "mariadb " + v
		}
		return safe.Cut("mysql "+v, 24)
	}
	return ""
}

// body draws what is between header and footer.
func (m *Model) body() []string {
	l := &m.lay
	var block string
	switch {
	case l.shape == wide && m.edit != nil:
		block = beside(m.main(), m.edit.View(l.editor.w, l.editor.h)) + "\n" + m.logs.View(false)
	case m.edit != nil:
		block = m.edit.View(l.editor.w, l.editor.h)
	case l.shape == wide:
		block = beside(m.main(), m.aside(l.side.w, l.side.h))
		if l.hex.h > 0 {
			block += "\n" + m.inspector.HexView(l.hex.w, l.hex.h, m.focus == inHex)
		}
		block += "\n" + m.logs.View(m.focus == inLog)
	case l.shape == opened:
		block = m.inspector.View(l.side.w, l.side.h, m.focus == inInspector)
		if l.hex.h > 0 {
			block += "\n" + m.inspector.HexView(l.hex.w, l.hex.h, m.focus == inHex)
		}
	case l.side.w > 0:
		block = m.inspector.View(l.side.w, l.side.h, true)
	case l.hex.w > 0:
		block = m.inspector.HexView(l.hex.w, l.hex.h, true)
	case l.list.w == 0 && l.log.w > 0:
		block = m.logs.View(true)
	default:
		block = m.main()
		if l.preview.h > 0 {
			block += "\n" + m.preview(l.preview.w, l.preview.h)
		}
	}
	lines := strings.Split(block, "\n")
	switch {
	case m.dialog != nil:
		lines = m.over(lines, m.dialog.box(m.th, m.w, m.lay.body.h))
	case m.overlay != nil:
		lines = m.over(lines, m.drawOverlay())
	}
	return lines
}

// aside draws the inspector, or where to begin while nothing is selected.
func (m *Model) aside(w, h int) string {
	if _, ok := m.target(); ok {
		return m.inspector.View(w, h, m.focus == inInspector)
	}
	return m.begin(w, h, m.focus == inInspector)
}

// preview draws the short form of the inspector.
func (m *Model) preview(w, h int) string {
	if _, ok := m.target(); ok {
		return m.inspector.Preview(w, h)
	}
	return m.begin(w, h, false)
}

// begin says what can be done first.
func (m *Model) begin(w, h int, focused bool) string {
	title, texts := "Where to begin", []string{
		"j and k select an event, enter opens it.",
		"b stops at the selected statement when it comes again, i where a condition holds, P at anything.",
		"What is stopped: e edits it, r answers it, s n t step, c lets it go.",
	}
	if m.rec != nil {
		texts = []string{
			"j and k select an event, enter opens it.", "s goes to the next event, p back, n to the next command of the same connection, t to the end of its transaction.",
			"b and i set breakpoints; c goes to the next event that one matches. f shows only what matches a condition.",
		}
	}
	if d := m.o.Demo; d != nil {
		title, texts = d.Title, append(append(d.Lines[:len(d.Lines):len(d.Lines)], ""), texts...)
	}
	iw, _ := theme.Inner(w, h)
	var body []string
	for _, t := range texts {
		body = append(body, safe.Wrap(t, iw)...)
	}
	return m.th.BoxLines(title, "", body, w, h, focused)
}

// main draws the numbered pane.
func (m *Model) main() string {
	focused := m.focus == inList && m.edit == nil
	switch m.pane {
	case keymap.Connections:
		return m.conns.View(focused)
	case keymap.Breakpoints:
		return m.breaks.View(focused)
	case keymap.Digests:
		return m.digests.View(focused)
	case keymap.Sessions:
		return m.replays.View(focused)
	case keymap.Log:
		return m.logs.View(focused)
	case keymap.Lua:
		return m.scripts.View(m.lay.list.w, m.lay.list.h, focused)
	}
	return m.events.View(focused, m.intro())
}

// beside joins two blocks of the same height.
func beside(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range left {
		if i < len(right) {
			left[i] += right[i]
		}
	}
	return strings.Join(left, "\n")
}

// over lays a box over the middle of the lines.
func (m *Model) over(lines, box []string) []string {
	if len(box) == 0 {
		return lines
	}
	bw := ansi.StringWidth(box[0])
	x, y := max((m.w-bw)/2, 0), max((len(lines)-len(box))/2, 0)
	for i, b := range box {
		if y+i >= len(lines) {
			break
		}
		under := theme.Fit(lines[y+i], m.w)
		lines[y+i] = theme.Fit(ansi.Truncate(under, x, ""), x) + b + ansi.TruncateLeft(under, x+bw, "")
	}
	return lines
}

// queueLine lists what is paused, oldest first.
func (m *Model) queueLine() string {
	out := " paused queue:"
	if m.w < 100 {
		out = " paused:"
	}
	const hint = "] next paused  [ previous"
	tail := hint
	if m.w < 100 {
		tail = "] next paused"
	}
	if n := m.events.HiddenHeld(); n > 0 {
		tail = fmt.Sprintf("%d paused hidden by the filter, ] shows it", n)
	}
	room := m.w - len(tail) - 2
	text := out
	for i := range m.held {
		h := &m.held[i]
		part := fmt.Sprintf("  %d) #%d %s %s", i+1, h.Exchange, h.Point.String()+heldWhen(h), traffic.Clock(m.now().Sub(h.Since)))
		if h.Exchange == 0 {
			part = fmt.Sprintf("  %d) conn %d %s %s", i+1, h.Conn.ID, h.Point.String()+heldWhen(h), traffic.Clock(m.now().Sub(h.Since)))
		}
		if m.w < 100 {
			part = fmt.Sprintf("  %d) #%d%s", i+1, h.Exchange, heldWhen(h))
			if h.Exchange == 0 {
				part = fmt.Sprintf("  %d) conn %d %s", i+1, h.Conn.ID, h.Point.Short())
			}
		}
		if more := fmt.Sprintf("  +%d", len(m.held)-i); len(text)+len(part)+len(more) > room {
			text += more
			break
		}
		text += part
	}
	return m.th.Strong.Render(safe.Pad(text, max(room, 0))) + " " + m.th.Dim.Render(tail)
}

// messageLines are what the last lines say: one, or as many as a long message needs and there may be.
func (m *Model) messageLines(limit int) []string {
	if m.message.text == "" {
		return []string{""}
	}
	style, sign := m.th.Info, " "
	switch m.message.level {
	case intercept.Warning:
		style, sign = m.th.Warning, " ! "
	case intercept.Error:
		style, sign = m.th.Error, " "+m.th.Glyph(theme.Error)+" "
	}
	indent := safe.Width(sign)
	lines := safe.Wrap(m.message.text, max(m.w-1-indent, 1))
	if len(lines) > limit {
		lines = []string{safe.Cut(m.message.text, m.w-1-indent)}
		if limit > 1 {
			lines = safe.Wrap(safe.Cut(m.message.text, limit*(m.w-1-indent)*9/10), m.w-1-indent)
			lines = lines[:min(len(lines), limit)]
		}
	}
	for i, l := range lines {
		lines[i] = style.Render(sign + l)
		sign = strings.Repeat(" ", indent)
	}
	return lines
}

// setTheme changes the looks of everything.
func (m *Model) setTheme(th *theme.Theme) {
	m.th, m.o.Theme.Name = th, th.Name
	m.events.SetTheme(th)
	m.conns.SetTheme(th)
	m.breaks.SetTheme(th)
	m.digests.SetTheme(th)
	m.replays.SetTheme(th)
	m.logs.SetTheme(th)
	m.inspector, m.shown = detail.New(th), subjectKey{}
	code := m.scripts.Code()
	m.scripts = scripts.New(th, m.keys, m.o.Snippets)
	m.scripts.SetCode(code)
}
