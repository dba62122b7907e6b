package detail

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/tui/safe"
	"mydbg/tui/sqlview"
	"mydbg/tui/theme"
)

const (
	maxFormat = 256 << 10 // longer texts are shown as sent: laying them out would be felt
	maxDigest = 1 << 20
	headSQL   = 4 << 10 // of a statement, where a few lines of it are shown
)

// statement is the text of a command with its parameters.
type statement struct {
	sql     string
	total   int // bytes of the whole text; more than len(sql) if only its beginning is known
	params  []mysqlwire.ExecParam
	attrs   []mysqlwire.ExecParam // query attributes
	bulk    *mysqlwire.StmtBulkExecute
	cx      *mysqlwire.Context
	unread  bool // there are parameters that cannot be read
	execute bool
	id      uint32

	bound, text string // made once
}

// statementOf reads the statement of a command. sql is what else is known of its text.
func statementOf(k mysqlwire.Kind, payload []byte, cx *mysqlwire.Context, sql string, stmt *mysqlwire.Stmt) statement {
	s := statement{sql: sql, cx: cx}
	if stmt != nil && len(stmt.SQL) > len(s.sql) {
		s.sql = stmt.SQL
	}
	if len(payload) > 0 {
		msg, err := mysqlwire.Decode(k, payload, cx)
		switch msg := msg.(type) {
		case *mysqlwire.Query:
			s.sql, s.attrs = cx.ClientText(msg.SQL), msg.Attributes
		case *mysqlwire.StmtPrepare:
			s.sql = cx.ClientText(msg.SQL)
		case *mysqlwire.StmtExecute:
			s.execute, s.id, s.unread = true, msg.StmtID, len(msg.Undecoded) > 0
			n := len(msg.Params)
			if cx != nil && cx.ParamsKnown {
				n = min(n, len(cx.Params))
			}
			s.params, s.attrs = msg.Params[:n], msg.Params[n:]
		case *mysqlwire.StmtBulkExecute:
			s.execute, s.id, s.bulk, s.unread = true, msg.StmtID, msg, len(msg.Undecoded) > 0
		}
		if err != nil {
			s.unread = k == mysqlwire.KindStmtExecute || k == mysqlwire.KindStmtBulkExecute
		}
	}
	s.total = len(s.sql)
	return s
}

// whole is the text with all parameters in it, for copying.
func (s *statement) whole() string {
	if len(s.params) == 0 {
		return s.sql
	}
	if s.text == "" {
		s.text = sqltext.Bind(s.sql, s.literals(true))
	}
	return s.text
}

// head is the text with its parameters as far as a few lines go.
func (s *statement) head() string {
	if s.bound == "" {
		sql := s.sql
		if len(sql) > headSQL {
			sql = sql[:runeStart(sql, headSQL)] + "…"
		}
		s.bound = sqltext.Bind(sql, s.literals(false))
	}
	return s.bound
}

// literals are the parameters as they stand in SQL; all of each, or their beginnings.
func (s *statement) literals(whole bool) []string {
	list := make([]string, len(s.params))
	for i := range s.params {
		list[i] = s.literal(&s.params[i], whole)
	}
	return list
}

func (s *statement) literal(p *mysqlwire.ExecParam, whole bool) string {
	if p.Long {
		return "?"
	}
	if whole {
		if v, err := p.Value(); err == nil {
			spec := s.cx.ParamSpec(p.Type, p.Unsigned)
			spec.Binary = false // text is sent as BLOB too
			return spec.Literal(v)
		}
	}
	return p.Literal(s.cx)
}

