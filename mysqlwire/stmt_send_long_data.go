package mysqlwire

import "encoding/binary"

// StmtSendLongData is COM_STMT_SEND_LONG_DATA: a piece of a parameter, ahead of the execute that has no
// bytes for it. The server sends no answer.
type StmtSendLongData struct {
	StmtID uint32
	Param  uint16 // from 0
	Data   []byte
}

func (m *StmtSendLongData) Kind() Kind { return KindStmtSendLongData }
func (m *StmtSendLongData) Decode(src []byte, cx *Context) error {
	*m = StmtSendLongData{}
	return decode(m, src, cx)
}
func (m *StmtSendLongData) fromClient() {}

func (m *StmtSendLongData) decode(c *cursor, _ *Context) {
	c.command(ComStmtSendLongData)
	m.StmtID = c.uint32("statement_id")
	m.Param = c.uint16("param_id")
	m.Data = c.rest("data")
}

func (m *StmtSendLongData) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComStmtSendLongData))
	dst = binary.LittleEndian.AppendUint32(dst, m.StmtID)
	dst = binary.LittleEndian.AppendUint16(dst, m.Param)
	return append(dst, m.Data...), nil
}
