package mysqlwire

import (
	"encoding/binary"
	"strconv"

	"mydbg/mysqlwire/value"
)

// ColumnFlags are the flags of a column definition.
type ColumnFlags uint16

const (
	ColumnNotNull       ColumnFlags = 0x0001
	ColumnPriKey        ColumnFlags = 0x0002
	ColumnUniqueKey     ColumnFlags = 0x0004
	ColumnMultipleKey   ColumnFlags = 0x0008
	ColumnBlob          ColumnFlags = 0x0010
	ColumnUnsigned      ColumnFlags = 0x0020
	ColumnZerofill      ColumnFlags = 0x0040
	ColumnBinary        ColumnFlags = 0x0080
	ColumnEnum          ColumnFlags = 0x0100
	ColumnAutoIncrement ColumnFlags = 0x0200
	ColumnTimestamp     ColumnFlags = 0x0400
	ColumnSet           ColumnFlags = 0x0800
	ColumnNoDefault     ColumnFlags = 0x1000
	ColumnOnUpdateNow   ColumnFlags = 0x2000
	ColumnNum           ColumnFlags = 0x8000
)

// CollationBinary marks a string column that holds bytes, not text.
const CollationBinary = 63

// Column is Protocol::ColumnDefinition41: a column of a result set or of a table
// (COM_FIELD_LIST), or a parameter of a prepared statement.
type Column struct {
	Catalog, Schema, Table, OrgTable, Name, OrgName string
	Extended                                        []byte // MariaDB extended metadata, as sent
	Collation                                       uint16
	Length                                          uint32 // display width
	Type                                            value.Type
	Flags                                           ColumnFlags
	Decimals                                        uint8
	Default                                         []byte // COM_FIELD_LIST only; nil is NULL
	fixed                                           []byte // bytes of the fixed part past what is known
	Rest                                            []byte
}

func (m *Column) Kind() Kind                           { return KindColumn }
func (m *Column) Decode(src []byte, cx *Context) error { *m = Column{}; return decode(m, src, cx) }
func (m *Column) fromServer()                          {}

// Unsigned reports the sign of an integer column.
func (m *Column) Unsigned() bool { return m.Flags&ColumnUnsigned != 0 }

// Ext is what MariaDB's extended metadata says of the type: uuid, inet6, json, point; "" without them.
func (m *Column) Ext() string {
	c := cursor{b: m.Extended}
	ext := ""
	for c.left() > 0 {
		what, text := c.uint8("what"), c.lenencText("text")
		if c.err == nil && (what == extType || what == extFormat && ext == "") {
			ext = text
		}
	}
	return ext
}

// The pieces of extended metadata.
const (
	extType   = 0 // name of a type that a plugin has
	extFormat = 1 // json, of text
)

// IsBinary reports whether a string column holds bytes rather than text.
func (m *Column) IsBinary() bool { return m.Collation == CollationBinary }

func (m *Column) decode(c *cursor, cx *Context) {
	m.Catalog = c.lenencResult("catalog")
	m.Schema = c.lenencResult("schema")
	m.Table = c.lenencResult("table")
	m.OrgTable = c.lenencResult("org_table")
	m.Name = c.lenencResult("name")
	m.OrgName = c.lenencResult("org_name")
	if cx.has(MariaDBExtendedMetadata) {
		m.Extended = c.lenencBytes("extended_metadata")
		c.note(func() string {
			if ext := m.Ext(); ext != "" {
				return strconv.Quote(ext)
			}
			return showBytes(m.Extended)
		})
	}
	n := c.length("length_of_fixed_fields")
	if n < 12 && c.err == nil {
		c.failf("fixed part of %d bytes, want 12", n)
		return
	}
	m.Collation = c.uint16("collation")
	c.note(collationName(m.Collation, cx != nil && cx.MariaDB))
	m.Length = c.uint32("column_length")
	m.Type = value.Type(c.uint8("type"))
	c.note(m.Type.String)
	m.Flags = ColumnFlags(c.uint16("flags"))
	m.Decimals = c.uint8("decimals")
	m.fixed = c.bytes("reserved", n-10)
	if cx != nil && cx.Command == ComFieldList && c.left() > 0 {
		if b, _ := c.peek(); b == 0xfb {
			c.uint8("default")
			c.note(func() string { return "NULL" })
		} else {
			m.Default = c.lenencBytes("default")
			c.note(func() string { return strconv.Quote(string(m.Default)) })
		}
	}
	m.Rest = c.rest("rest")
}

func (m *Column) Encode(dst []byte, cx *Context) ([]byte, error) {
	for _, s := range []string{m.Catalog, m.Schema, m.Table, m.OrgTable, m.Name, m.OrgName} {
		dst = AppendLenencString(dst, s)
	}
	if cx.has(MariaDBExtendedMetadata) {
		dst = AppendLenencString(dst, m.Extended)
	}
	fixed := m.fixed
	if fixed == nil {
		fixed = []byte{0, 0}
	}
	dst = AppendLenenc(dst, uint64(10+len(fixed)))
	dst = binary.LittleEndian.AppendUint16(dst, m.Collation)
	dst = binary.LittleEndian.AppendUint32(dst, m.Length)
	dst = append(dst, byte(m.Type), byte(m.Flags), byte(m.Flags>>8), m.Decimals)
	dst = append(dst, fixed...)
	if cx != nil && cx.Command == ComFieldList && len(m.Rest) == 0 {
		if m.Default == nil {
			dst = append(dst, 0xfb)
		} else {
			dst = AppendLenencString(dst, m.Default)
		}
	}
	return append(dst, m.Rest...), nil
}
