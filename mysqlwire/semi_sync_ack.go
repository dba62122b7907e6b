package mysqlwire

import "encoding/binary"

// SemiSyncAck is a replica's acknowledgement of an event that asked for one, sent while more come.
// The server does not answer it.
type SemiSyncAck struct {
	Position uint64 // behind the event
	File     string
}

func (m *SemiSyncAck) Kind() Kind { return KindSemiSyncAck }
func (m *SemiSyncAck) Decode(src []byte, cx *Context) error {
	*m = SemiSyncAck{}
	return decode(m, src, cx)
}
func (m *SemiSyncAck) fromClient() {}

func (m *SemiSyncAck) decode(c *cursor, _ *Context) {
	c.tag("semi_sync", semiSyncMagic)
	m.Position = c.uint64("binlog_pos")
	m.File = c.restText("binlog_filename")
}

func (m *SemiSyncAck) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint64(append(dst, semiSyncMagic), m.Position)
	return append(dst, m.File...), nil
}
