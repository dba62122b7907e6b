package mysqlwire

import (
	"errors"
	"fmt"
	"slices"

	"mydbg/mysqlwire/value"
)

// ResultEdit changes one result set of an answer. Rows, cells and definitions that nobody touches
// keep their bytes, and so do the answer's other results.
type ResultEdit struct {
	answer  *Answer
	result  Result
	cx      Context
	columns []Column
	renamed []bool // by column
	from    []int  // by column: its index in the answer
	rows    []editRow
	binary  bool
}

// editRow is a row of the answer until it is touched, pieces from then on.
type editRow struct {
	payload []byte
	pieces  [][]byte // nil until touched; a nil piece is NULL
}

// EditResult begins to change result n of the answer, from 0. Nothing happens to a itself.
func (a *Answer) EditResult(cx *Context, n int) (*ResultEdit, error) {
	results, err := a.Results(cx)
	if n < 0 || n >= len(results) {
		if err == nil {
			err = fmt.Errorf("the answer has %d results", len(results))
		}
		return nil, err
	}
	r := results[n]
	switch {
	case !r.HasRows():
		return nil, errors.New("this result has no rows")
	case len(r.Columns) == 0:
		return nil, errors.New("the columns of this result are not known")
	}
	e := &ResultEdit{
		answer: a, result: r, cx: r.Rows.cx, binary: r.Binary,
		columns: slices.Clone(r.Columns), renamed: make([]bool, len(r.Columns)), from: make([]int, len(r.Columns)),
		rows: make([]editRow, r.Rows.Len()),
	}
	for i := range e.from {
		e.from[i] = i
	}
	for i := range e.rows {
		e.rows[i].payload = r.Rows.Raw(i)
	}
	return e, nil
}

// Len is the number of rows as they are now.
func (e *ResultEdit) Len() int { return len(e.rows) }

// Columns are the columns as they are now; they are the edit's own.
func (e *ResultEdit) Columns() []Column { return e.columns }

// Spec is how the cells of a column are read and written.
func (e *ResultEdit) Spec(column int) value.Spec { return e.cx.Spec(&e.columns[column]) }

// Name is the name of a column as UTF-8.
func (e *ResultEdit) Name(column int) string { return e.cx.ResultText(e.columns[column].Name) }

// Row reads row i as it is now.
func (e *ResultEdit) Row(i int) (Row, error) {
	payload := e.rows[i].payload
	kind := KindTextRow
	if e.binary {
		kind = KindBinaryRow
	}
	if e.rows[i].pieces != nil {
		payload = rowOf(e.rows[i].pieces, e.binary).Payload
	}
	cx := e.cx
	cx.Columns = e.columns
	s := RowSet{packets: []Packet{{kind, payload}}, cx: cx}
	return s.Row(0)
}

// Set changes a cell; a nil value is NULL. It fails with a *CellError when the value cannot be sent,
// and changes nothing.
func (e *ResultEdit) Set(row, column int, v value.Value) error {
	if row < 0 || row >= len(e.rows) || column < 0 || column >= len(e.columns) {
		return fmt.Errorf("there is no cell %d of row %d", column+1, row+1)
	}
	piece, err := encodeCell(&e.columns[column], v, e.binary)
	if err != nil {
		return &CellError{Row: row, Column: column, Name: e.Name(column), Err: err}
	}
	if err := e.touch(row); err != nil {
		return err
	}
	if c := e.cx.wide(); c != nil && !e.binary && isWide(e.rows[row].pieces[column], e.columns[column].Type) {
		if piece, err = c.Encode(string(piece)); err != nil {
			return &CellError{Row: row, Column: column, Name: e.Name(column), Err: err}
		}
	}
	e.rows[row].pieces[column] = piece
	return nil
}

// InsertRow adds a row in front of row at; at the end if at is the number of rows.
func (e *ResultEdit) InsertRow(at int, values []value.Value) error {
	if at < 0 || at > len(e.rows) {
		return fmt.Errorf("there is no row %d", at+1)
	}
	if len(values) != len(e.columns) {
		return fmt.Errorf("%d values for %d columns", len(values), len(e.columns))
	}
	pieces := make([][]byte, len(values))
	for i, v := range values {
		var err error
		if pieces[i], err = encodeCell(&e.columns[i], v, e.binary); err != nil {
			return &CellError{Row: at, Column: i, Name: e.Name(i), Err: err}
		}
	}
	e.rows = slices.Insert(e.rows, at, editRow{pieces: pieces})
	return nil
}

// CopyRow adds a copy of a row behind it.
func (e *ResultEdit) CopyRow(row int) error {
	if row < 0 || row >= len(e.rows) {
		return fmt.Errorf("there is no row %d", row+1)
	}
	twin := e.rows[row]
	twin.pieces = slices.Clone(twin.pieces)
	e.rows = slices.Insert(e.rows, row+1, twin)
	return nil
}

// DeleteRow removes a row.
func (e *ResultEdit) DeleteRow(row int) error {
	if row < 0 || row >= len(e.rows) {
		return fmt.Errorf("there is no row %d", row+1)
	}
	e.rows = slices.Delete(e.rows, row, row+1)
	return nil
}

// RenameColumn changes the name the client sees, given as UTF-8.
func (e *ResultEdit) RenameColumn(column int, name string) error {
	if column < 0 || column >= len(e.columns) {
		return fmt.Errorf("there is no column %d", column+1)
	}
	if !e.sent() && !e.mayDefine() {
		return errors.New("this result came without definitions, so its columns have no names to change")
	}
	name, err := e.cx.ToResultSet(name)
	if err != nil {
		return err
	}
	e.columns[column].Name, e.renamed[column] = name, true
	return nil
}

