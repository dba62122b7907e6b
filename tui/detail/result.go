package detail

import (
	"fmt"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/grid"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// resultView is the Result tab: one of the answer's results at a time.
type resultView struct {
	th    *theme.Theme
	grid  *grid.Grid
	stale bool // results are those of another subject
	list  []mysqlwire.Result
	err   error
	at    int
	rows  *resultRows
	top   int // of the lines of a result without rows, or of a row
	lines int
	size  size
}

func newResultView(th *theme.Theme) *resultView {
	return &resultView{th: th, grid: grid.New(th), stale: true}
}

// resultView is the Result tab with the subject's results.
func (m *Model) resultView() *resultView {
	r := m.result
	if !r.stale {
		return r
	}
	r.stale = false
	r.list, r.err, r.rows = nil, nil, nil
	f := m.about()
	if f.answer == nil {
		return r
	}
	r.list, r.err = f.answer.Results(f.cx)
	for i := range r.list {
		r.list[i] = r.list[i].Readable(f.cx)
	}
	r.at = min(r.at, max(len(r.list)-1, 0))
	r.show()
	return r
}

// show gives the grid the rows of the current result.
func (r *resultView) show() {
	r.rows = nil
	if r.at >= len(r.list) || !r.list[r.at].HasRows() {
		r.grid.SetSource(nil, (&resultRows{}))
		return
	}
	res := &r.list[r.at]
	r.rows = &resultRows{result: res}
	cols := make([]grid.Column, r.rows.Cols())
	for i := range cols {
		cols[i].Name = r.rows.column(i).Name
		if i < len(res.Columns) {
			cols[i].Type = res.Columns[i].TypeName()
		}
	}
	r.grid.SetSource(cols, r.rows)
}

func (r *resultView) do(m *Model, a keymap.ID) bool {
	switch a {
	case keymap.NextChange, keymap.PrevChange:
		by := 1
		if a == keymap.PrevChange {
			by = -1
		}
		if to := r.at + by; to >= 0 && to < len(r.list) {
			r.at, r.top = to, 0
			r.show()
			r.grid.Select(0, 0)
		}
		return true
	case keymap.Open, keymap.Toggle:
		m.views[tabResult] = 1 - m.views[tabResult]
		r.top = 0
		return true
	}
	if r.rows == nil || m.views[tabResult] == 1 {
		to, ok := move(a, r.top, max(r.lines-r.size.h, 0)+1, r.size.h)
		if ok {
			r.top = to
		}
		return ok
	}
	_, col, any := r.grid.Selected()
	if !any {
		return false
	}
	switch a {
	case keymap.Down:
		r.grid.Move(1, 0)
	case keymap.Up:
		r.grid.Move(-1, 0)
	case keymap.Left: // past the edge it is the tabs' key
		if col == 0 {
			return false
		}
		r.grid.Move(0, -1)
	case keymap.Right:
		if col == r.rows.Cols()-1 {
			return false
		}
		r.grid.Move(0, 1)
	case keymap.Top:
		r.grid.Home()
	case keymap.Bottom:
		r.grid.End()
	case keymap.PageDown:
		r.grid.Page(1)
	case keymap.PageUp:
		r.grid.Page(-1)
	case keymap.HalfDown:
		r.grid.Move(max(r.size.h/2, 1), 0)
	case keymap.HalfUp:
		r.grid.Move(-max(r.size.h/2, 1), 0)
	default:
		return false
	}
	return true
}

// copied is the selected cell, or the text of an error.
func (r *resultView) copied(m *Model) (text, what string) {
	if r.at >= len(r.list) {
		return "", ""
	}
	if res := &r.list[r.at]; res.ERR != nil && r.rows == nil {
		return res.ERR.Error(), "error"
	}
	if r.rows == nil {
		return "", ""
	}
	row, col, ok := r.grid.Selected()
	if !ok {
		return "", ""
	}
	got, err := r.rows.result.Rows.Row(row)
	if err != nil || col >= got.Len() {
		return "", ""
	}
	return got.Text(col), fmt.Sprintf("cell %s of row %d", r.rows.column(col).Name, row+1)
}

// row is the packet of the selected row and the name of the selected column.
func (r *resultView) row(m *Model) (*frameRef, string) {
	f := m.about()
	if f.answer == nil || r.at >= len(r.list) {
		return nil, ""
	}
	res := &r.list[r.at]
	at, column := res.Last, ""
	cx := *f.cx
	cx.Command = f.answer.Command
	if r.rows != nil {
		row, col, ok := r.grid.Selected()
		if ok {
			at = res.First
			for at < res.Last && !f.answer.Packets[at].Kind.IsRow() {
				at++
			}
			at += row
			column = r.rows.column(col).Name
			if column == "" {
				column = fmt.Sprintf("column %d", col+1)
			}
		}
		cx.Columns = res.Columns
	}
	if r.rows != nil && r.rows.ref != nil && r.rows.refAt == at {
		return r.rows.ref, column
	}
	ref := answerRef(f.answer, at, &cx, fmt.Sprintf("packet %d", at+1))
	if r.rows != nil {
		r.rows.ref, r.rows.refAt = ref, at
	}
	return ref, column
}

// resultRows are the cells of a result, decoded when they are drawn.
type resultRows struct {
	result *mysqlwire.Result
	recent map[int]*mysqlwire.Row // rows are asked for cell by cell

	ref   *frameRef
	refAt int
}

// Rows is the number of rows.
func (s *resultRows) Rows() int {
	if s.result == nil {
		return 0
	}
	return s.result.Rows.Len()
}

// Cols is the number of columns.
func (s *resultRows) Cols() int {
	if s.result == nil {
		return 0
	}
	return max(len(s.result.Columns), s.first())
}

// first is the width of the first row: all that is known where there are no definitions.
func (s *resultRows) first() int {
	if len(s.result.Columns) > 0 || s.result.Rows.Len() == 0 || s.result.Binary {
		return 0
	}
	row, _ := s.result.Rows.Row(0)
	return row.Len()
}

func (s *resultRows) column(i int) *mysqlwire.Column {
	if i < len(s.result.Columns) {
		return &s.result.Columns[i]
	}
	return &mysqlwire.Column{Name: fmt.Sprintf("column %d", i+1), Type: value.VarString}
}

// keep is how many decoded rows are kept: more than a screen has.
const keep = 400

func (s *resultRows) get(row int) (*mysqlwire.Row, error) {
	if r := s.recent[row]; r != nil {
		return r, nil
	}
	r, err := s.result.Rows.Row(row)
	if err != nil {
		return nil, err
	}
	if s.recent == nil || len(s.recent) >= keep {
		s.recent = make(map[int]*mysqlwire.Row, keep)
	}
	s.recent[row] = &r
	return &r, nil
}

// Cell is a cell as the grid shows it.
func (s *resultRows) Cell(row, col int) grid.Cell {
	r, err := s.get(row)
	if err != nil {
		text := ""
		if col == 0 {
			text = "not decoded: " + err.Error()
		}
		return grid.Cell{Text: text, Binary: true}
	}
	if col >= r.Len() {
		return grid.Cell{Text: "-", Binary: true}
	}
	if r.Null(col) {
		return grid.Cell{Null: true}
	}
	if isBlob(s.column(col)) {
		return grid.Cell{Text: blobText(r.Bytes(col)), Binary: true}
	}
	if n := r.Size(col); n > maxSummary {
		return grid.Cell{Text: r.Head(col, 1000) + "… " + bytesOf(n)}
	}
	return grid.Cell{Text: r.Text(col)}
}

// resultBody draws the Result tab.
func (m *Model) resultBody(w, h int) []string {
	r := m.resultView()
	lines := m.resultHead(w)
	h -= len(lines)
	r.size = size{w, h}
	if r.rows != nil && m.views[tabResult] == 0 && r.rows.Cols() > 0 {
		note := m.resultTail(w)
		r.grid.SetSize(w, max(h-len(note), 0))
		r.size.h = max(h-len(note)-2, 0)
		r.grid.SetFocused(m.focused)
		if v := r.grid.View(); v != "" {
			lines = append(lines, strings.Split(v, "\n")...)
		}
		return append(lines, note...)
	}
	var body []string
	switch {
	case r.rows != nil:
		body = m.rowLines(w)
	case r.at < len(r.list):
		body = m.plainResult(&r.list[r.at], w)
	}
	body = append(body, m.resultTail(w)...)
	r.lines = len(body)
	r.top = min(max(r.top, 0), max(len(body)-h, 0))
	return append(lines, fill(body[r.top:], h)...)
}

// resultHead says which of the results is shown and what there is to it.
func (m *Model) resultHead(w int) []string {
	r, f := m.result, m.about()
	var lines []string
	if r.at < len(r.list) {
		res := &r.list[r.at]
		var text string
		if len(r.list) > 1 {
			text = fmt.Sprintf("result %d of %d  } next  { previous   ", r.at+1, len(r.list))
		}
		if res.HasRows() {
			text += many(res.Rows.Len(), "row", "rows") + ", " + many(max(len(res.Columns), columnCount(res)), "column", "columns")
			if len(res.Columns) == 0 && columnCount(res) > 0 {
				text += " that the server sent no definitions of"
			}
			if res.Binary {
				text += ", binary"
			}
			if res.Warnings > 0 {
				text += ", " + many(int(res.Warnings), "warning", "warnings")
			}
			if res.Ended && res.ERR == nil {
				text += ", " + statusText(res.Status)
			}
		} else {
			text += resultName(res)
		}
		if res.HasRows() || len(r.list) > 1 {
			lines = append(lines, theme.Fit(m.th.Dim.Render(safe.Cut(text, w)), w))
		}
	}
	if e := m.changedAnswer(); e != "" {
		lines = append(lines, theme.Fit(m.th.Edited.Render(safe.Cut(e, w)), w))
	}
	if f.answer != nil && f.answer.Partial {
		lines = append(lines, theme.Fit(m.th.Partial.Render(safe.Cut("~ partial: "+m.partial(), w)), w))
	}
	if r.err != nil {
		lines = append(lines, theme.Fit(m.th.Invalid.Render(safe.Cut("not decoded further: "+r.err.Error(), w)), w))
	}
	return lines
}

// columnCount is what the server said of a result's columns.
func columnCount(r *mysqlwire.Result) int {
	if r.Count == nil {
		return 0
	}
	return int(min(r.Count.Count, 1<<16))
}

// partial says what is missing of an answer.
func (m *Model) partial() string {
	if d := m.s.Detail; d != nil && m.s.Held == nil {
		have := 0
		for i := range m.result.list {
			have += m.result.list[i].Rows.Len()
		}
		if d.Rows > uint64(have) {
			return fmt.Sprintf("%s of %s are kept; a recording keeps all", count(have), many(d.Rows, "row", "rows"))
		}
		return "the journal keeps only its beginning; a recording keeps all"
	}
	return "it was longer than the limit; the rest streams to the client and cannot be edited"
}

// changedAnswer says that the answer is not the server's.
func (m *Model) changedAnswer() string {
	f := m.about()
	for i := range f.parts {
		p := &f.parts[i]
		if (p.name == "to send" || p.name == "delivered" || strings.Contains(p.note, "in the server's place")) && f.answer != nil && len(p.packets) > 0 &&
			len(f.answer.Packets) > 0 && &p.packets[0] == &f.answer.Packets[0] {
			return p.name + ": " + p.note
		}
	}
	return ""
}

// resultTail says how a result with rows ended.
func (m *Model) resultTail(w int) []string {
	r := m.result
	if r.rows == nil {
		return nil
	}
	res := r.rows.result
	var lines []string
	if res.ERR != nil {
		lines = append(lines, theme.Fit(m.th.Error.Render(safe.Cut("broken off by "+res.ERR.Error(), w)), w))
	} else if !res.Ended {
		lines = append(lines, theme.Fit(m.th.Partial.Render(safe.Cut("~ the result does not end here", w)), w))
	}
	if res.End != nil && (res.End.Info != "" || len(res.End.SessionState) > 0) {
		text := res.End.Info
		for i := range res.End.SessionState {
			name, what := stateText(&res.End.SessionState[i])
			text += "  " + name + ": " + what
		}
		lines = append(lines, theme.Fit(m.th.Dim.Render(safe.Cut(strings.TrimSpace(text), w)), w))
	}
	return lines
}
