package mysqlwire

import "encoding/binary"

// EOF ends column definitions and rows where DeprecateEOF is not agreed.
type EOF struct {
	Warnings uint16
	Status   Status
	Rest     []byte
}

func (m *EOF) Kind() Kind                           { return KindEOF }
func (m *EOF) Decode(src []byte, cx *Context) error { *m = EOF{}; return decode(m, src, cx) }
func (m *EOF) fromServer()                          {}

func (m *EOF) decode(c *cursor, _ *Context) {
	c.tag("header", 0xfe)
	m.Warnings = c.uint16("warnings")
	m.Status = Status(c.uint16("status_flags"))
	c.note(m.Status.String)
	m.Rest = c.rest("rest")
}

func (m *EOF) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint16(append(dst, 0xfe), m.Warnings)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(m.Status))
	return append(dst, m.Rest...), nil
}
