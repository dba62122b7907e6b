package mysqlwire

// Commands of one byte. Servers ignore what follows it; clients send nothing.
type (
	Quit              struct{ Rest []byte } // the server closes without an answer
	StatisticsCommand struct{ Rest []byte }
	ProcessInfo       struct{ Rest []byte } // gone in MySQL 9
	Debug             struct{ Rest []byte }
	Ping              struct{ Rest []byte }
	ResetConnection   struct{ Rest []byte } // also closes every prepared statement
)

func (m *Quit) Kind() Kind              { return KindQuit }
func (m *StatisticsCommand) Kind() Kind { return KindStatisticsCommand }
func (m *ProcessInfo) Kind() Kind       { return KindProcessInfo }
func (m *Debug) Kind() Kind             { return KindDebug }
func (m *Ping) Kind() Kind              { return KindPing }
func (m *ResetConnection) Kind() Kind   { return KindResetConnection }

func (m *Quit) Decode(src []byte, cx *Context) error              { return decode(m, src, cx) }
func (m *StatisticsCommand) Decode(src []byte, cx *Context) error { return decode(m, src, cx) }
func (m *ProcessInfo) Decode(src []byte, cx *Context) error       { return decode(m, src, cx) }
func (m *Debug) Decode(src []byte, cx *Context) error             { return decode(m, src, cx) }
func (m *Ping) Decode(src []byte, cx *Context) error              { return decode(m, src, cx) }
func (m *ResetConnection) Decode(src []byte, cx *Context) error   { return decode(m, src, cx) }

func (m *Quit) decode(c *cursor, _ *Context)              { m.Rest = c.bare(ComQuit) }
func (m *StatisticsCommand) decode(c *cursor, _ *Context) { m.Rest = c.bare(ComStatistics) }
func (m *ProcessInfo) decode(c *cursor, _ *Context)       { m.Rest = c.bare(ComProcessInfo) }
func (m *Debug) decode(c *cursor, _ *Context)             { m.Rest = c.bare(ComDebug) }
func (m *Ping) decode(c *cursor, _ *Context)              { m.Rest = c.bare(ComPing) }
func (m *ResetConnection) decode(c *cursor, _ *Context)   { m.Rest = c.bare(ComResetConnection) }

func (m *Quit) Encode(dst []byte, _ *Context) ([]byte, error) {
	return encodeBare(dst, ComQuit, m.Rest)
}

func (m *StatisticsCommand) Encode(dst []byte, _ *Context) ([]byte, error) {
	return encodeBare(dst, ComStatistics, m.Rest)
}

func (m *ProcessInfo) Encode(dst []byte, _ *Context) ([]byte, error) {
	return encodeBare(dst, ComProcessInfo, m.Rest)
}

func (m *Debug) Encode(dst []byte, _ *Context) ([]byte, error) {
	return encodeBare(dst, ComDebug, m.Rest)
}

func (m *Ping) Encode(dst []byte, _ *Context) ([]byte, error) {
	return encodeBare(dst, ComPing, m.Rest)
}

func (m *ResetConnection) Encode(dst []byte, _ *Context) ([]byte, error) {
	return encodeBare(dst, ComResetConnection, m.Rest)
}

func (m *Quit) fromClient()              {}
func (m *StatisticsCommand) fromClient() {}
func (m *ProcessInfo) fromClient()       {}
func (m *Debug) fromClient()             {}
func (m *Ping) fromClient()              {}
func (m *ResetConnection) fromClient()   {}

func (c *cursor) bare(com Command) []byte {
	c.command(com)
	return c.rest("rest")
}

func encodeBare(dst []byte, com Command, rest []byte) ([]byte, error) {
	return append(append(dst, byte(com)), rest...), nil
}
