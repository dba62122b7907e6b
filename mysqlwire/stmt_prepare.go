package mysqlwire

// StmtPrepare is COM_STMT_PREPARE.
type StmtPrepare struct {
	SQL string // in the character set of the client, see Context.ClientText
}

func (m *StmtPrepare) Kind() Kind { return KindStmtPrepare }
func (m *StmtPrepare) Decode(src []byte, cx *Context) error {
	*m = StmtPrepare{}
	return decode(m, src, cx)
}
func (m *StmtPrepare) fromClient() {}

func (m *StmtPrepare) decode(c *cursor, _ *Context) {
	c.command(ComStmtPrepare)
	m.SQL = c.restClient("query")
}

func (m *StmtPrepare) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(append(dst, byte(ComStmtPrepare)), m.SQL...), nil
}
