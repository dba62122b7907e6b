package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// BinlogDumpGTID is COM_BINLOG_DUMP_GTID of MySQL. The answer does not end.
type BinlogDumpGTID struct {
	Flags    uint16 // 1 ends instead of waiting, 4 positions by GTIDs
	ServerID uint32
	File     string
	Position uint64
	GTIDs    []byte // set in its binary form
	Rest     []byte
}

func (m *BinlogDumpGTID) Kind() Kind                           { return KindBinlogDumpGTID }
func (m *BinlogDumpGTID) Decode(src []byte, cx *Context) error { return decode(m, src, cx) }
func (m *BinlogDumpGTID) fromClient()                          {}

func (m *BinlogDumpGTID) decode(c *cursor, _ *Context) {
	c.command(ComBinlogDumpGTID)
	m.Flags = c.uint16("flags")
	m.ServerID = c.uint32("server_id")
	m.File = c.text("binlog_filename", c.size32("binlog_filename_len"))
	m.Position = c.uint64("binlog_pos")
	m.GTIDs = c.bytes("data", c.size32("data_size"))
	m.Rest = c.rest("rest")
}

// size32 reads the length of what follows.
func (c *cursor) size32(name string) int {
	n := c.uint32(name)
	if uint64(n) > uint64(c.left()) {
		c.failf("%s is %d, %d bytes left", name, n, c.left())
		return 0
	}
	return int(n)
}

func (m *BinlogDumpGTID) Encode(dst []byte, _ *Context) ([]byte, error) {
	if uint64(len(m.File)) > math.MaxUint32 || uint64(len(m.GTIDs)) > math.MaxUint32 {
		return dst, fmt.Errorf("encode %s: file name or GTIDs over 4 GiB", KindBinlogDumpGTID)
	}
	dst = append(dst, byte(ComBinlogDumpGTID))
	dst = binary.LittleEndian.AppendUint16(dst, m.Flags)
	dst = binary.LittleEndian.AppendUint32(dst, m.ServerID)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.File)))
	dst = append(dst, m.File...)
	dst = binary.LittleEndian.AppendUint64(dst, m.Position)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.GTIDs)))
	return append(append(dst, m.GTIDs...), m.Rest...), nil
}
