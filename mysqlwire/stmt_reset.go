package mysqlwire

import "encoding/binary"

// StmtReset is COM_STMT_RESET: forgets long data and closes the cursor.
type StmtReset struct {
	StmtID uint32
	Rest   []byte
}

func (m *StmtReset) Kind() Kind { return KindStmtReset }
func (m *StmtReset) Decode(src []byte, cx *Context) error {
	*m = StmtReset{}
	return decode(m, src, cx)
}
func (m *StmtReset) fromClient() {}

func (m *StmtReset) decode(c *cursor, _ *Context) {
	c.command(ComStmtReset)
	m.StmtID = c.uint32("statement_id")
	m.Rest = c.rest("rest")
}

func (m *StmtReset) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComStmtReset))
	dst = binary.LittleEndian.AppendUint32(dst, m.StmtID)
	return append(dst, m.Rest...), nil
}
