package mysqlwire

import "encoding/binary"

// StmtClose is COM_STMT_CLOSE. The server sends no answer.
type StmtClose struct {
	StmtID uint32
	Rest   []byte
}

func (m *StmtClose) Kind() Kind { return KindStmtClose }
func (m *StmtClose) Decode(src []byte, cx *Context) error {
	*m = StmtClose{}
	return decode(m, src, cx)
}
func (m *StmtClose) fromClient() {}

func (m *StmtClose) decode(c *cursor, _ *Context) {
	c.command(ComStmtClose)
	m.StmtID = c.uint32("statement_id")
	m.Rest = c.rest("rest")
}

func (m *StmtClose) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComStmtClose))
	dst = binary.LittleEndian.AppendUint32(dst, m.StmtID)
	return append(dst, m.Rest...), nil
}
