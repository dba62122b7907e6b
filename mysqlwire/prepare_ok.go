package mysqlwire

import "encoding/binary"

// PrepareOK is COM_STMT_PREPARE_OK. Params parameter definitions follow it and then Columns column
// definitions, each block with an EOF behind it where DeprecateEOF is not agreed.
type PrepareOK struct {
	StmtID   uint32
	Columns  uint16
	Params   uint16
	Warnings uint16
	Metadata uint8 // 0: no definitions follow; on the wire where OptionalResultsetMetadata is agreed
	Rest     []byte
	form     prepareForm
}

// prepareForm is where a decoded PrepareOK ended.
type prepareForm uint8

const (
	prepareWhole  prepareForm = iota
	prepareNoFlag             // the agreed metadata byte is missing
	prepareCounts             // nothing behind the counts, as from very old servers
)

func (m *PrepareOK) Kind() Kind { return KindPrepareOK }
func (m *PrepareOK) Decode(src []byte, cx *Context) error {
	*m = PrepareOK{}
	return decode(m, src, cx)
}
func (m *PrepareOK) fromServer() {}

func (m *PrepareOK) decode(c *cursor, cx *Context) {
	c.tag("status", 0)
	m.StmtID = c.uint32("statement_id")
	m.Columns = c.uint16("num_columns")
	m.Params = c.uint16("num_params")
	m.Metadata = 1
	if c.left() == 0 {
		m.form = prepareCounts
		return
	}
	c.tag("reserved", 0)
	m.Warnings = c.uint16("warning_count")
	if cx.has(OptionalResultsetMetadata) {
		if c.left() == 0 {
			m.form = prepareNoFlag
		} else {
			m.Metadata = c.uint8("metadata_follows")
		}
	}
	m.Rest = c.rest("rest")
}

func (m *PrepareOK) Encode(dst []byte, cx *Context) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint32(append(dst, 0), m.StmtID)
	dst = binary.LittleEndian.AppendUint16(dst, m.Columns)
	dst = binary.LittleEndian.AppendUint16(dst, m.Params)
	if m.form == prepareCounts {
		return dst, nil
	}
	dst = binary.LittleEndian.AppendUint16(append(dst, 0), m.Warnings)
	if cx.has(OptionalResultsetMetadata) && m.form != prepareNoFlag {
		dst = append(dst, m.Metadata)
	}
	return append(dst, m.Rest...), nil
}
