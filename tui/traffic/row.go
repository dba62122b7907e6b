package traffic

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// Row draws row i. Rows of exchanges that are over are kept as drawn.
func (p *Pane) Row(i, w int, selected bool) string {
	id := p.ID(i)
	n := id >> kindBits
	var line string
	switch id & kindMask {
	case rowConn:
		line = p.connRow(p.byConn[intercept.ConnID(n)], w-1)
	case rowEarlier:
		s := p.byConn[intercept.ConnID(n)]
		line = p.th.Dim.Render(fmt.Sprintf("      %s %s earlier, space shows them", p.th.Fold(false), Count(s.first)))
	case rowHold:
		if h := p.heldID(intercept.HoldID(n)); h != nil {
			line = p.holdRow(h, w-1)
		}
	default:
		if it := p.item(intercept.Seq(n)); it != nil {
			line = p.exchangeRow(it, w-1)
		}
	}
	if !selected {
		return " " + line
	}
	return p.selected(line, w)
}

// selected draws a row under the cursor: in reverse as a whole, since colours of its parts would
// tear it to patches; only what says that it is paused stays as it is.
func (p *Pane) selected(line string, w int) string {
	plain := theme.Fit(p.th.Pointer()+ansi.Strip(line), w)
	style := p.th.Selected
	if !p.focused {
		style = p.th.SelectedBlur
	}
	tag := theme.Held.Tag()
	if at := strings.LastIndex(plain, tag); at >= 0 && strings.Contains(line, p.th.Held.Render(tag)) {
		return style.Render(plain[:at]) + p.th.Held.Render(tag) + style.Render(plain[at+len(tag):])
	}
	return style.Render(plain)
}

func (p *Pane) exchangeRow(it *item, w int) string {
	if !over(it.x.State) {
		return p.drawExchange(&it.x, w) // something in it counts up
	}
	if of := (drawn{it.x.Version, w, p.look}); it.of != of {
		it.line, it.of = p.drawExchange(&it.x, w), of
	}
	return it.line
}

// columns of an exchange's row; what does not fit a narrow window is left out.
type columns struct{ number, info, took, tag, text int }

func (p *Pane) columns(w int) (c columns) {
	c.number = p.digits() + 1
	c.took, c.tag = 6, 8
	switch {
	case w >= 80:
		c.info = 11
	case w >= 56:
		c.info = 8
	}
	c.text = w - 2 - 1 - 1 - c.number - 4 - c.info - 1 - c.took - 1 - c.tag
	if p.flat {
		c.text -= 5
	}
	c.text = max(c.text, 0)
	return c
}

// digits is the width of exchange numbers.
func (p *Pane) digits() int { return max(len(strconv.FormatUint(uint64(p.hi), 10)), 4) }

func (p *Pane) drawExchange(x *intercept.Exchange, w int) string {
	c := p.columns(w)
	state, tag := p.state(x)
	style := p.th.State(state)
	indent := 0
	if x.Parent != 0 {
		indent = 2
	}
	var b strings.Builder
	b.WriteString(style.Render(safe.Pad(p.th.Glyph(state), 2)))
	b.WriteByte(' ')
	if !p.flat {
		b.WriteString(p.rail(x))
	} else {
		b.WriteByte(' ')
		b.WriteString(p.th.Dim.Render(safe.Pad(fmt.Sprintf("#%d", x.Conn), 5)))
	}
	b.WriteString(p.th.Dim.Render(safe.PadLeft(strconv.FormatUint(uint64(x.Seq), 10), c.number)))
	b.WriteString(" " + Letter(x.Command) + "  ")
	count := info(x)
	if x.State == intercept.Paused && x.HeldAt == rule.ReadQuery {
		if h := p.heldBy(x.Seq); h != nil && h.Pre {
			count = "pre"
		}
	}
	if count == "" {
		c.text, c.info = c.text+c.info, 0
	}
	b.WriteString(theme.Fit(p.text(x, state, c.text, indent), c.text))
	if c.info > 0 {
		b.WriteString(p.th.Dim.Render(safe.PadLeft(count, c.info)))
	}
	took := p.took(x)
	b.WriteByte(' ')
	b.WriteString(p.tookStyle(state).Render(safe.PadLeft(took, c.took)))
	b.WriteByte(' ')
	b.WriteString(style.Render(safe.Cut(tag, c.tag)))
	return b.String()
}

// text is the statement, its verb in colour, and behind it what an error says.
func (p *Pane) text(x *intercept.Exchange, state theme.State, w, indent int) string {
	w -= indent
	var said string
	if x.Error != nil {
		said = x.Error.Message
		if state != theme.Error { // whose tag has the number
			said = fmt.Sprintf("ERR %d %s", x.Error.Code, said)
		}
	} else if x.Note != "" {
		said = x.Note
	} else if x.Upload != nil {
		said = x.Upload.Text()
	}
	if x.Progress != "" {
		said = x.Progress
	}
	if x.Stream != nil && x.Error == nil {
		said = fmt.Sprintf("%s at %d", x.Stream.File, x.Stream.Position)
	}
	room := w
	if said != "" {
		room = max(w-min(ansi.StringWidth(said)+3, w*3/5), 1)
	}
	sql := Statement(x.SQL, room)
	if x.SQL == "" {
		sql = safe.Cut(strings.TrimPrefix(x.Title(), "COM_"), room)
	}
	left := w - ansi.StringWidth(sql)
	out := strings.Repeat(" ", indent) + p.styled(sql, x.SQL != "", state)
	if said != "" && left > 6 {
		style := p.th.Dim
		if x.Error != nil {
			style = p.th.Error
		}
		out += style.Render("  " + safe.Cut(said, left-2))
	}
	return out
}

