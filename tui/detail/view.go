package detail

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/tui/safe"
	"mydbg/tui/sqlview"
	"mydbg/tui/theme"
)

// View draws the inspector as a box of exactly w by h.
func (m *Model) View(w, h int, focused bool) string {
	m.focused = focused
	if focused {
		m.inHex = false
	}
	f := m.about()
	iw, ih := theme.Inner(w, h)
	if f.empty {
		return m.th.BoxLines("Inspector", "", m.dim("Nothing is selected.", iw), w, h, focused)
	}
	title := f.title
	if f.command != "" && w >= 70 {
		title += " " + f.command
	}
	t := m.current()
	right := ""
	if v := viewNames(t)[m.views[t]%len(viewNames(t))]; v != "" && (t != tabResult || m.resultView().rows != nil) {
		right = "v: " + v
	}
	lines := []string{m.tabLine(t, iw)}
	bh := max(ih-1, 0)
	m.size = size{iw, bh}
	switch t {
	case tabPacket:
		lines = append(lines, m.packetBody(iw, bh)...)
	case tabStages:
		lines = append(lines, m.stagesBody(iw, bh)...)
	case tabStatement:
		held := m.heldLines(iw)
		if len(held) > 0 && bh > 2*len(held)+2 {
			bh -= len(held) + 1
			held = append([]string{""}, held...)
		} else {
			held = nil
		}
		m.size.h = bh
		lines = append(lines, m.paged(t, iw, bh, m.statementLines)...)
		lines = append(lines, held...)
	case tabResult:
		lines = append(lines, m.resultBody(iw, bh)...)
	case tabLua:
		lines = append(lines, m.paged(t, iw, bh, m.luaLines)...)
	case tabSession:
		m.pagers[t].stale = true // ages
		lines = append(lines, m.paged(t, iw, bh, m.sessionLines)...)
	}
	return m.th.BoxLines(title, right, lines, w, h, focused)
}

// paged is the part of a tab's lines that is seen, filled to h lines.
func (m *Model) paged(t tab, w, h int, make func(int) []string) []string {
	p := &m.pagers[t]
	p.fill(w, make)
	return fill(p.window(h), h)
}

func fill(lines []string, h int) []string {
	lines = append([]string(nil), lines...)
	for len(lines) < h {
		lines = append(lines, "")
	}
	return lines[:max(h, 0)]
}

// tabLine names the tabs, as far as there is room: the current one in brackets.
func (m *Model) tabLine(current tab, w int) string {
	gap := "  "
	if w >= 70 {
		gap = "   "
	}
	var names []string
	for _, t := range m.tabs() {
		if t == current {
			names = append(names, m.th.TabActive.Render("["+tabNames[t]+"]"))
		} else {
			names = append(names, m.th.Tab.Render(tabNames[t]))
		}
	}
	if ansi.StringWidth(strings.Join(names, gap)) > w {
		gap = " "
	}
	line := strings.Join(names, gap)
	if ansi.StringWidth(line) > w { // begin with the current one
		for i, t := range m.tabs() {
			if t == current && i > 0 && theme.Fit(line, w) != line {
				rest := strings.Join(names[i:], gap)
				if i > 0 {
					rest = m.th.Dim.Render("< ") + strings.Join(names[max(i-1, 0):], gap)
				}
				return theme.Fit(rest, w)
			}
		}
	}
	return theme.Fit(line, w)
}

// packetBody is the tree, and below it the statement and why it waits, where there is room.
func (m *Model) packetBody(w, h int) []string {
	o := m.outline()
	var lines []string
	if f := m.about(); f.missing != "" {
		lines = m.dim(f.missing, w)
		if most := max(h/3, 1); len(lines) > most {
			lines = append(lines[:most-1], m.th.Dim.Render(safe.Cut(f.missing, w)))
			if most > 1 {
				lines[most-1] = m.th.Dim.Render(m.th.Ellipsis())
			}
		}
		if h > 8 && o.rows() > 0 {
			lines = append(lines, "")
		}
	}
	below := m.belowTree(w, h)
	room := h - len(lines)
	th := min(o.rows(), room-len(below))
	th = max(th, min(o.rows(), room, max(h/3, 1)))
	m.size.h = th
	lines = append(lines, m.treeLines(w, th)...)
	return fill(append(lines, below...), h)
}

// belowTree is what stands below the tree: nothing where there is little room.
func (m *Model) belowTree(w, h int) []string {
	held := m.heldLines(w)
	s := &m.about().statement
	if h < 14 {
		if h >= 8 && len(held) > 0 {
			return held[:min(len(held), 2)]
		}
		return nil
	}
	var lines []string
	if s.sql != "" {
		most := h/2 - len(held) - 2
		sql := m.about().headLines(m.th, layout{w: w})
		if len(sql) > most && most > 0 {
			sql = append(sql[:most-1:most-1], m.th.Dim.Render(m.th.Ellipsis()+" see Statement"))
		}
		if most > 0 {
			lines = append(lines, sql...)
			lines = append(lines, "")
		}
	}
	lines = append(lines, held...)
	if tags := m.about().tagText(); tags != "" {
		lines = append(lines, m.fact("tags", tags, w)...)
	}
	if len(lines) > 0 {
		lines = append([]string{""}, lines...)
	}
	return lines
}

