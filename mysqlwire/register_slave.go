package mysqlwire

import (
	"encoding/binary"
	"fmt"
)

// RegisterSlave is COM_REGISTER_SLAVE: what a replica reports of itself.
type RegisterSlave struct {
	ServerID uint32
	Host     string
	User     string
	Password []byte // report_password, in clear: see Blank
	Port     uint16
	Rank     uint32
	MasterID uint32
	Rest     []byte
}

func (m *RegisterSlave) Kind() Kind                           { return KindRegisterSlave }
func (m *RegisterSlave) Decode(src []byte, cx *Context) error { return decode(m, src, cx) }
func (m *RegisterSlave) fromClient()                          {}

func (m *RegisterSlave) decode(c *cursor, _ *Context) {
	c.command(ComRegisterSlave)
	m.ServerID = c.uint32("server_id")
	m.Host = c.text("hostname", int(c.uint8("hostname_length")))
	m.User = c.text("user", int(c.uint8("user_length")))
	m.Password = c.bytes("password", int(c.uint8("password_length")))
	m.Port = c.uint16("port")
	m.Rank = c.uint32("replication_rank")
	m.MasterID = c.uint32("master_id")
	m.Rest = c.rest("rest")
}

func (m *RegisterSlave) Encode(dst []byte, _ *Context) ([]byte, error) {
	out := append(dst, byte(ComRegisterSlave))
	out = binary.LittleEndian.AppendUint32(out, m.ServerID)
	for _, s := range []string{m.Host, m.User, string(m.Password)} {
		if len(s) > 255 {
			return dst, fmt.Errorf("encode %s: text of %d bytes, 255 fit", KindRegisterSlave, len(s))
		}
		out = append(append(out, byte(len(s))), s...)
	}
	out = binary.LittleEndian.AppendUint16(out, m.Port)
	out = binary.LittleEndian.AppendUint32(out, m.Rank)
	out = binary.LittleEndian.AppendUint32(out, m.MasterID)
	return append(out, m.Rest...), nil
}
