package mysqlwire

import (
	"fmt"

	"mydbg/mysqlwire/value"
)

// utf8mb4 is the collation utf8mb4_general_ci, which all servers have.
const utf8mb4 = 45

// ResultSet is a result set to be made.
type ResultSet struct {
	Columns  []Column
	Rows     [][]value.Value
	Status   Status
	Warnings uint16
	Info     string // sent where DeprecateEOF is agreed
}

// TextColumn is the definition of a column of text.
func TextColumn(name string) Column {
	return Column{Catalog: "def", Name: name, Collation: utf8mb4, Length: 4 * 255, Type: value.VarString, Decimals: value.NoDecimals}
}

// SimpleResultSet is a result set of text.
func SimpleResultSet(names []string, rows [][]string) *ResultSet {
	rs := &ResultSet{Status: StatusAutocommit}
	for _, n := range names {
		rs.Columns = append(rs.Columns, TextColumn(n))
	}
	for _, row := range rows {
		values := make([]value.Value, len(row))
		for i, cell := range row {
			values[i] = []byte(cell)
			if i < len(names) {
				rs.Columns[i].Length = max(rs.Columns[i].Length, uint32(min(4*len(cell), 1<<31)))
			}
		}
		rs.Rows = append(rs.Rows, values)
	}
	return rs
}

// Packets are the packets of the result set, with text rows or binary ones. An error about a value
// is a *CellError.
func (rs *ResultSet) Packets(cx *Context, binary bool) ([]Packet, error) {
	packets, err := appendDefinitions(nil, cx, rs.Columns)
	if err != nil {
		return nil, err
	}
	if !cx.has(DeprecateEOF) {
		if packets, err = rs.appendEnd(packets, cx, rs.Status&^StatusMoreResultsExists); err != nil {
			return nil, err
		}
	}
	for i, values := range rs.Rows {
		if len(values) != len(rs.Columns) {
			return nil, fmt.Errorf("row %d has %d values for %d columns", i+1, len(values), len(rs.Columns))
		}
		pieces := make([][]byte, len(values))
		for j, v := range values {
			if pieces[j], err = encodeCell(&rs.Columns[j], v, binary); err != nil {
				return nil, &CellError{Row: i, Column: j, Name: rs.Columns[j].Name, Err: err}
			}
		}
		packets = append(packets, rowOf(pieces, binary))
	}
	return rs.appendEnd(packets, cx, rs.Status)
}

// Answer is Packets as an answer.
func (rs *ResultSet) Answer(cx *Context, binary bool) (*Answer, error) {
	packets, err := rs.Packets(cx, binary)
	if err != nil {
		return nil, err
	}
	a := &Answer{Command: ComQuery, Packets: packets}
	if binary {
		a.Command = ComStmtExecute
	}
	return a, nil
}

// ResultSet is a copy of the result that can be changed freely. It reads every row.
func (r *Result) ResultSet() (*ResultSet, error) {
	rs := &ResultSet{Columns: append([]Column(nil), r.Columns...), Status: r.Status, Warnings: r.Warnings}
	if r.End != nil {
		rs.Info = r.End.Info
	}
	for i := range r.Rows.Len() {
		row, err := r.Rows.Row(i)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		values := make([]value.Value, row.Len())
		for j := range values {
			if values[j], err = row.Value(j); err != nil {
				return nil, &CellError{Row: i, Column: j, Name: row.column(j).Name, Err: err}
			}
		}
		rs.Rows = append(rs.Rows, values)
	}
	return rs, nil
}

// appendEnd appends what ends definitions and rows. Neither form tells of session state here.
func (rs *ResultSet) appendEnd(packets []Packet, cx *Context, s Status) ([]Packet, error) {
	s &^= StatusSessionStateChanged
	p := Packet{Kind: KindEOF}
	var m Message = &EOF{Warnings: rs.Warnings, Status: s}
	if cx.has(DeprecateEOF) {
		p.Kind = KindOK
		m = &OK{End: true, Warnings: rs.Warnings, Status: s, Info: rs.Info}
	}
	var err error
	p.Payload, err = m.Encode(nil, cx)
	return append(packets, p), err
}

// appendDefinitions appends the column count and the definitions.
func appendDefinitions(packets []Packet, cx *Context, columns []Column) ([]Packet, error) {
	count, err := (&ColumnCount{Count: uint64(len(columns)), Metadata: 1}).Encode(nil, cx)
	if err != nil {
		return packets, err
	}
	packets = append(packets, Packet{KindColumnCount, count})
	for i := range columns {
		payload, err := encodeDefinition(&columns[i], cx)
		if err != nil {
			return packets, err
		}
		packets = append(packets, Packet{KindColumn, payload})
	}
	return packets, nil
}

// encodeDefinition writes a definition for a result set, whatever command cx is about.
func encodeDefinition(col *Column, cx *Context) ([]byte, error) {
	own := Context{}
	if cx != nil {
		own = *cx
	}
	own.Command = ComQuery
	return col.Encode(nil, &own)
}

// encodeCell is a value's piece of a row: the text without its length, or the binary form. NULL is
// nil.
func encodeCell(col *Column, v value.Value, binary bool) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if b, ok := v.([]byte); ok && b == nil {
		v = []byte{}
	}
	if col.Type == value.Bit {
		v = widened(col, v)
	}
	if binary {
		return value.AppendBinary([]byte{}, col.Type, col.Unsigned(), v)
	}
	if col.Flags&ColumnZerofill != 0 {
		if _, ok := v.(uint64); ok {
			return []byte(col.Spec().Format(v)), nil
		}
	}
	return value.AppendText([]byte{}, col.Type, v, col.Decimals)
}

// widened gives a BIT as many bytes as its column has.
func widened(col *Column, v value.Value) value.Value {
	b, ok := v.([]byte)
	width := int(min(col.Length, 64)+7) / 8
	if !ok || len(b) >= width {
		return v
	}
	wide := make([]byte, width)
	copy(wide[width-len(b):], b)
	return wide
}

// rowOf joins the pieces of a row.
func rowOf(pieces [][]byte, binary bool) Packet {
	if !binary {
		payload, _ := (&TextRow{Cells: pieces}).Encode([]byte{}, nil)
		return Packet{KindTextRow, payload}
	}
	bitmap := 1 + (len(pieces)+9)/8
	payload := make([]byte, bitmap)
	for i, piece := range pieces {
		if piece == nil {
			payload[1+(i+2)/8] |= 1 << ((i + 2) % 8)
		}
		payload = append(payload, piece...)
	}
	return Packet{KindBinaryRow, payload}
}
