package edit

import (
	"fmt"

	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

var respondHints = []keymap.ID{keymap.Apply, keymap.Draft, keymap.NextField, keymap.External, keymap.EditUndo, keymap.Close}

// shownMatches is how many errors are listed below the code.
const shownMatches = 4

func (e *respond) View(w, h int) string {
	iw, ih := theme.Inner(w, h)
	tail := e.viewEnd(iw)
	body := e.viewKinds(iw)
	switch e.kind {
	case answerOK:
		if e.command() {
			body = append(body, e.line("affected", atAffected, &e.affected, "rows changed", iw))
			body = append(body, e.line("insert id", atInsertID, &e.insertID, "last_insert_id()", iw))
		}
		body = append(body, e.line("warnings", atWarnings, &e.warnings, "how many SHOW WARNINGS has", iw))
		body = append(body, e.line("info", atInfo, &e.info, "", iw))
	case answerERR:
		body = append(body, e.viewCode(iw, max(ih-1-len(body)-len(tail)-3, 0))...)
		follows := "follows the code until you change it"
		if e.ownState {
			follows = "yours; empty it to follow the code"
		}
		body = append(body, e.line("sqlstate", atState, &e.state, follows, iw))
		body = append(body, e.line("message", atMessage, &e.message, "", iw))
	case answerRows:
		body = append(body, e.line("columns", atColumns, &e.columns, "", iw))
		room := max(min(ih-1-len(body)-len(tail), max(len(wrapAll(e.rows.lines, iw-indent-1, ih))+1, 4)), 1)
		lines := e.rows.view(e.env.Theme, max(iw-indent, 1), room, e.focus == atRows, false)
		for i, s := range lines {
			name := ""
			if i == 0 {
				name = "rows"
			}
			lines[i] = e.env.label(name, i == 0 && e.focus == atRows) + s
		}
		if e.rows.String() == "" && e.focus != atRows && room > 1 {
			lines[1] = e.env.label("", false) + e.env.Theme.Dim.Render(safe.Cut("none; type or paste CSV or TSV, NULL or \\N is NULL", max(iw-indent, 0)))
		}
		body = append(body, lines...)
	case answerCopy:
		hint := "the number of an exchange"
		if e.from.String() == "" && e.copied != nil {
			hint = "empty: the answer as it is"
		}
		body = append(body, e.line("copy of #", atFrom, &e.from, hint, iw))
	}
	if over := len(body) + len(tail) - (ih - 1); over > 0 {
		body = body[:max(len(body)-over, 1)]
	}
	return e.env.frame(e.Title(), append(body, tail...), keymap.InEditor, respondHints, w, h)
}

// line draws a text of one line and a remark behind it.
func (e *respond) line(label string, at stop, t *text, remark string, w int) string {
	here := e.focus == at
	width := max(w-indent, 1)
	if remark != "" {
		width = min(width, max(safe.Width(t.String())+1, 10))
	}
	s := e.env.label(label, here) + t.viewLine(e.env.Theme, width, here)
	if room := w - indent - width - 3; remark != "" && room > 8 {
		s += "   " + e.env.Theme.Dim.Render(safe.Cut(remark, room))
	}
	return s
}

func (e *respond) viewKinds(w int) []string {
	var chips []string
	var width []int
	for _, k := range e.kinds {
		s := answerNames[k]
		if k == answerCopy && e.kind == answerCopy && e.from.String() != "" {
			s += " #" + safe.Cut(e.from.String(), 8)
		}
		chips = append(chips, e.env.choice(s, e.kind == k, e.focus == atKind))
		width = append(width, safe.Width(s)+3)
	}
	return flow(e.env.label("answer", e.focus == atKind), e.env.label("", false), chips, width, w)
}

// viewCode draws the code, what it stands for, and other errors that match while it is searched for.
func (e *respond) viewCode(w, room int) []string {
	th := e.env.Theme
	what := "?"
	c, err := e.chosen()
	if err == nil {
		what = fmt.Sprintf("%d %s", c.Code, c.Symbol)
		if c.Symbol == "" {
			what += "no error that is known"
		}
	}
	if n := len(e.matches); n > 1 && e.focus == atCode {
		what += fmt.Sprintf("   %d of %d", min(e.pick, n-1)+1, n)
	}
	lines := []string{e.line("code", atCode, &e.code, what, w)}
	if e.focus != atCode || len(e.matches) < 2 {
		return lines
	}
	top := max(min(e.pick, len(e.matches)-1)-1, 0)
	for i := top; i < len(e.matches) && i < top+min(shownMatches, room-1); i++ {
		m := e.matches[i]
		s := safe.Cut(fmt.Sprintf("%-5d %s  %s", m.Code, m.Symbol, m.Message), max(w-indent-2, 0))
		if i == min(e.pick, len(e.matches)-1) {
			lines = append(lines, e.env.label("", false)+th.Strong.Render(th.Pointer()+" "+s))
		} else {
			lines = append(lines, e.env.label("", false)+th.Dim.Render("  "+s))
		}
	}
	return lines
}

// viewEnd draws what all answers have: delay, what else is sent, the rule, the bytes.
func (e *respond) viewEnd(w int) []string {
	th := e.env.Theme
	var lines []string
	for _, s := range e.stops() {
		switch s {
		case atDelay:
			lines = append(lines, e.line("delay", atDelay, &e.delay, "before the answer", w))
		case atRollback:
			why := " send ROLLBACK to the server (a real deadlock ends the tx)"
			if c, err := e.chosen(); err != nil || c.Code != 1213 {
				why = " send ROLLBACK to the server, which is in a transaction"
			}
			lines = append(lines, e.env.label("also", e.focus == s)+e.env.checkbox(e.rollback, e.focus == s)+th.Text.Render(safe.Cut(why, max(w-indent-3, 0))))
		case atRepeat:
			lines = append(lines, e.env.label("repeat", e.focus == s)+e.env.checkbox(e.repeat, e.focus == s)+
				th.Text.Render(safe.Cut(e.ruleText(), max(w-indent-3, 0))))
		case atHits:
			lines = append(lines, e.line("times", atHits, &e.hits, "", w))
		}
	}
	lines = append(lines, e.env.note("note", e.note(), w)...)
	if e.err != nil {
		return append(lines, e.env.verdictLine(e.err, "", w)...)
	}
	return append(lines, e.env.label("preview", false)+th.Annotation.Render(safe.Cut(e.summary(), max(w-indent, 0))))
}

func (e *respond) ruleText() string {
	if e.repeat {
		if s, err := e.rule(); err == nil {
			return " as a rule: " + s
		}
	}
	return " keep as a rule:  digest == \"" + e.digest + "\"  hit <= " + e.hits.String()
}