// styled colours the verb, and what was searched for.
func (p *Pane) styled(sql string, statement bool, state theme.State) string {
	if state == theme.Chatter || !statement {
		return p.th.Dim.Render(sql)
	}
	verb, rest, found := strings.Cut(sql, " ")
	if lower := strings.ToLower(sql); p.search != "" && len(lower) == len(sql) { // else places differ
		if i := strings.Index(lower, p.search); i >= 0 {
			return sql[:i] + p.th.Match.Render(sql[i:i+len(p.search)]) + sql[i+len(p.search):]
		}
	}
	if found {
		rest = " " + rest
	}
	return p.th.Keyword.Render(verb) + p.th.Text.Render(rest)
}

// rail joins the exchanges of a transaction.
func (p *Pane) rail(x *intercept.Exchange) string {
	after := x.Status.Has(mysqlwire.StatusInTrans)
	sign := " "
	switch begins, ends := !x.InTx && after, x.InTx && !after && over(x.State) && x.Error == nil; {
	case begins && p.th.ASCII:
		sign = ","
	case begins:
		sign = "╭"
	case ends && p.th.ASCII:
		sign = "'"
	case ends:
		sign = "╰"
	case x.InTx:
		sign = p.th.Rule()
	}
	return p.th.Key.Render(sign)
}

// state is the most important thing about an exchange, and its tag.
func (p *Pane) state(x *intercept.Exchange) (theme.State, string) {
	s := p.stateOf(x)
	tag := s.Tag()
	switch s {
	case theme.Error:
		tag = fmt.Sprintf("ERR %d", x.Error.Code)
	case theme.Done:
		if x.Command == mysqlwire.ComQuit || !x.Command.Answered() {
			tag = "sent"
		}
	case theme.InFlight:
		tag = "sent"
		if !x.First.IsZero() {
			tag = "answer"
		}
	}
	return s, tag
}

func (p *Pane) stateOf(x *intercept.Exchange) theme.State {
	has := func(m intercept.Mark) bool { return x.Marks&m != 0 }
	switch {
	case x.State == intercept.Paused && has(intercept.MarkUnawaited):
		return theme.Gone
	case x.State == intercept.Paused && p.drafts[x.Hold]:
		return theme.Draft
	case x.State == intercept.Paused:
		return theme.Held
	case x.State == intercept.Gone:
		return theme.Gone
	case has(intercept.MarkCrafted):
		return theme.Crafted
	case x.Error != nil:
		return theme.Error
	case has(intercept.MarkInjected):
		return theme.Injected
	case has(intercept.MarkEdited):
		return theme.Edited
	case has(intercept.MarkScripted):
		return theme.Script
	case x.State == intercept.InFlight:
		return theme.InFlight
	case has(intercept.MarkMarked):
		return theme.Marked
	case has(intercept.MarkPartial | intercept.MarkOpaque):
		return theme.Partial
	case x.Took() >= intercept.SlowAfter:
		return theme.Slow
	case has(intercept.MarkLoop):
		return theme.NPlus1
	case chatter(x):
		return theme.Chatter
	}
	return theme.Done
}

// chatter is what drivers send by themselves, told without parsing: BEGIN and the like are kept in
// sight, since they frame a transaction.
func chatter(x *intercept.Exchange) bool {
	switch x.Command {
	case mysqlwire.ComPing, mysqlwire.ComStmtClose, mysqlwire.ComStmtReset, mysqlwire.ComSetOption, mysqlwire.ComResetConnection:
		return true
	}
	return len(x.SQL) > 4 && strings.EqualFold(x.SQL[:4], "SET ")
}

func (p *Pane) tookStyle(s theme.State) theme.Style {
	switch s {
	case theme.Slow, theme.InFlight:
		return p.th.State(s)
	}
	return p.th.Dim
}

// took is the time of an exchange: how long it is held, how long it runs, how long it took.
func (p *Pane) took(x *intercept.Exchange) string {
	switch x.State {
	case intercept.Paused:
		if h := p.heldBy(x.Seq); h != nil {
			return p.heldFor(h)
		}
		return ""
	case intercept.InFlight:
		if d := p.now.Sub(x.Begun) - x.HeldFor; d >= 100*time.Millisecond {
			return Short(d)
		}
		return ""
	}
	if !x.Command.Answered() {
		return ""
	}
	return Short(x.Took())
}

// heldFor is how long an event is held; its last seconds, when something happens by itself then, count down.
func (p *Pane) heldFor(h *intercept.Held) string {
	if left := h.Deadline.Sub(p.now); !h.Deadline.IsZero() && left <= 5*time.Second {
		return "-" + Clock(left+time.Second-1)
	}
	return Clock(p.now.Sub(h.Since))
}

