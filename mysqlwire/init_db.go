package mysqlwire

// InitDB is COM_INIT_DB: another schema becomes the current one.
type InitDB struct {
	Schema string
}

func (m *InitDB) Kind() Kind                           { return KindInitDB }
func (m *InitDB) Decode(src []byte, cx *Context) error { *m = InitDB{}; return decode(m, src, cx) }
func (m *InitDB) fromClient()                          {}

func (m *InitDB) decode(c *cursor, _ *Context) {
	c.command(ComInitDB)
	m.Schema = c.restClient("schema_name")
}

func (m *InitDB) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComInitDB))
	return append(dst, m.Schema...), nil
}
