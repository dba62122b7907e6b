package detail

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/safe"
	"mydbg/tui/sqlview"
	"mydbg/tui/theme"
)

// resultName is what a result without rows is.
func resultName(r *mysqlwire.Result) string {
	switch {
	case r.ERR != nil:
		return "error"
	case r.OK != nil:
		return "OK"
	case r.Prepared != nil:
		return "prepared statement"
	case r.Infile != nil:
		return "request for a local file"
	case r.Text != "":
		return "statistics"
	}
	return "result"
}

// plainResult is a result without rows in lines.
func (m *Model) plainResult(r *mysqlwire.Result, w int) []string {
	switch {
	case r.ERR != nil:
		return m.errLines(r.ERR, w)
	case r.OK != nil:
		return m.okLines(r.OK, w)
	case r.Prepared != nil:
		return m.preparedLines(r, w)
	case r.Infile != nil:
		return m.fact("file", r.Infile.Name, w)
	case r.Text != "":
		return safe.Wrap(r.Text, w)
	case len(r.Columns) > 0:
		return m.columnLines("columns", r.Columns, w)
	}
	return m.dim("There is nothing in it.", w)
}

func (m *Model) errLines(e *mysqlwire.ERR, w int) []string {
	known, ok := mysqlwire.ErrorByCode(e.Code)
	symbol := "not a code of MySQL or MariaDB that is known here"
	if ok {
		symbol = known.Symbol
	}
	lines := []string{theme.Fit(m.th.Error.Render(safe.Cut(fmt.Sprintf("ERR %d  %s", e.Code, symbol), w)), w)}
	lines = append(lines, m.fact("SQLSTATE", orNone(e.SQLState), w)...)
	lines = append(lines, m.fact("message", e.Message, w)...)
	if ok {
		if known.Message != e.Message {
			lines = append(lines, m.fact("meaning", known.Message, w)...)
		}
		if known.SQLState != e.SQLState && e.SQLState != "" {
			lines = append(lines, m.fact("note", "servers send this code with SQLSTATE "+known.SQLState, w)...)
		}
	}
	return lines
}

func (m *Model) okLines(o *mysqlwire.OK, w int) []string {
	lines := []string{theme.Fit(m.th.Strong.Render("OK"), w)}
	lines = append(lines, m.fact("affected", many(o.AffectedRows, "row", "rows"), w)...)
	if o.LastInsertID != 0 {
		lines = append(lines, m.fact("last id", count(o.LastInsertID), w)...)
	}
	lines = append(lines, m.fact("warnings", fmt.Sprint(o.Warnings), w)...)
	if o.Info != "" {
		lines = append(lines, m.fact("info", o.Info, w)...)
	}
	lines = append(lines, m.fact("status", statusText(o.Status), w)...)
	if len(o.SessionState) > 0 {
		lines = append(lines, "", m.th.Strong.Render(safe.Cut("changes of the session", w)))
		for i := range o.SessionState {
			name, text := stateText(&o.SessionState[i])
			lines = append(lines, m.fact(name, text, w)...)
		}
	}
	return lines
}

func (m *Model) preparedLines(r *mysqlwire.Result, w int) []string {
	p := r.Prepared
	lines := m.fact("statement", fmt.Sprint(p.StmtID), w)
	lines = append(lines, m.fact("parameters", fmt.Sprint(p.Params), w)...)
	lines = append(lines, m.fact("columns", fmt.Sprint(p.Columns), w)...)
	if p.Warnings > 0 {
		lines = append(lines, m.fact("warnings", fmt.Sprint(p.Warnings), w)...)
	}
	if len(r.Params) > 0 {
		lines = append(lines, m.columnLines("parameters", r.Params, w)...)
	}
	if len(r.Columns) > 0 {
		lines = append(lines, m.columnLines("columns", r.Columns, w)...)
	}
	return lines
}

func (m *Model) columnLines(title string, cols []mysqlwire.Column, w int) []string {
	lines := []string{"", m.th.Strong.Render(safe.Cut(title, w))}
	for i := range cols {
		from := ""
		if cols[i].Table != "" {
			from = "  of " + cols[i].Table
		}
		lines = append(lines, m.entry(fmt.Sprintf("%d %s", i+1, cols[i].Name), "", cols[i].TypeName()+from, m.th.Value, w))
	}
	return lines
}

// maxCellLines is how many lines of a cell are shown in the view of one row.
const maxCellLines = 40

