package mysqlwire

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"mydbg/mysqlwire/value"
)

// Result is one of the results of an Answer: an OK, an ERR, a result set, or what a prepare, a
// field list or COM_STATISTICS gives.
type Result struct {
	First, Last int // its packets are Answer.Packets[First : Last+1]

	OK       *OK  // a result without rows
	ERR      *ERR // the error that stands for the result or breaks its rows off
	Count    *ColumnCount
	Columns  []Column // as sent, or of the Context where the server left them out
	Rows     RowSet
	Binary   bool
	End      *OK // what ended the rows where DeprecateEOF is agreed: it has info and session state
	Prepared *PrepareOK
	Params   []Column // of Prepared
	Infile   *LocalInfile
	Text     string // COM_STATISTICS

	Status   Status
	Warnings uint16
	Ended    bool // false where the answer breaks off
}

// HasRows reports whether the result is a result set, be it empty.
func (r *Result) HasRows() bool { return r.Count != nil || r.Rows.Len() > 0 }

// Readable is the result with names of columns and messages as UTF-8, to be shown, not sent.
func (r *Result) Readable(cx *Context) Result {
	out := *r
	if cx.ResultCharset() == nil {
		return out
	}
	if r.OK != nil {
		ok := *r.OK
		ok.Info = cx.ResultText(ok.Info)
		out.OK = &ok
	}
	if r.End != nil {
		end := *r.End
		end.Info = cx.ResultText(end.Info)
		out.End = &end
	}
	if r.ERR != nil {
		e := *r.ERR
		e.Message = cx.ResultText(e.Message)
		out.ERR = &e
	}
	out.Columns, out.Params = readable(r.Columns, cx), readable(r.Params, cx)
	return out
}

func readable(columns []Column, cx *Context) []Column {
	columns = slices.Clone(columns)
	for i := range columns {
		c := &columns[i]
		for _, s := range []*string{&c.Schema, &c.Table, &c.OrgTable, &c.Name, &c.OrgName} {
			*s = cx.ResultText(*s)
		}
	}
	return columns
}

// Results takes the answer apart. Rows are only counted, and read when they are asked for. cx.Columns
// are the columns of rows whose definitions are not in the answer. What was read before an error is
// returned with it.
func (a *Answer) Results(cx *Context) ([]Result, error) {
	own := Context{}
	if cx != nil {
		own = *cx
	}
	own.Command = a.Command
	w := resultWalk{cx: &own, answer: a}
	for i, p := range a.Packets {
		if err := w.packet(i, p); err != nil {
			w.close(i)
			return w.list, fmt.Errorf("packet %d: %w", i+1, err)
		}
	}
	w.close(len(a.Packets) - 1)
	return w.list, nil
}

// resultWalk collects results from packets.
type resultWalk struct {
	cx      *Context
	answer  *Answer
	list    []Result
	r       *Result // begun and not ended
	defined bool    // the definitions of r are complete
}

func (w *resultWalk) begin(i int) *Result {
	if w.r == nil {
		w.r = &Result{First: i}
		w.defined = false
	}
	return w.r
}

func (w *resultWalk) end(i int, s Status, warnings uint16) {
	w.r.Status, w.r.Warnings, w.r.Ended = s, warnings, true
	w.close(i)
}

func (w *resultWalk) close(i int) {
	r := w.r
	if r == nil {
		return
	}
	r.Last = i
	if len(r.Columns) == 0 && r.HasRows() {
		r.Columns = w.cx.Columns
	}
	r.Rows.cx = *w.cx
	r.Rows.cx.Columns = r.Columns
	w.list = append(w.list, *r)
	w.r = nil
}

func (w *resultWalk) packet(i int, p Packet) error {
	r := w.begin(i)
	switch p.Kind {
	case KindTextRow, KindBinaryRow:
		r.Binary = p.Kind == KindBinaryRow
		r.Rows.packets = append(r.Rows.packets, p)
		w.defined = true
		return nil
	case KindOK, KindERR, KindEOF, KindColumnCount, KindColumn, KindParam, KindPrepareOK, KindLocalInfile, KindStatistics:
	default:
		return nil
	}
	m, err := Decode(p.Kind, p.Payload, w.cx)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *OK:
		if m.End {
			r.End = m
		} else {
			r.OK = m
		}
		w.end(i, m.Status, m.Warnings)
	case *ERR:
		r.ERR = m
		w.end(i, 0, 0)
	case *EOF:
		if w.betweenDefinitionsAndRows(m) {
			w.defined = true
			r.Status, r.Warnings = m.Status, m.Warnings
			break
		}
		if r.Prepared == nil {
			w.end(i, m.Status, m.Warnings)
		} else {
			r.Status = m.Status
			w.endPrepare(i, true)
		}
	case *ColumnCount:
		r.Count = m
		r.Binary = w.cx.Command == ComStmtExecute || w.cx.Command == ComStmtFetch || w.cx.Command == ComStmtBulkExecute
	case *PrepareOK:
		r.Prepared, r.Warnings = m, m.Warnings
		w.endPrepare(i, false)
	case *LocalInfile:
		r.Infile = m
	case *StatisticsText:
		r.Text = m.Text
		w.end(i, 0, 0)
	case *Column:
		if p.Kind == KindParam {
			r.Params = append(r.Params, *m)
		} else {
			r.Columns = append(r.Columns, *m)
		}
		if r.Prepared != nil {
			w.endPrepare(i, false)
		}
	}
	return nil
}