// treeLines draws h rows of the tree.
func (m *Model) treeLines(w, h int) []string {
	o := m.outline()
	n, cursor := o.rows(), o.row(o.cur)
	if h > 0 {
		o.top = max(min(o.top, cursor), cursor-h+1)
		o.top = min(max(o.top, 0), max(n-h, 0))
	}
	if n == 0 {
		return fill(nil, h)
	}
	var lines []string
	for i := o.top; i < min(o.top+h, n); i++ {
		line := m.treeRow(o, o.at(i), i == cursor, w)
		lines = append(lines, m.selected(line, i == cursor, m.focused, w))
	}
	return fill(lines, h)
}

// selected lays the look of the selection over a row.
func (m *Model) selected(line string, selected, focused bool, w int) string {
	line = theme.Fit(line, w)
	switch {
	case selected && focused:
		return m.th.Selected.Over(line)
	case selected:
		return m.th.SelectedBlur.Over(line)
	}
	return line
}

// pointer is what stands before a row.
func (m *Model) pointer(selected bool) string {
	if selected {
		return m.th.Pointer() + " "
	}
	return "  "
}

// heldLines say why an event waits, for how long, and who else does. They are not empty for exchanges
// that are over: then they say what became of them.
func (m *Model) heldLines(w int) []string {
	if h := m.s.Held; h != nil && h.Event != nil {
		why := h.Reason.By
		if h.Reason.Why != "" && h.Reason.Why != h.Reason.By {
			why += "  " + h.Reason.Why
		}
		lines := m.fact("stopped by", why, w)
		lines = append(lines, m.scriptFact(w)...)
		wait := clock(m.now().Sub(h.Since)) + "   " + m.peers()
		lines = append(lines, m.fact("waiting", wait, w)...)
		if !h.Deadline.IsZero() {
			lines = append(lines, m.fact("then", m.deadline(h), w)...)
		}
		if r := m.failedHere(); r != nil {
			lines = append(lines, m.fact("why", r.Title(), w)...)
			lines = append(lines, m.fact("to change", r.Hint(), w)...)
		}
		return lines
	}
	d := m.s.Detail
	if d == nil {
		return nil
	}
	lines := m.fact("outcome", outcome(d), w)
	lines = append(lines, m.scriptFact(w)...)
	if d.By != "" && d.Marks&(intercept.MarkPaused|intercept.MarkEdited|intercept.MarkScripted|intercept.MarkRule|intercept.MarkCrafted|intercept.MarkInjected) != 0 {
		lines = append(lines, m.fact("by", d.By, w)...)
	}
	if d.Upload != nil {
		lines = append(lines, m.fact("file", d.Upload.Text(), w)...)
	}
	lines = append(lines, m.streamLines(d.Stream, w)...)
	if d.Note != "" && d.State != intercept.Gone {
		lines = append(lines, m.fact("note", d.Note, w)...)
	}
	if r := m.failedHere(); r != nil {
		lines = append(lines, m.fact("to change", r.Hint(), w)...)
		lines = append(lines, m.fact("more", "the Session tab says what the client offered and the server wanted", w)...)
	}
	return lines
}

// peers says whether both sides are still there.
func (m *Model) peers() string {
	c := &m.s.Conn
	client, server := "client ok", "server ok"
	if c.Backend == "" {
		server = "no server"
	}
	if c.Phase == intercept.Closed || m.s.Detail != nil && m.s.Detail.State == intercept.Gone {
		client, server = "connection gone", ""
		if c.Cause != "" {
			client += ": " + c.Cause
		}
	}
	if h := m.s.Held; h != nil && !h.Left.IsZero() {
		client = fmt.Sprintf("client left %s ago: c asks before it goes on", clock(m.now().Sub(h.Left)))
	}
	if h := m.s.Held; h != nil && h.Point < rule.ReadQuery && server == "server ok" {
		server = "server waits for the login (10 s by default)"
	}
	return strings.TrimSpace(server + "   " + client)
}

func (m *Model) deadline(h *intercept.Held) string {
	what := "goes on"
	switch h.Then.Action {
	case intercept.Reply:
		what = "is answered in the server's place"
	case intercept.Close:
		what = "is closed"
	case intercept.Hang:
		what = "is left without an answer"
	}
	left := max(h.Deadline.Sub(m.now()), 0)
	return fmt.Sprintf("%s by itself in %s", what, clock(left+time.Second-1))
}

