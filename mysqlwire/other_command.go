package mysqlwire

// OtherCommand is a command without a form of its own: internal, removed or unknown.
type OtherCommand struct {
	Command Command
	Data    []byte
}

func (m *OtherCommand) Kind() Kind { return KindOtherCommand }
func (m *OtherCommand) Decode(src []byte, cx *Context) error {
	*m = OtherCommand{}
	return decode(m, src, cx)
}
func (m *OtherCommand) fromClient() {}

func (m *OtherCommand) decode(c *cursor, _ *Context) {
	m.Command = Command(c.uint8("command"))
	c.note(m.Command.String)
	m.Data = c.rest("data")
}

func (m *OtherCommand) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(append(dst, byte(m.Command)), m.Data...), nil
}

// command reads the first byte of a client's packet, which must be want.
func (c *cursor) command(want Command) {
	c.tag("command", byte(want))
	c.note(want.String)
}
