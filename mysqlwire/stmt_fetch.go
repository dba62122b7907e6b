package mysqlwire

import "encoding/binary"

// StmtFetch is COM_STMT_FETCH: the next rows of a cursor.
type StmtFetch struct {
	StmtID uint32
	Rows   uint32
	Rest   []byte
}

func (m *StmtFetch) Kind() Kind { return KindStmtFetch }
func (m *StmtFetch) Decode(src []byte, cx *Context) error {
	*m = StmtFetch{}
	return decode(m, src, cx)
}
func (m *StmtFetch) fromClient() {}

func (m *StmtFetch) decode(c *cursor, _ *Context) {
	c.command(ComStmtFetch)
	m.StmtID = c.uint32("statement_id")
	m.Rows = c.uint32("num_rows")
	m.Rest = c.rest("rest")
}

func (m *StmtFetch) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComStmtFetch))
	dst = binary.LittleEndian.AppendUint32(dst, m.StmtID)
	dst = binary.LittleEndian.AppendUint32(dst, m.Rows)
	return append(dst, m.Rest...), nil
}
