package edit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/grid"
)

// rowset is one result set of a held answer being edited. What was done is a list of steps: undo leaves out the last
// one and does the others again, so rows that nobody touches keep their bytes.
type rowset struct {
	n     int // which result of the answer
	from  *mysqlwire.Answer
	cx    *mysqlwire.Context
	drawn map[int]mysqlwire.Row

	edit  *mysqlwire.ResultEdit
	marks []*rowMarks // by row; nil for one that nobody touched
	first []*rowMarks // before the first step: what an earlier draft changed

	done, undone []rowStep
	open         *openCell // nil while no cell is being typed
	columns      []grid.Column
}

// openCell is a cell while it is typed.
type openCell struct {
	row, col int
	text     string
}

// rowMarks are what is shown of a row's edits.
type rowMarks struct {
	added   bool
	edited  map[int]bool
	invalid map[int]badCell
}

// badCell is input that the server's column would not take.
type badCell struct {
	cell
	err error
}

type stepKind int

const (
	setCell stepKind = iota
	setBytes
	insertRow
	copyRow
	deleteRow
	renameColumn
	removeColumn
	addColumn
	several // steps undone together
)

// rowStep is one edit.
type rowStep struct {
	kind     stepKind
	row, col int
	cell     cell
	steps    []rowStep
}

func newRowset(from *mysqlwire.Answer, cx *mysqlwire.Context, n int) (*rowset, error) {
	s := &rowset{n: n, from: from, cx: cx}
	return s, s.replay()
}

// replay does all steps anew.
func (s *rowset) replay() error {
	edit, err := s.from.EditResult(s.cx, s.n)
	if err != nil {
		return err
	}
	s.edit = edit
	s.marks = make([]*rowMarks, edit.Len())
	for i, m := range s.first {
		s.marks[i] = m.clone()
	}
	for i := range s.done {
		if err := s.apply(&s.done[i]); err != nil {
			return err
		}
	}
	s.refresh()
	return nil
}

func (m *rowMarks) clone() *rowMarks {
	if m == nil {
		return nil
	}
	c := &rowMarks{added: m.added, edited: map[int]bool{}, invalid: map[int]badCell{}}
	for k, v := range m.edited {
		c.edited[k] = v
	}
	for k, v := range m.invalid {
		c.invalid[k] = v
	}
	return c
}

// refresh forgets what was drawn.
func (s *rowset) refresh() {
	s.drawn = map[int]mysqlwire.Row{}
	s.columns = s.columns[:0:0]
	for i := range s.edit.Columns() {
		s.columns = append(s.columns, grid.Column{Name: s.edit.Name(i), Type: s.edit.Spec(i).Name()})
	}
}

// do applies a step, to be undone later.
func (s *rowset) do(st rowStep) error {
	if err := s.apply(&st); err != nil {
		if rerr := s.replay(); rerr != nil { // several steps may have been done in part
			return rerr
		}
		return err
	}
	s.done, s.undone = append(s.done, st), nil
	s.refresh()
	return nil
}

func (s *rowset) undo() (bool, error) {
	if len(s.done) == 0 {
		return false, nil
	}
	last := len(s.done) - 1
	s.undone, s.done = append(s.undone, s.done[last]), s.done[:last]
	return true, s.replay()
}

func (s *rowset) redo() (bool, error) {
	if len(s.undone) == 0 {
		return false, nil
	}
	last := len(s.undone) - 1
	st := s.undone[last]
	s.undone = s.undone[:last]
	s.done = append(s.done, st)
	return true, s.replay()
}

// mark is the marks of a row, made when there are none.
func (s *rowset) mark(row int) *rowMarks {
	if s.marks[row] == nil {
		s.marks[row] = &rowMarks{edited: map[int]bool{}, invalid: map[int]badCell{}}
	}
	return s.marks[row]
}

