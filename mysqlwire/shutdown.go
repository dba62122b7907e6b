package mysqlwire

// Shutdown is COM_SHUTDOWN. Gone in MySQL 9 in favour of the statement.
type Shutdown struct {
	Level []byte // usually one zero byte, or nothing
}

func (m *Shutdown) Kind() Kind                           { return KindShutdown }
func (m *Shutdown) Decode(src []byte, cx *Context) error { return decode(m, src, cx) }
func (m *Shutdown) fromClient()                          {}

func (m *Shutdown) decode(c *cursor, _ *Context) {
	c.command(ComShutdown)
	m.Level = c.rest("shutdown_type")
}

func (m *Shutdown) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(append(dst, byte(ComShutdown)), m.Level...), nil
}
