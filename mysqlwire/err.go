package mysqlwire

import (
	"encoding/binary"
	"fmt"
)

// ERR ends a command, and all results that might still have followed. It is an error.
type ERR struct {
	Code     uint16
	SQLState string // five characters; empty without the # marker, as before capabilities are agreed
	Message  string // in the character set of the results, see Context.ResultText
}

func (m *ERR) Kind() Kind                           { return KindERR }
func (m *ERR) Decode(src []byte, cx *Context) error { *m = ERR{}; return decode(m, src, cx) }
func (m *ERR) fromServer()                          {}

// Error is the error as the mysql client prints it.
func (m *ERR) Error() string {
	if m.SQLState == "" {
		return fmt.Sprintf("ERROR %d: %s", m.Code, m.Message)
	}
	return fmt.Sprintf("ERROR %d (%s): %s", m.Code, m.SQLState, m.Message)
}

func (m *ERR) decode(c *cursor, _ *Context) {
	c.tag("header", 0xff)
	m.Code = c.uint16("error_code")
	if b, _ := c.peek(); b == '#' && c.left() >= 6 {
		c.tag("sql_state_marker", '#')
		m.SQLState = c.text("sql_state", 5)
	}
	if c.left() > 0 {
		m.Message = string(c.take("error_message", c.left(), c.cx.showResult))
	}
}

func (m *ERR) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint16(append(dst, 0xff), m.Code)
	if m.SQLState != "" {
		if len(m.SQLState) != 5 {
			return dst, fmt.Errorf("encode ERR: SQLSTATE %q has not five characters", m.SQLState)
		}
		dst = append(append(dst, '#'), m.SQLState...)
	}
	return append(dst, m.Message...), nil
}