func (s *rowset) apply(st *rowStep) error {
	switch st.kind {
	case setCell, setBytes:
		return s.set(st)
	case insertRow:
		if err := s.edit.InsertRow(st.row, s.blank()); err != nil {
			return err
		}
		s.marks = slices.Insert(s.marks, st.row, nil)
		s.mark(st.row).added = true
	case copyRow:
		if err := s.edit.CopyRow(st.row); err != nil {
			return err
		}
		s.marks = slices.Insert(s.marks, st.row+1, s.marks[st.row].clone())
		s.mark(st.row + 1).added = true
	case deleteRow:
		if err := s.edit.DeleteRow(st.row); err != nil {
			return err
		}
		s.marks = slices.Delete(s.marks, st.row, st.row+1)
	case renameColumn:
		return s.edit.RenameColumn(st.col, st.cell.text)
	case removeColumn:
		if err := s.edit.RemoveColumn(st.col); err != nil {
			return err
		}
		for _, m := range s.marks {
			m.removed(st.col)
		}
	case addColumn:
		return s.widen(st.cell.text)
	case several:
		for i := range st.steps {
			if err := s.apply(&st.steps[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// removed moves marks to the left when a column goes.
func (m *rowMarks) removed(col int) {
	if m == nil {
		return
	}
	edited, invalid := map[int]bool{}, map[int]badCell{}
	for c, v := range m.edited {
		if c < col {
			edited[c] = v
		} else if c > col {
			edited[c-1] = v
		}
	}
	for c, v := range m.invalid {
		if c < col {
			invalid[c] = v
		} else if c > col {
			invalid[c-1] = v
		}
	}
	m.edited, m.invalid = edited, invalid
}

// set puts a value into a cell. What its column cannot have stays as it was typed, marked.
func (s *rowset) set(st *rowStep) error {
	if st.row >= s.edit.Len() || st.col >= len(s.edit.Columns()) {
		return fmt.Errorf("there is no cell %d of row %d", st.col+1, st.row+1)
	}
	col := &s.edit.Columns()[st.col]
	m := s.mark(st.row)
	m.edited[st.col] = true
	delete(m.invalid, st.col)
	spec := s.edit.Spec(st.col)
	v, err := read(col, spec, st)
	if old, failed := s.edit.Row(st.row); err == nil && failed == nil && v != nil && spec.Charset != nil && st.kind == setCell && !spec.Type.InDigits() {
		v, err = value.Reencode(spec.Charset, old.Bytes(st.col), st.cell.text)
	}
	if err == nil {
		err = s.edit.Set(st.row, st.col, v)
	}
	if err != nil {
		var at *mysqlwire.CellError
		if errors.As(err, &at) {
			err = at.Err
		}
		m.invalid[st.col] = badCell{st.cell, err}
	}
	return nil
}

// read is what was typed as a value of the column.
func read(col *mysqlwire.Column, spec value.Spec, st *rowStep) (value.Value, error) {
	if st.cell.null {
		return nil, checkCell(col, nil)
	}
	if st.kind == setBytes {
		b, err := hex.DecodeString(strings.TrimPrefix(strings.Join(strings.Fields(st.cell.text), ""), "0x"))
		if err != nil {
			return nil, fmt.Errorf("not hexadecimal: %w", err)
		}
		return b, nil
	}
	v, err := spec.Parse(st.cell.text)
	if err != nil {
		return nil, err
	}
	return v, checkCell(col, v)
}

// blank is a new row: NULL where that is allowed, else nothing, zero or the like.
func (s *rowset) blank() []value.Value {
	values := make([]value.Value, len(s.edit.Columns()))
	for i := range values {
		col := &s.edit.Columns()[i]
		if col.Flags&mysqlwire.ColumnNotNull == 0 {
			continue
		}
		for _, text := range []string{"", "0", "2000-01-01", "2000-01-01 00:00:00", "00:00:00", "null", "0x"} {
			if v, err := s.edit.Spec(i).Parse(text); err == nil {
				values[i] = v
				break
			}
		}
	}
	return values
}

// widen adds a column of NULL at the end. Rows get a NULL appended and keep the bytes they have.
func (s *rowset) widen(definition string) error {
	list, err := parseColumns(definition)
	if err != nil {
		return err
	}
	if len(list) != 1 {
		return errors.New("one column at a time: name:type")
	}
	list[0].Flags &^= mysqlwire.ColumnNotNull
	if err := s.cx.MakeText(&list[0]); err != nil {
		return err
	}
	a, err := s.edit.Answer()
	if err != nil {
		return err
	}
	results, err := a.Results(s.cx)
	if err != nil {
		return err
	}
	r := &results[s.n]
	if r.Count == nil || !r.Count.Definitions() {
		return errors.New("this result came without definitions, so a column cannot be added")
	}
	cx := *s.cx
	cx.Command = mysqlwire.ComQuery
	definitionBytes, err := list[0].Encode(nil, &cx)
	if err != nil {
		return err
	}
	packets := slices.Clone(a.Packets[:r.First])
	defined := 0
	for _, p := range a.Packets[r.First : r.Last+1] {
		switch p.Kind {
		case mysqlwire.KindColumnCount:
			c := *r.Count
			c.Count++
			if p.Payload, err = c.Encode(nil, s.cx); err != nil {
				return err
			}
		case mysqlwire.KindTextRow:
			p.Payload = append(slices.Clip(p.Payload), 0xfb)
		case mysqlwire.KindBinaryRow:
			p.Payload = widenBinary(p.Payload, len(r.Columns))
		}
		packets = append(packets, p)
		if p.Kind == mysqlwire.KindColumn {
			if defined++; defined == len(r.Columns) {
				packets = append(packets, mysqlwire.Packet{Kind: mysqlwire.KindColumn, Payload: definitionBytes})
			}
		}
	}
	wide := *a
	wide.Packets = append(packets, a.Packets[r.Last+1:]...)
	edit, err := wide.EditResult(s.cx, s.n)
	if err != nil {
		return err
	}
	s.edit = edit
	return nil
}

// widenBinary adds a NULL to a row of n columns: a bit of the bitmap, which begins behind the header and has two
// bits of its own.
func widenBinary(row []byte, n int) []byte {
	size := (n + 9) / 8
	if len(row) < 1+size {
		return row
	}
	wide := append([]byte{}, row[:1+size]...)
	if (n+10)/8 > size {
		wide = append(wide, 0)
	}
	wide[1+(n+2)/8] |= 1 << ((n + 2) % 8)
	return append(wide, row[1+size:]...)
}

// invalid is the first cell that cannot be sent.
func (s *rowset) invalid() (row, col int, bad badCell, ok bool) {
	for i, m := range s.marks {
		if m == nil {
			continue
		}
		for c := range len(s.columns) {
			if b, is := m.invalid[c]; is {
				return i, c, b, true
			}
		}
	}
	return 0, 0, badCell{}, false
}

// edits counts edited cells and added rows.
func (s *rowset) edits() (cells, added int) {
	for _, m := range s.marks {
		if m != nil {
			cells += len(m.edited)
			if m.added {
				added++
			}
		}
	}
	return cells, added
}

// Rows, Cols and Cell make it a source of a grid.
func (s *rowset) Rows() int { return s.edit.Len() }

// Cols is the number of columns.
func (s *rowset) Cols() int { return len(s.edit.Columns()) }

// longCell is how much of a cell is looked at to draw it.
const longCell = 256

// Cell is what a cell shows.
func (s *rowset) Cell(row, col int) grid.Cell {
	if o := s.open; o != nil && o.row == row && o.col == col {
		return grid.Cell{Text: o.text, Edited: true, Binary: o.text == ""}
	}
	var c grid.Cell
	if m := s.marks[row]; m != nil {
		c.Edited = m.edited[col] || m.added
		if b, bad := m.invalid[col]; bad {
			c.Invalid, c.Text, c.Null = true, b.text, b.null
			return c
		}
	}
	r, err := s.row(row)
	switch {
	case err != nil || col >= r.Len():
		return grid.Cell{Text: "?", Binary: true, Invalid: true}
	case r.Null(col):
		c.Null = true
	case r.Size(col) <= longCell:
		c.Text = r.Text(col)
		c.Binary = s.edit.Spec(col).Binary && strings.HasPrefix(c.Text, "0x")
	default:
		c.Text = r.Head(col, longCell)
		if c.Binary = s.edit.Spec(col).Binary && strings.HasPrefix(c.Text, "0x"); c.Binary {
			c.Text = c.Text[:10] + "… " + size(r.Size(col))
		}
	}
	return c
}

func size(n int) string {
	switch {
	case n < 10<<10:
		return itoa(n) + " B"
	case n < 10<<20:
		return itoa(n>>10) + "K"
	}
	return itoa(n>>20) + "M"
}

// row reads a row, once until something changes.
func (s *rowset) row(i int) (mysqlwire.Row, error) {
	if r, ok := s.drawn[i]; ok {
		return r, nil
	}
	r, err := s.edit.Row(i)
	if err == nil {
		if len(s.drawn) > 200 {
			clear(s.drawn)
		}
		s.drawn[i] = r
	}
	return r, err
}

// cell is a cell for editing, whole.
func (s *rowset) cell(row, col int) cell {
	if m := s.marks[row]; m != nil {
		if b, bad := m.invalid[col]; bad {
			return b.cell
		}
	}
	r, err := s.row(row)
	if err != nil || col >= r.Len() {
		return cell{}
	}
	if r.Null(col) {
		return cell{null: true}
	}
	return cell{text: r.Text(col)}
}