// runeStart is the last place up to n where a character begins.
func runeStart(s string, n int) int {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

func typeOf(p *mysqlwire.ExecParam) string {
	if p.Unsigned {
		return p.Type.String() + " unsigned"
	}
	return p.Type.String()
}

// statementLines is the Statement tab in lines of w cells.
func (m *Model) statementLines(w int) []string {
	f := m.about()
	s := &f.statement
	view := viewNames(tabStatement)[m.views[tabStatement]]
	text, note := s.sql, ""
	switch {
	case view == "bound" && len(s.params) > 0:
		text = s.whole()
	case view == "bound":
		note = "There are no parameters to put in: this is the text as sent."
		if s.bulk != nil {
			note = "A bulk execute has many rows of parameters: this is the text as sent."
		}
	}
	if view != "as sent" {
		if len(text) <= maxFormat {
			text = sqltext.Format(text)
		} else {
			note = "The text is too long to be laid out: this is how it was sent."
		}
	}
	lines := sqlview.Lines(m.th, sqlview.SQL, text, w)
	if s.total > len(s.sql) {
		lines = append(lines, m.th.Partial.Render(safe.Cut(fmt.Sprintf("%s only the first %s of %s are known", m.th.Ellipsis(), bytesOf(len(s.sql)), bytesOf(s.total)), w)))
	}
	if note != "" {
		lines = append(lines, m.dim(note, w)...)
	}
	lines = append(lines, "")
	lines = append(lines, m.insteadLines(w)...)
	lines = append(lines, m.paramLines(w)...)
	return append(lines, m.meaningLines(w)...)
}

func (m *Model) dim(text string, w int) []string {
	lines := safe.Wrap(text, w)
	for i := range lines {
		lines[i] = m.th.Dim.Render(lines[i])
	}
	return lines
}

// insteadLines are the texts of what is sent instead of the statement.
func (m *Model) insteadLines(w int) []string {
	f := m.about()
	var lines []string
	for i := range f.parts {
		p := &f.parts[i]
		if p.name != "to send" && p.name != "sent" {
			continue
		}
		headed := false
		for j := range p.packets {
			if len(p.packets[j].Payload) == 0 || !p.packets[j].Kind.IsCommand() {
				continue
			}
			sent := statementOf(p.packets[j].Kind, p.packets[j].Payload, &p.cx, "", nil)
			if sent.sql == "" {
				continue
			}
			if !headed {
				lines = append(lines, m.th.Edited.Render(safe.Cut(p.name+": "+p.note, w)))
				headed = true
			}
			lines = append(lines, sqlview.Lines(m.th, sqlview.SQL, sqltext.Format(sent.head()), w)...)
			lines = append(lines, "")
		}
	}
	return lines
}

func (m *Model) paramLines(w int) []string {
	s := &m.about().statement
	var lines []string
	if len(s.params) > 0 {
		lines = append(lines, m.th.Strong.Render(safe.Cut(fmt.Sprintf("parameters %d", len(s.params)), w)))
		for i := range s.params {
			lines = append(lines, m.paramLine(fmt.Sprint(i), &s.params[i], w))
		}
		lines = append(lines, "")
	}
	if b := s.bulk; b != nil && len(b.Rows) > 0 {
		lines = append(lines, m.bulkLines(b, w)...)
	}
	if s.unread {
		lines = append(lines, m.dim("The parameters cannot be read: the statement was prepared before anybody looked, or its types are not known.", w)...)
		lines = append(lines, "")
	}
	if len(s.attrs) > 0 {
		lines = append(lines, m.th.Strong.Render(safe.Cut(fmt.Sprintf("query attributes %d", len(s.attrs)), w)))
		for i := range s.attrs {
			name := s.attrs[i].Name
			if name == "" {
				name = "(no name)"
			}
			lines = append(lines, m.paramLine(name, &s.attrs[i], w))
		}
		lines = append(lines, "")
	}
	return lines
}

func (m *Model) paramLine(name string, p *mysqlwire.ExecParam, w int) string {
	var style theme.Style
	text := p.Literal(m.about().statement.cx)
	switch {
	case p.Null:
		style = m.th.Null
	case p.Long:
		text, style = "sent ahead by COM_STMT_SEND_LONG_DATA", m.th.Dim
	case strings.HasPrefix(text, "'"):
		style = m.th.String
	case strings.HasPrefix(text, "0x"):
		style = m.th.Annotation
	default:
		style = m.th.Number
	}
	return m.entry(name, safe.Pad(typeOf(p), 15)+" ", text, style, w)
}

// entry is a name, something plain and a styled value in a line.
func (m *Model) entry(name, middle, text string, style theme.Style, w int) string {
	width := max(safe.Width(name), 4)
	name = safe.Pad(name, min(width, max(w/3, 1)))
	left := "  " + m.th.Key.Render(name) + "  " + m.th.Dim.Render(middle)
	return theme.Fit(left+style.Render(safe.Cut(text, max(w-4-safe.Width(name)-len(middle), 0))), w)
}

// bulkRows is how many rows of a bulk execute are listed; the packet tree has all.
const bulkRows = 100

func (m *Model) bulkLines(b *mysqlwire.StmtBulkExecute, w int) []string {
	lines := []string{m.th.Strong.Render(safe.Cut(fmt.Sprintf("rows of parameters %d", len(b.Rows)), w))}
	for i, row := range b.Rows {
		if i == bulkRows {
			lines = append(lines, m.dim(fmt.Sprintf("%s %s more rows, see the Packet tab", m.th.Ellipsis(), count(len(b.Rows)-i)), w)...)
			break
		}
		texts := make([]string, len(row))
		for j := range row {
			texts[j] = row[j].Literal(b.Types[j], m.about().statement.cx)
		}
		lines = append(lines, m.entry(fmt.Sprint(i+1), "", strings.Join(texts, ", "), m.th.Value, w))
	}
	return append(lines, "")
}

// meaningLines say what the text is about.
func (m *Model) meaningLines(w int) []string {
	s := &m.about().statement
	if len(s.sql) > maxDigest {
		return append(m.dim("Digest and tables are not looked for in a text of "+bytesOf(len(s.sql))+".", w), "")
	}
	info := sqltext.Parse(s.sql)
	hash, text := sqltext.Digest(s.sql)
	var lines []string
	if len(hash) >= 6 {
		lines = append(lines, m.fact("digest", hash[:6]+"  "+text, w)...)
	}
	if len(info.Tables) > 0 {
		guess := ""
		if !info.Parsed {
			guess = "  (by its words: the parser could not read it)"
		}
		lines = append(lines, m.fact("tables", strings.Join(info.Tables, ", ")+guess, w)...)
	}
	if tags := tagsOf(info.Comments); tags != "" {
		lines = append(lines, m.fact("tags", tags, w)...)
	}
	return lines
}

// tagsOf lists the tags of a statement's comments.
func tagsOf(comments map[string]string) string {
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(comments)) {
		tags = append(tags, k+"="+comments[k])
	}
	return strings.Join(tags, "  ")
}

// factWidth is the width of the names before facts.
const factWidth = 11

// fact is a name and what there is to say, in as many lines as it takes, four at most.
func (m *Model) fact(name, text string, w int) []string {
	room := w - factWidth - 1
	if room < 8 {
		return []string{theme.Fit(m.th.Key.Render(safe.Cut(name+" "+text, w)), w)}
	}
	const most = 4
	lines := safe.Wrap(firstOf(text, most*room*4), room)
	if len(lines) > most {
		lines = append(lines[:most-1], safe.Cut(strings.Join(lines[most-1:], " "), room))
	}
	for i := range lines {
		head := strings.Repeat(" ", factWidth)
		if i == 0 {
			head = m.th.Key.Render(safe.Pad(name, factWidth))
		}
		lines[i] = head + " " + lines[i]
	}
	return lines
}

// firstOf is s, or its first n bytes or so.
func firstOf(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:runeStart(s, n)]
}
