package edit

import (
	"fmt"

	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

const (
	typeWidth = 16
	nullWidth = 5
)

var statementHints = []keymap.ID{
	keymap.Apply, keymap.Draft, keymap.Null, keymap.External, keymap.NextField, keymap.EditUndo, keymap.Close,
}

func (e *statement) View(w, h int) string {
	iw, ih := theme.Inner(w, h)
	tail := e.queue.view(&e.env, e.held.Event, iw, e.focus-e.queueAt())
	if why := e.warning(); why != "" {
		tail = append(tail, e.env.note("note", why, iw)...)
	}
	tail = append(tail, e.env.verdictLine(e.err, e.ok, iw)...)
	room := ih - 1 - 1 - len(tail) // the hints, the first line
	wanted := len(wrapAll(e.text.lines, iw-6, max(room, 1))) + 1
	table := 0
	if len(e.params) > 0 {
		table = min(len(e.params)+1, max(room/2, 2))
		table = min(len(e.params)+1, max(table, room-max(wanted, 3)))
	}
	rows := min(max(wanted, 3), max(room-table, 1))
	body := []string{e.env.Theme.Dim.Render(safe.Cut(e.about(), iw))}
	if e.text.many {
		body = append(body, e.text.view(e.env.Theme, iw, rows, e.focus == 0, true)...)
	} else {
		body = append(body, e.env.label("schema", e.focus == 0)+e.text.viewLine(e.env.Theme, max(iw-indent, 1), e.focus == 0))
	}
	body = append(body, e.viewParams(iw, table)...)
	body = append(body, tail...)
	return e.env.frame(e.Title(), body, keymap.InEditor, statementHints, w, h)
}

// wrapAll wraps lines until there are limit rows.
func wrapAll(lines []string, w, limit int) []stretch {
	var rows []stretch
	for _, l := range lines {
		if len(rows) >= limit {
			break
		}
		rows = append(rows, wrap(l[:min(len(l), limit*max(w, 1)*4)], w)...)
	}
	return rows
}

func (e *statement) about() string {
	switch m := e.msg.(type) {
	case *mysqlwire.StmtExecute:
		if e.fixed != "" {
			return fmt.Sprintf("statement %d; %s, parameters can be edited", m.StmtID, e.fixed)
		}
		return fmt.Sprintf("statement %d (new text is re-prepared on this connection)", m.StmtID)
	case *mysqlwire.StmtBulkExecute:
		return fmt.Sprintf("statement %d for %s of parameters; types and text stay", m.StmtID, count(len(m.Rows), "row"))
	case *mysqlwire.StmtPrepare:
		return "COM_STMT_PREPARE (the app goes by what the server says of the new text)"
	case *mysqlwire.Query:
		if n := len(m.Attributes); n > 0 {
			return fmt.Sprintf("COM_QUERY with %s", count(n, "query attribute"))
		}
	}
	return e.held.Command().String()
}

// warning is what injected queries change of what the app sees.
func (e *statement) warning() string {
	if e.queue.adding {
		return effects(e.queue.text.String())
	}
	for _, q := range append(e.queue.plan.before[:len(e.queue.plan.before):len(e.queue.plan.before)], e.queue.plan.after...) {
		if why := effects(describe(e.held.Event, q)); why != "" {
			return why
		}
	}
	return ""
}

// viewParams draws the table of parameters, h lines with its header, around the one that has the focus.
func (e *statement) viewParams(w, h int) []string {
	if h <= 0 || len(e.params) == 0 {
		return nil
	}
	th := e.env.Theme
	valueWidth := max(w-indent-typeWidth-2-nullWidth, 1)
	head := "params"
	if _, query := e.msg.(*mysqlwire.Query); query {
		head = "attributes"
	}
	lines := []string{th.Dim.Render(safe.Cut("  "+safe.Pad(head, labelWidth)+safe.Pad("type", typeWidth+1)+safe.Pad("value", valueWidth+1)+"NULL", w))}
	at, column, focused := e.param()
	n := h - 1
	top := min(max(at-n/2, 0), max(len(e.params)-n, 0))
	if !focused {
		top = 0
	}
	for i := top; i < len(e.params) && len(lines) < h; i++ {
		p := &e.params[i]
		here := focused && i == at
		typ := th.Dim.Render(safe.Pad(p.typeName(), typeWidth))
		if here && column == 0 {
			typ = th.Cursor.Render(safe.Pad(p.typeName(), typeWidth))
		}
		var cell string
		switch _, err := p.value(); {
		case p.kept() != "":
			cell = th.Annotation.Render(safe.Pad(p.kept(), valueWidth))
		case here && column == 1 && !p.null:
			cell = p.text.viewLine(th, valueWidth, true)
		case p.null:
			style := th.Null
			if here && column == 1 {
				style = th.Cursor
			}
			cell = theme.Fit(style.Render("NULL"), valueWidth)
		case err != nil && p.touched():
			cell = theme.Fit(th.Invalid.Render("!"+safe.Cut(p.text.String(), valueWidth-1)), valueWidth)
		case p.text.String() == "":
			cell = theme.Fit(th.Empty.Render("(empty)"), valueWidth)
		case p.touched():
			cell = theme.Fit(th.Changed.Render(safe.Cut(p.text.String(), valueWidth)), valueWidth)
		default:
			cell = p.text.viewLine(th, valueWidth, false)
		}
		mark := " "
		if p.touched() {
			mark = "*"
		}
		lines = append(lines, e.env.label(p.name(i), here)+typ+" "+th.Edited.Render(mark)+cell+e.env.checkbox(p.null, false))
	}
	return lines
}
