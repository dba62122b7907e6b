package mysqlwire

import "encoding/binary"

// BinlogDump is COM_BINLOG_DUMP. The answer does not end.
type BinlogDump struct {
	Position uint32
	Flags    uint16 // 1 ends instead of waiting; MariaDB: 2 sends annotations
	ServerID uint32
	File     string
}

func (m *BinlogDump) Kind() Kind { return KindBinlogDump }
func (m *BinlogDump) Decode(src []byte, cx *Context) error {
	*m = BinlogDump{}
	return decode(m, src, cx)
}
func (m *BinlogDump) fromClient() {}

func (m *BinlogDump) decode(c *cursor, _ *Context) {
	c.command(ComBinlogDump)
	m.Position = c.uint32("binlog_pos")
	m.Flags = c.uint16("flags")
	m.ServerID = c.uint32("server_id")
	m.File = c.restText("binlog_filename")
}

func (m *BinlogDump) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComBinlogDump))
	dst = binary.LittleEndian.AppendUint32(dst, m.Position)
	dst = binary.LittleEndian.AppendUint16(dst, m.Flags)
	dst = binary.LittleEndian.AppendUint32(dst, m.ServerID)
	return append(dst, m.File...), nil
}
