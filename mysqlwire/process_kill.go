package mysqlwire

import "encoding/binary"

// ProcessKill is COM_PROCESS_KILL. Gone in MySQL 9 in favour of KILL.
type ProcessKill struct {
	ConnectionID uint32
	Rest         []byte
}

func (m *ProcessKill) Kind() Kind { return KindProcessKill }
func (m *ProcessKill) Decode(src []byte, cx *Context) error {
	*m = ProcessKill{}
	return decode(m, src, cx)
}
func (m *ProcessKill) fromClient() {}

func (m *ProcessKill) decode(c *cursor, _ *Context) {
	c.command(ComProcessKill)
	m.ConnectionID = c.uint32("connection_id")
	m.Rest = c.rest("rest")
}

func (m *ProcessKill) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComProcessKill))
	dst = binary.LittleEndian.AppendUint32(dst, m.ConnectionID)
	return append(dst, m.Rest...), nil
}