// rowLines is the selected row with a column in each line, and long values in as many as they take.
func (m *Model) rowLines(w int) []string {
	r := m.result
	row, _, ok := r.grid.Selected()
	if !ok {
		return m.dim("There are no rows.", w)
	}
	got, err := r.rows.get(row)
	lines := []string{m.th.Strong.Render(safe.Cut(fmt.Sprintf("row %d of %d", row+1, r.rows.Rows()), w))}
	if err != nil {
		return append(lines, m.th.Invalid.Render(safe.Cut("not decoded: "+err.Error(), w)))
	}
	for i := range got.Len() {
		col := r.rows.column(i)
		lines = append(lines, theme.Fit(m.th.Key.Render(safe.Cut(col.Name, w))+"  "+m.th.Dim.Render(safe.Cut(col.TypeName(), w)), w))
		cell := m.cellLines(got, i, col, max(w-2, 1))
		if len(cell) > maxCellLines {
			cell = append(cell[:maxCellLines], m.th.Dim.Render(m.th.Ellipsis()))
		}
		for _, line := range cell {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

func (m *Model) cellLines(r *mysqlwire.Row, i int, col *mysqlwire.Column, w int) []string {
	switch b := r.Bytes(i); {
	case r.Null(i):
		return []string{m.th.Null.Render("NULL")}
	case isBlob(col):
		return append([]string{m.th.Annotation.Render(safe.Cut(blobText(b), w))}, m.dumpLines(b, w)...)
	case len(b) == 0:
		return []string{m.th.Empty.Render("(empty)")}
	case len(b) > maxSummary:
		return append(safe.Wrap(r.Head(i, 4000), w), m.th.Dim.Render(safe.Cut("… "+bytesOf(len(b)), w)))
	}
	text := r.Text(i)
	if b := []byte(text); len(b) > 1 && (b[0] == '{' || b[0] == '[' || col.Type == value.JSON) && col.Type != value.Vector && json.Valid(b) {
		return sqlview.Lines(m.th, sqlview.JSON, indented(b), w)
	}
	return safe.Wrap(text, w)
}

// dumpLines are the first bytes of a value.
func (m *Model) dumpLines(b []byte, w int) []string {
	per := max(min((w-2)/4, 16), 1)
	var lines []string
	for off := 0; off < min(len(b), 4*per); off += per {
		part := b[off:min(off+per, len(b))]
		lines = append(lines, m.th.Offset.Render(safe.Cut(fmt.Sprintf("% x", part), w)))
	}
	return lines
}

// isBlob reports whether a column holds bytes rather than text.
func isBlob(c *mysqlwire.Column) bool {
	switch c.Type {
	case value.TinyBlob, value.MediumBlob, value.LongBlob, value.Blob, value.VarString, value.String, value.VarChar:
		return c.IsBinary() && c.Flags&(mysqlwire.ColumnEnum|mysqlwire.ColumnSet) == 0
	}
	return false
}

// blobText is bytes in a cell: their size, the first of them, and what they may be.
func blobText(b []byte) string {
	if len(b) == 0 {
		return "0 B"
	}
	if guess, id := guessOf(b); id != "" {
		return id + " " + guess
	} else if guess == "VECTOR" {
		return vectorText(b) + " " + bytesOf(len(b))
	} else if guess != "" {
		return "0x" + hex.EncodeToString(firstBytes(b, 4)) + "… " + bytesOf(len(b)) + " " + guess
	}
	if printable(b) && len(b) <= 64 {
		return string(b)
	}
	if len(b) <= 8 {
		return "0x" + hex.EncodeToString(b)
	}
	return "0x" + hex.EncodeToString(b[:8]) + "… " + bytesOf(len(b))
}

// magic is what files begin with.
var magic = []struct{ head, name string }{
	{"\x89PNG\r\n\x1a\n", "PNG"},
	{"\xff\xd8\xff", "JPEG"},
	{"GIF8", "GIF"},
	{"%PDF-", "PDF"},
	{"PK\x03\x04", "ZIP"},
	{"\x1f\x8b", "gzip"},
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"BM", "BMP"},
}

// guessOf says what bytes may be; of 16 bytes that are no text, as which UUID they read.
func guessOf(b []byte) (guess, id string) {
	for _, f := range magic {
		if len(b) > 8 && len(b) >= len(f.head) && string(b[:len(f.head)]) == f.head {
			return f.name, ""
		}
	}
	switch {
	case vectorText(b) != "":
		return "VECTOR", ""
	case len(b) == 16 && !printable(b):
		h := hex.EncodeToString(b)
		return "UUID", h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	case len(b) > 1 && len(b) <= maxSummary && (b[0] == '{' || b[0] == '[') && json.Valid(b):
		return "JSON", ""
	case len(b) >= 21 && isGeometry(b):
		return "WKB", ""
	}
	return "", ""
}

// vectorText is a vector as one types it, of bytes that may be one: MariaDB's come as VARBINARY. It is ""
// unless all floating point numbers in them are of a common size.
func vectorText(b []byte) string {
	if len(b) < 8 || len(b)%4 != 0 || printable(b) {
		return ""
	}
	some := false
	for i := 0; i < len(b); i += 4 {
		f := math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(b[i:]))))
		some = some || f != 0
		if f != 0 && !(f > 1e-6 && f < 1e6) {
			return ""
		}
	}
	if !some {
		return ""
	}
	const most = 64 // numbers
	text := "vector" + value.Spec{Type: value.Vector}.Format(b[:min(len(b), 4*most)])
	if len(b) > 4*most {
		text = strings.TrimSuffix(text, "]") + ", …]"
	}
	return text
}

// isGeometry recognises a geometry as servers send it: an SRID, a byte order and a type from 1 to 7.
func isGeometry(b []byte) bool {
	return b[4] == 1 && b[5] >= 1 && b[5] <= 7 && b[6] == 0 && b[7] == 0 && b[8] == 0
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\t' {
			return false
		}
	}
	return utf8.Valid(b)
}

func indented(b []byte) string {
	if len(b) > maxSummary {
		return string(firstBytes(b, maxSummary))
	}
	var out bytes.Buffer
	if json.Indent(&out, b, "", "  ") != nil {
		return string(b)
	}
	return out.String()
}

func firstBytes(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}
