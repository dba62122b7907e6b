package mysqlwire

import "encoding/binary"

// SetOption is COM_SET_OPTION.
type SetOption struct {
	Option uint16 // MultiStatementsOn or MultiStatementsOff
	Rest   []byte
}

// Values of SetOption.Option.
const (
	MultiStatementsOn  = 0
	MultiStatementsOff = 1
)

func (m *SetOption) Kind() Kind                           { return KindSetOption }
func (m *SetOption) Decode(src []byte, cx *Context) error { return decode(m, src, cx) }
func (m *SetOption) fromClient()                          {}

func (m *SetOption) decode(c *cursor, _ *Context) {
	c.command(ComSetOption)
	m.Option = c.uint16("option_operation")
	c.note(func() string {
		switch m.Option {
		case MultiStatementsOn:
			return "MULTI_STATEMENTS_ON"
		case MultiStatementsOff:
			return "MULTI_STATEMENTS_OFF"
		}
		return itoa(int(m.Option))
	})
	m.Rest = c.rest("rest")
}

func (m *SetOption) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComSetOption))
	return append(binary.LittleEndian.AppendUint16(dst, m.Option), m.Rest...), nil
}