// outcome is how an exchange ended.
func outcome(d *intercept.Detail) string {
	var list []string
	switch {
	case d.State == intercept.InFlight:
		text := "in flight for " + took(d.Took())
		if d.Progress != "" {
			text += ", " + d.Progress
		}
		return text
	case d.State == intercept.Paused:
		return fmt.Sprintf("paused at %s", d.HeldAt)
	case d.State == intercept.Gone:
		if d.Note != "" { // says who, when and where
			return d.Note
		}
		list = append(list, "a side left before it was over")
	case d.Error != nil:
		list = append(list, d.Error.Error())
	case !d.Command.Answered():
		list = append(list, "sent; the server does not answer it")
	case d.Cols > 0:
		list = append(list, many(d.Rows, "row", "rows"))
	default:
		list = append(list, "OK", many(d.Affected, "row affected", "rows affected"))
	}
	if d.LastInsertID != 0 {
		list = append(list, fmt.Sprintf("id %d", d.LastInsertID))
	}
	if d.Warnings > 0 {
		list = append(list, many(uint64(d.Warnings), "warning", "warnings"))
	}
	list = append(list, took(d.Took()))
	if d.HeldFor > 0 {
		list = append(list, "held "+clock(d.HeldFor))
	}
	return strings.Join(list, ", ")
}

// Preview draws the most important facts as a box of exactly w by h.
func (m *Model) Preview(w, h int) string {
	f := m.about()
	iw, ih := theme.Inner(w, h)
	if f.empty {
		return m.th.BoxLines("", "", m.dim("Nothing is selected.", iw), w, h, false)
	}
	title := f.title
	if f.command != "" {
		title += " " + f.command
	}
	tail := m.previewTail(iw)
	tail = tail[:min(len(tail), max(ih, 1))]
	room := ih - len(tail)
	var lines []string
	if s := &f.statement; s.sql != "" && room > 0 {
		sql := f.headLines(m.th, layout{w: iw, one: true})
		if len(sql) > room {
			text := sqltext.OneLine(s.head())
			sql = sqlview.Lines(m.th, sqlview.SQL, safe.Elide(text, max(room*iw-room*iw/10, 1)), iw)
		}
		lines = append(lines, sql[:min(len(sql), room)]...)
	} else if r := m.failedHere(); room > 0 && r != nil && f.received == nil {
		why := m.failureLines(iw)
		lines = append(lines, why[:min(len(why), room)]...)
	} else if room > 0 && f.missing != "" {
		missing := m.dim(f.missing, iw)
		lines = append(lines, missing[:min(len(missing), room)]...)
	} else if room > 0 && f.received != nil {
		lines = append(lines, theme.Fit(m.th.Value.Render(safe.Cut(f.received.Kind.String()+"  "+summary(*f.received, f.cx), iw)), iw))
	}
	return m.th.BoxLines(title, "enter: inspect", append(lines, tail...), w, h, false)
}

// previewTail is what stands below the statement.
func (m *Model) previewTail(w int) []string {
	f := m.about()
	var lines []string
	if n := len(f.statement.params); n > 0 {
		lines = append(lines, m.short("params "+count(n)+":", strings.Join(f.statement.literals(false), ", "), w))
	}
	if f.point == rule.ReadQueryResult && m.s.Held.Answer != nil {
		text := summaryText(f.summary(m.s.Held.Answer), m.s.Held.Answer.Partial)
		lines = append(lines, m.short("result", text, w))
	}
	if n := len(m.s.Lines); n > 0 && len(lines) < 2 {
		last := &m.s.Lines[n-1]
		lines = append(lines, m.short("printed", last.From+"  "+last.Text, w))
	}
	if h := m.s.Held; h != nil && h.Event != nil {
		text := h.Reason.By
		if h.Pre {
			text += ", before the scripts"
		}
		text += "   waiting " + clock(m.now().Sub(h.Since)) + "   "
		if m.s.Draft != nil {
			text += theme.Draft.Tag() + "   "
		}
		return append(lines, m.short("stopped by", text+m.peers(), w))
	}
	if d := m.s.Detail; d != nil {
		text := outcome(d)
		if d.Note != "" && d.State != intercept.Gone {
			text += "   " + d.Note
		}
		if d.By != "" {
			text += "   by " + d.By
		}
		return append(lines, m.short("outcome", text, w))
	}
	c := &m.s.Conn
	lines = append(lines, m.short("client", c.Client+"   "+c.Program(), w), m.short("user", c.User+"   db "+c.DB+"   "+c.Phase.String(), w))
	return append(lines, m.short("server", c.Backend+"   "+c.Server, w))
}

// short is a name and what there is to say in one line.
func (m *Model) short(name, text string, w int) string {
	name = safe.Cut(name, w)
	return theme.Fit(m.th.Key.Render(name)+" "+safe.Cut(text, max(w-safe.Width(name)-1, 0)), w)
}
