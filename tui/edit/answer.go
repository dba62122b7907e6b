package edit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// make is the answer of the form, in the protocol that the app speaks.
func (e *respond) make() (*mysqlwire.Answer, error) {
	switch e.kind {
	case answerOK:
		return e.makeOK()
	case answerERR:
		return e.makeERR()
	case answerRows:
		return e.makeRows()
	}
	return e.makeCopy()
}

// status is the status word of a made answer: what the app has been told so far.
func (e *respond) status() mysqlwire.Status {
	const kept = mysqlwire.StatusInTrans | mysqlwire.StatusAutocommit | mysqlwire.StatusNoBackslashEscapes |
		mysqlwire.StatusInTransReadonly | mysqlwire.StatusANSIQuotes
	s := e.held.Counts.Status
	if s == 0 && e.held.Conn != nil {
		info := e.held.Conn.Info()
		s = info.Status
	}
	if s == 0 {
		s = mysqlwire.StatusAutocommit
	}
	return s & kept
}

func number(t *text, name string, bits int) (uint64, error) {
	s := strings.TrimSpace(t.String())
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, bits)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s: %s is too large", name, s)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a whole number", name, s)
	}
	return n, nil
}

func (e *respond) makeOK() (*mysqlwire.Answer, error) {
	m := &mysqlwire.OK{Status: e.status(), Info: e.info.String()}
	var err error
	if e.command() {
		if m.AffectedRows, err = number(&e.affected, "affected rows", 64); err != nil {
			return nil, err
		}
		if m.LastInsertID, err = number(&e.insertID, "last insert id", 64); err != nil {
			return nil, err
		}
	}
	warnings, err := number(&e.warnings, "warnings", 16)
	if err != nil {
		return nil, err
	}
	m.Warnings = uint16(warnings)
	if m.Info, err = e.held.Context.ToResultSet(m.Info); err != nil {
		return nil, fmt.Errorf("info: %w", err)
	}
	payload, err := m.Encode(nil, e.held.Context)
	return e.single(mysqlwire.KindOK, payload), err
}

func (e *respond) makeERR() (*mysqlwire.Answer, error) {
	c, err := e.chosen()
	if err != nil {
		return nil, err
	}
	state := e.state.String()
	if state == "" {
		state = c.SQLState
	}
	if len(state) != 5 || strings.ContainsFunc(state, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	}) {
		return nil, fmt.Errorf("sqlstate: %q is not five digits and capital letters", state)
	}
	message := e.message.String()
	if len(message) > 64<<10 {
		return nil, errors.New("message: longer than 64 KiB")
	}
	if message == "" {
		message = c.Message
	}
	if message, err = e.held.Context.ToResultSet(message); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	payload, err := (&mysqlwire.ERR{Code: c.Code, SQLState: state, Message: message}).Encode(nil, e.held.Context)
	return e.single(mysqlwire.KindERR, payload), err
}

func (e *respond) single(k mysqlwire.Kind, payload []byte) *mysqlwire.Answer {
	return &mysqlwire.Answer{Command: e.held.Command(), Packets: []mysqlwire.Packet{{Kind: k, Payload: payload}}}
}

// table is the result set that was typed.
func (e *respond) table() (*mysqlwire.ResultSet, error) {
	columns, err := parseColumns(e.columns.String())
	if err != nil {
		return nil, err
	}
	table, err := parseTable(e.rows.String())
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	if len(columns) == 0 { // the first row has the names
		if len(table) == 0 {
			return nil, errors.New("columns: a result set has one at least")
		}
		for _, c := range table[0] {
			list, err := parseColumns(strings.ReplaceAll(c.text, ",", "_"))
			if err != nil || len(list) != 1 {
				return nil, fmt.Errorf("columns: %q in the first line is no name", c.text)
			}
			columns = append(columns, list[0])
		}
		table = table[1:]
	}
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
		if err := e.held.Context.MakeText(&columns[i]); err != nil {
			return nil, fmt.Errorf("columns: %w", err)
		}
	}
	rs := &mysqlwire.ResultSet{Columns: columns, Status: e.status()}
	for i, row := range table {
		if len(row) != len(columns) {
			return nil, fmt.Errorf("row %d has %s for %s", i+1, count(len(row), "value"), count(len(columns), "column"))
		}
		values := make([]value.Value, len(row))
		for j, c := range row {
			if !c.null {
				if values[j], err = e.held.Context.Spec(&columns[j]).Parse(c.text); err != nil {
					return nil, fmt.Errorf("row %d, %s: %w", i+1, names[j], err)
				}
			}
			if err := checkCell(&columns[j], values[j]); err != nil {
				return nil, fmt.Errorf("row %d, %s: %w", i+1, names[j], err)
			}
		}
		rs.Rows = append(rs.Rows, values)
	}
	return rs, nil
}

func (e *respond) makeRows() (*mysqlwire.Answer, error) {
	rs, err := e.table()
	if err != nil {
		return nil, err
	}
	binary := e.held.Command() == mysqlwire.ComStmtExecute
	packets, err := rs.Packets(e.held.Context, binary)
	if err != nil {
		return nil, err
	}
	return &mysqlwire.Answer{Command: e.held.Command(), Packets: packets}, nil
}