// info is the size of the answer in a word.
func info(x *intercept.Exchange) string {
	switch {
	case x.Error != nil || !over(x.State) && x.Rows == 0 && x.Upload == nil && x.Stream == nil:
		return ""
	case x.Command == mysqlwire.ComStmtPrepare:
		return ""
	case x.Cols > 0 || x.Rows > 0:
		return Count(x.Rows) + " row"
	case x.Affected > 0:
		return Count(x.Affected) + " aff"
	case x.Upload != nil && !over(x.State):
		return Size(int(x.Upload.Bytes))
	case x.Stream != nil:
		return Count(x.Stream.Events) + " ev"
	}
	return ""
}

// holdRow is the row of a held event below its exchange or, in the login, below its connection.
func (p *Pane) holdRow(h *intercept.Held, w int) string {
	state := theme.Held
	if p.drafts[h.ID] {
		state = theme.Draft
	}
	what := h.Point.Short()
	if h.Pre {
		what += " pre"
	}
	switch {
	case h.File != nil:
		what = strings.Replace(what, h.Point.Short(), "file", 1) + "   " + h.File.Name
		if !h.File.Named {
			what += "   not named by the statement!"
		}
	case h.Point == rule.ReadQueryResult:
		if a := h.Answer; a != nil {
			n := 0
			for _, pk := range a.Packets {
				n += len(pk.Payload) + mysqlwire.HeaderLen
			}
			what += fmt.Sprintf("   %s rows, %s", Count(h.Counts.Rows), Size(n))
			if h.Counts.Error != nil {
				what = fmt.Sprintf("%s   ERR %d %s", what, h.Counts.Error.Code, h.Counts.Error.Message)
			}
		} else if h.Counts.Cols > 0 {
			what += fmt.Sprintf("   %s rows, sent already", Count(h.Counts.Rows))
		}
	case h.Exchange == 0:
		if h.PacketLen > 0 {
			what += fmt.Sprintf("   %s", Size(h.PacketLen))
		}
		what += "   login event"
		if h.Point == rule.Disconnect {
			what = h.Point.Short()
		}
	default:
		what += "   " + h.SQL
	}
	c := p.columns(w)
	style := p.th.State(state)
	text := w - 3 - c.took - 1 - c.tag - 3
	return style.Render(safe.Pad(p.th.Glyph(state), 2)) + "    " +
		p.th.Text.Render(safe.Pad(what, max(text-1, 0))) + " " +
		p.th.Dim.Render(safe.PadLeft(p.heldFor(h), c.took)) + " " +
		style.Render(safe.Cut(state.Tag(), c.tag))
}

func connTitle(i *intercept.ConnInfo) string {
	who := i.Client
	if i.User != "" {
		who = i.User + "@" + i.Client
	}
	return fmt.Sprintf("#%d %s %s", i.ID, who, i.DB)
}

func (p *Pane) connRow(s *section, w int) string {
	if s == nil {
		return ""
	}
	i := &s.info
	var right string
	switch {
	case s.held != nil:
		right = p.th.Held.Render(" " + p.th.Glyph(theme.Held) + " 1 PAUSED ")
	case i.Step != intercept.Continue:
		right = p.th.InFlight.Render("stops: " + i.Step.String() + " ")
	case s.closed() && !i.Closed.IsZero():
		right = p.th.Dim.Render("closed " + Clock(p.now.Sub(i.Closed)) + " ")
	}
	parts := []string{p.th.Strong.Render(safe.Line(strings.TrimSpace(connTitle(i))))}
	dim := func(format string, args ...any) {
		parts = append(parts, p.th.Dim.Render(safe.Line(fmt.Sprintf(format, args...))))
	}
	switch i.Phase {
	case intercept.Connecting, intercept.LoggingIn:
		dim("%s", i.Phase)
	}
	if i.ClientTLS != "" {
		parts = append(parts, p.th.Added.Render("TLS"))
	}
	if !i.TxSince.IsZero() && !s.closed() {
		parts = append(parts, p.th.Key.Render("TX "+Span(p.now.Sub(i.TxSince))))
		if s.held != nil {
			parts = append(parts, p.th.Warning.Render("!locks"))
		}
	}
	if i.Opaque != "" {
		parts = append(parts, p.th.Partial.Render("not followed: "+safe.Line(i.Opaque)))
	}
	if p.folded(s) && s.kept > 0 {
		dim("%s stmt", Count(s.kept))
	}
	left := p.th.Dim.Render(p.th.Fold(!p.folded(s)))
	room, gap := w-ansi.StringWidth(right)-1, " "
	for i, part := range parts { // as many as there is room for
		if n := ansi.StringWidth(left) + len(gap) + ansi.StringWidth(part); n > room && i > 0 {
			break
		}
		left += gap + part
		gap = "  "
	}
	if s.closed() {
		left = p.th.Dim.Render(ansi.Strip(left))
	}
	return theme.Fit(left, max(room, 0)) + " " + right
}