// betweenDefinitionsAndRows tells the first EOF of a result set from its last one. With a cursor
// there is only one.
func (w *resultWalk) betweenDefinitionsAndRows(m *EOF) bool {
	return w.r.Count != nil && !w.defined && !w.cx.has(DeprecateEOF) && !m.Status.Has(StatusCursorExists)
}

// endPrepare ends the answer to a prepare once all definitions have come, and their EOF.
func (w *resultWalk) endPrepare(i int, eof bool) {
	r := w.r
	if r.Prepared.Metadata != 0 && (len(r.Params) < int(r.Prepared.Params) || len(r.Columns) < int(r.Prepared.Columns)) {
		return
	}
	empty := r.Prepared.Metadata == 0 || r.Prepared.Params == 0 && r.Prepared.Columns == 0
	if eof || empty || w.cx.has(DeprecateEOF) {
		w.end(i, r.Status, r.Warnings)
	}
}

// RowSet is the rows of a result, each decoded when it is asked for.
type RowSet struct {
	packets []Packet
	cx      Context
}

// Len is the number of rows.
func (s *RowSet) Len() int { return len(s.packets) }

// Raw is the payload of a row.
func (s *RowSet) Raw(i int) []byte { return s.packets[i].Payload }

// Row reads row i.
func (s *RowSet) Row(i int) (Row, error) {
	p := s.packets[i]
	row := Row{cx: &s.cx, columns: s.cx.Columns, Raw: p.Payload}
	m, err := Decode(p.Kind, p.Payload, &s.cx)
	if err != nil {
		return row, err
	}
	switch m := m.(type) {
	case *TextRow:
		row.text = m.Cells
	case *BinaryRow:
		row.binary, row.values = true, m.Values
	}
	return row, nil
}

// Row is a decoded row. It shares memory with the answer.
type Row struct {
	Raw     []byte // the payload
	cx      *Context
	columns []Column
	binary  bool
	text    [][]byte
	values  []value.Value
}

// Len is the number of cells.
func (r *Row) Len() int { return max(len(r.text), len(r.values)) }

func (r *Row) column(i int) *Column {
	if i < len(r.columns) {
		return &r.columns[i]
	}
	return &Column{Type: value.VarString, Collation: utf8mb4} // text rows only: they need no columns
}

// Null reports whether cell i is NULL.
func (r *Row) Null(i int) bool {
	if r.binary {
		return r.values[i] == nil
	}
	return r.text[i] == nil
}

// Value is cell i. It fails on a text cell that its column's type cannot have.
func (r *Row) Value(i int) (value.Value, error) {
	if r.binary {
		return r.values[i], nil
	}
	col := r.column(i)
	return value.FromText(r.cx.narrowed(r.text[i], col.Type), col.Type, col.Unsigned())
}

// Text is cell i as a person reads it, NULL for NULL.
func (r *Row) Text(i int) string {
	spec := r.cx.Spec(r.column(i))
	if r.binary {
		return spec.Format(r.values[i])
	}
	if r.text[i] == nil {
		return "NULL"
	}
	return spec.Format(r.cx.narrowed(r.text[i], spec.Type))
}

// Head is Text of a cell that may be long, made of its first n bytes or so.
func (r *Row) Head(i, n int) string {
	if r.Size(i) <= n || r.Null(i) {
		return r.Text(i)
	}
	spec := r.cx.Spec(r.column(i))
	text := []byte(spec.Format(r.Bytes(i)[:n]))
	for range utf8.UTFMax - 1 { // of a character cut in two
		if last, size := utf8.DecodeLastRune(text); last != utf8.RuneError || size != 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return string(text)
}

// Bytes is cell i as text rows have it: raw bytes of strings, the text of everything else. It is
// nil for NULL.
func (r *Row) Bytes(i int) []byte {
	if !r.binary {
		return r.text[i]
	}
	if r.values[i] == nil {
		return nil
	}
	col := r.column(i)
	b, err := value.AppendText([]byte{}, col.Type, r.values[i], col.Decimals)
	if err != nil {
		return nil
	}
	return b
}

// Size is how many bytes of value cell i has on the wire, without its length.
func (r *Row) Size(i int) int {
	if !r.binary {
		return len(r.text[i])
	}
	if b, ok := r.values[i].([]byte); ok {
		return len(b)
	}
	if r.values[i] == nil {
		return 0
	}
	col := r.column(i)
	b, err := value.AppendBinary(nil, col.Type, col.Unsigned(), r.values[i])
	if err != nil {
		return 0
	}
	return len(b)
}