// RemoveColumn takes a column out of every row. The last one stays: a result set without columns
// cannot be sent.
func (e *ResultEdit) RemoveColumn(column int) error {
	switch {
	case column < 0 || column >= len(e.columns):
		return fmt.Errorf("there is no column %d", column+1)
	case len(e.columns) == 1:
		return errors.New("a result set has one column at least")
	case e.result.Count == nil:
		return errors.New("the columns of a cursor were sent before")
	}
	for i := range e.rows {
		if err := e.touch(i); err != nil {
			return err
		}
	}
	for i := range e.rows {
		e.rows[i].pieces = slices.Delete(e.rows[i].pieces, column, column+1)
	}
	e.columns = slices.Delete(e.columns, column, column+1)
	e.renamed = slices.Delete(e.renamed, column, column+1)
	e.from = slices.Delete(e.from, column, column+1)
	return nil
}

// touch cuts a row into pieces.
func (e *ResultEdit) touch(i int) error {
	row := &e.rows[i]
	if row.pieces != nil {
		return nil
	}
	if !e.binary {
		m := TextRow{}
		cx := e.cx
		cx.Columns = e.columns
		if err := m.Decode(row.payload, &cx); err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
		row.pieces = m.Cells
		return nil
	}
	pieces, err := binaryPieces(row.payload, e.columns)
	if err != nil {
		return fmt.Errorf("row %d: %w", i+1, err)
	}
	row.pieces = pieces
	return nil
}

// binaryPieces cuts a binary row into the bytes of its values.
func binaryPieces(payload []byte, columns []Column) ([][]byte, error) {
	c := cursor{b: payload}
	c.tag("header", 0)
	bitmap := c.bytes("null_bitmap", (len(columns)+9)/8)
	pieces := make([][]byte, len(columns))
	for i := range columns {
		if c.err != nil {
			break
		}
		if bitmap[(i+2)/8]>>((i+2)%8)&1 == 0 {
			off := c.off
			c.value(cellName(columns, i), &columns[i])
			pieces[i] = payload[off:c.off:c.off]
		}
	}
	return pieces, c.done(KindBinaryRow)
}

// sent reports whether the answer has definitions.
func (e *ResultEdit) sent() bool { return e.result.Count != nil && e.result.Count.Definitions() }

// mayDefine reports whether definitions the server left out may be sent after all.
func (e *ResultEdit) mayDefine() bool {
	return e.result.Count != nil && (e.cx.has(MariaDBCacheMetadata) || e.cx.has(OptionalResultsetMetadata))
}

// Answer is the answer with the changes made.
func (e *ResultEdit) Answer() (*Answer, error) {
	r := &e.result
	packets := slices.Clone(e.answer.Packets[:r.First])
	defined, at := false, 0 // at counts the definitions that came
	rowsDone := false
	for _, p := range e.answer.Packets[r.First : r.Last+1] {
		switch {
		case p.Kind == KindColumnCount:
			var err error
			if packets, err = e.appendCount(packets, p); err != nil {
				return nil, err
			}
		case p.Kind == KindColumn:
			var err error
			if packets, err = e.appendDefinition(packets, p, at); err != nil {
				return nil, err
			}
			at++
		case p.Kind.IsRow():
			if !rowsDone {
				packets, rowsDone = e.appendRows(packets), true
			}
		case p.Kind == KindEOF && !defined && r.Count != nil && !e.cx.has(DeprecateEOF):
			defined = true
			packets = append(packets, p)
		case p.Kind == KindEOF || p.Kind == KindOK || p.Kind == KindERR:
			if !rowsDone {
				packets, rowsDone = e.appendRows(packets), true
			}
			packets = append(packets, p)
		default:
			packets = append(packets, p)
		}
	}
	if !rowsDone {
		packets = e.appendRows(packets)
	}
	return e.answer.withPackets(append(packets, e.answer.Packets[r.Last+1:]...)), nil
}

func (e *ResultEdit) appendRows(packets []Packet) []Packet {
	for _, row := range e.rows {
		if row.pieces != nil {
			packets = append(packets, rowOf(row.pieces, e.binary))
		} else {
			kind := KindTextRow
			if e.binary {
				kind = KindBinaryRow
			}
			packets = append(packets, Packet{kind, row.payload})
		}
	}
	return packets
}

// appendCount appends the count, and the definitions if the server left them out and they are not
// what the client remembers any more.
func (e *ResultEdit) appendCount(packets []Packet, p Packet) ([]Packet, error) {
	removed := len(e.columns) != len(e.result.Columns)
	if !e.sent() && (slices.Contains(e.renamed, true) || removed && e.cx.has(MariaDBCacheMetadata)) {
		return appendDefinitions(packets, &e.cx, e.columns)
	}
	if !removed {
		return append(packets, p), nil
	}
	m := *e.result.Count
	m.Count = uint64(len(e.columns))
	payload, err := m.Encode(nil, &e.cx)
	return append(packets, Packet{p.Kind, payload}), err
}

// appendDefinition appends definition number at of the answer unless its column is gone.
func (e *ResultEdit) appendDefinition(packets []Packet, p Packet, at int) ([]Packet, error) {
	i := slices.Index(e.from, at)
	switch {
	case i < 0:
		return packets, nil
	case !e.renamed[i]:
		return append(packets, p), nil
	}
	payload, err := encodeDefinition(&e.columns[i], &e.cx)
	return append(packets, Packet{p.Kind, payload}), err
}