// protocol are the capabilities that change how an answer is written.
const protocol = mysqlwire.Protocol41 | mysqlwire.DeprecateEOF | mysqlwire.SessionTrack | mysqlwire.Transactions |
	mysqlwire.OptionalResultsetMetadata | mysqlwire.MariaDBCacheMetadata | mysqlwire.MariaDBExtendedMetadata

// makeCopy is the answer that another exchange got.
func (e *respond) makeCopy() (*mysqlwire.Answer, error) {
	s := strings.TrimPrefix(strings.TrimSpace(e.from.String()), "#")
	if s == "" && e.copied != nil {
		return e.copied, nil
	}
	if s == "" {
		return nil, errors.New("copy: type the number of an exchange")
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("copy: %q is not the number of an exchange", s)
	}
	if e.env.Detail == nil {
		return nil, errors.New("copy: there are no earlier exchanges here")
	}
	d, ok := e.env.Detail(intercept.Seq(n))
	if !ok || d.Missing {
		return nil, fmt.Errorf("copy: the bytes of #%d are not in memory any more", n)
	}
	a := &d.Answer
	if d.Delivered != nil && len(d.Delivered.Packets) > 0 {
		a = d.Delivered
	}
	switch {
	case len(a.Packets) == 0:
		return nil, fmt.Errorf("copy: #%d has no answer", n)
	case a.Partial, d.Cut:
		return nil, fmt.Errorf("copy: only a part of the answer to #%d was kept", n)
	}
	if err := e.fits(&d, a); err != nil {
		return nil, fmt.Errorf("copy: #%d %w", n, err)
	}
	if d.Context != nil {
		if a, err = a.WithColumns(d.Context, d.Context.Columns); err != nil {
			return nil, fmt.Errorf("copy: #%d: %w", n, err)
		}
	}
	return &mysqlwire.Answer{Command: e.held.Command(), Packets: a.Packets}, nil
}

// fits says why the app cannot read the answer another exchange got.
func (e *respond) fits(d *intercept.Detail, a *mysqlwire.Answer) error {
	last := a.Packets[len(a.Packets)-1].Kind
	if last != mysqlwire.KindOK && last != mysqlwire.KindERR && last != mysqlwire.KindEOF {
		return errors.New("has an answer that does not end as that of a query does")
	}
	if d.Context != nil && (d.Context.Caps^e.held.Context.Caps)&protocol != 0 {
		return errors.New("was answered on a connection that agreed to another form of answers")
	}
	binary, text := false, false
	for _, p := range a.Packets {
		switch p.Kind {
		case mysqlwire.KindBinaryRow:
			binary = true
		case mysqlwire.KindTextRow:
			text = true
		case mysqlwire.KindPrepareOK, mysqlwire.KindLocalInfile, mysqlwire.KindParam, mysqlwire.KindStatistics, mysqlwire.KindBinlogEvent:
			return fmt.Errorf("is no answer to %s", e.held.Command())
		}
	}
	want := e.held.Command() == mysqlwire.ComStmtExecute
	switch {
	case binary && !want:
		return fmt.Errorf("has binary rows, and %s is answered with text", e.held.Command())
	case text && want:
		return fmt.Errorf("has rows of text, and %s is answered with binary ones", e.held.Command())
	}
	return nil
}

// summary is the answer in a few words and its first bytes.
func (e *respond) summary() string {
	if e.answer == nil {
		switch e.kind {
		case answerClose:
			return "both sides are closed, the app gets no answer"
		case answerHang:
			return "the app gets nothing and waits: a test of its timeouts"
		}
		return ""
	}
	size, first := 0, []byte(nil)
	for _, p := range e.answer.Packets {
		size += len(p.Payload)
		if len(first) < 48 {
			first = append(first, p.Payload[:min(len(p.Payload), 48)]...)
		}
	}
	what := answerNames[e.kind]
	switch e.kind {
	case answerRows:
		what = fmt.Sprintf("%s, %s", what, count(len(e.answer.Packets), "packet"))
	case answerCopy:
		what = count(len(e.answer.Packets), "packet")
	default:
		what += " packet"
	}
	return fmt.Sprintf("%s %d B  % x", what, size, first[:min(len(first), 48)])
}

// note is what one should know about this answer.
func (e *respond) note() string {
	switch {
	case e.why != "":
		return e.why
	case e.kind == answerOK && e.held.Point == rule.ReadAuth:
		return "the server has not let the app in: with a server behind it the connection ends after this"
	case e.kind == answerRows && e.held.Stmt != nil && e.held.Stmt.NumColumns > 0:
		if c, err := parseColumns(e.columns.String()); err == nil && len(c) > 0 && len(c) != e.held.Stmt.NumColumns {
			return fmt.Sprintf("the app prepared a statement of %s: some drivers refuse another number", count(e.held.Stmt.NumColumns, "column"))
		}
	}
	return ""
}
