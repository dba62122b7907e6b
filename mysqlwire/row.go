package mysqlwire

import (
	"fmt"

	"mydbg/mysqlwire/value"
)

// TextRow is a row of a COM_QUERY result.
type TextRow struct {
	Cells [][]byte // nil is NULL
}

func (m *TextRow) Kind() Kind                           { return KindTextRow }
func (m *TextRow) Decode(src []byte, cx *Context) error { *m = TextRow{}; return decode(m, src, cx) }
func (m *TextRow) fromServer()                          {}

func (m *TextRow) decode(c *cursor, cx *Context) {
	var columns []Column
	if cx != nil {
		columns = cx.Columns
	}
	if len(columns) > 0 {
		m.Cells = make([][]byte, 0, min(len(columns), len(c.b)))
	}
	for c.left() > 0 {
		if len(columns) > 0 && len(m.Cells) == len(columns) {
			c.failf("row has more than %d cells", len(columns))
			return
		}
		name := cellName(columns, len(m.Cells))
		if b, _ := c.peek(); b == 0xfb {
			c.uint8(name)
			c.note(showNull)
			m.Cells = append(m.Cells, nil)
			continue
		}
		m.Cells = append(m.Cells, c.lenencString(name, showCell(cx, columns, len(m.Cells))))
	}
	if c.err == nil && len(m.Cells) < len(columns) {
		c.failf("row of %d cells, want %d", len(m.Cells), len(columns))
	}
}

func (m *TextRow) Encode(dst []byte, _ *Context) ([]byte, error) {
	for _, cell := range m.Cells {
		if cell == nil {
			dst = append(dst, 0xfb)
		} else {
			dst = AppendLenencString(dst, cell)
		}
	}
	return dst, nil
}

func cellName(columns []Column, i int) string {
	if i < len(columns) && columns[i].Name != "" {
		return columns[i].Name
	}
	return "column " + itoa(i+1)
}

func showNull() string { return "NULL" }

func showCell(cx *Context, columns []Column, i int) func([]byte) string {
	if i < len(columns) {
		spec := cx.Spec(&columns[i])
		if spec.Binary || spec.Type == value.Bit {
			return showBytes
		}
		if spec.Charset != nil {
			return func(b []byte) string { return showString([]byte(value.DecodeText(spec.Charset, b))) }
		}
	}
	return showString
}

// BinaryRow is a row of a prepared statement's result. It cannot be read without the columns of
// the Context.
type BinaryRow struct {
	Values []value.Value
	Raw    []byte // the payload it was decoded from; Encode does not look at it
}

func (m *BinaryRow) Kind() Kind { return KindBinaryRow }
func (m *BinaryRow) Decode(src []byte, cx *Context) error {
	*m = BinaryRow{}
	return decode(m, src, cx)
}
func (m *BinaryRow) fromServer() {}

func (m *BinaryRow) decode(c *cursor, cx *Context) {
	m.Raw = c.b
	c.tag("header", 0)
	if c.err != nil {
		return
	}
	if cx == nil || len(cx.Columns) == 0 {
		c.fail("the columns of this result are not known")
		return
	}
	columns := cx.Columns
	bitmap := c.bytes("null_bitmap", (len(columns)+9)/8)
	if c.err != nil {
		return
	}
	c.note(func() string { return showRowNulls(bitmap, columns) })
	m.Values = make([]value.Value, len(columns))
	for i := range columns {
		if bitmap[(i+2)/8]>>((i+2)%8)&1 != 0 {
			continue
		}
		m.Values[i] = c.value(cellName(columns, i), &columns[i])
		if c.err != nil {
			return
		}
	}
}

// value reads a value in its binary form as one field.
func (c *cursor) value(name string, col *Column) value.Value {
	v, n, err := value.ReadBinary(c.b[c.off:], col.Type, col.Unsigned())
	if err != nil {
		c.failf("%s, %s: %v", name, col.Type, err)
		return nil
	}
	c.take(name, n, func([]byte) string { return c.cx.Spec(col).Format(v) })
	return v
}

func showRowNulls(bitmap []byte, columns []Column) string {
	return nullNames(len(columns),
		func(i int) bool { return bitmap[(i+2)/8]>>((i+2)%8)&1 != 0 },
		func(i int) string { return cellName(columns, i) })
}

// Encode fails when a value does not fit its column, with a *CellError.
func (m *BinaryRow) Encode(dst []byte, cx *Context) ([]byte, error) {
	if cx == nil || len(cx.Columns) == 0 {
		return dst, fmt.Errorf("encode %s: the columns of this result are not known", KindBinaryRow)
	}
	if len(m.Values) != len(cx.Columns) {
		return dst, fmt.Errorf("encode %s: %d values for %d columns", KindBinaryRow, len(m.Values), len(cx.Columns))
	}
	dst = append(dst, 0)
	off := len(dst)
	dst = append(dst, make([]byte, (len(m.Values)+9)/8)...)
	var err error
	for i, v := range m.Values {
		if v == nil {
			dst[off+(i+2)/8] |= 1 << ((i + 2) % 8)
			continue
		}
		col := &cx.Columns[i]
		if dst, err = value.AppendBinary(dst, col.Type, col.Unsigned(), v); err != nil {
			return dst, &CellError{Row: -1, Column: i, Name: col.Name, Err: err}
		}
	}
	return dst, nil
}

// CellError says which value of a result set cannot be sent, and why.
type CellError struct {
	Row    int // from 0; -1 when it is not known
	Column int // from 0
	Name   string
	Err    error
}

func (e *CellError) Error() string {
	column := e.Name
	if column == "" {
		column = "column " + itoa(e.Column+1)
	}
	if e.Row < 0 {
		return fmt.Sprintf("%s: %v", column, e.Err)
	}
	return fmt.Sprintf("row %d, %s: %v", e.Row+1, column, e.Err)
}

func (e *CellError) Unwrap() error { return e.Err }
