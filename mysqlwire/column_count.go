package mysqlwire

import "fmt"

// ColumnCount begins a result set.
type ColumnCount struct {
	Count uint64
	// Metadata is on the wire where OptionalResultsetMetadata or MariaDBCacheMetadata is agreed: 0
	// says that no column definitions follow.
	Metadata uint8
	Rest     []byte
	short    bool // came without the agreed byte
}

func (m *ColumnCount) Kind() Kind { return KindColumnCount }
func (m *ColumnCount) Decode(src []byte, cx *Context) error {
	*m = ColumnCount{}
	return decode(m, src, cx)
}
func (m *ColumnCount) fromServer() {}

// hasMetadataFlag reports whether column counts say if definitions follow.
func (cx *Context) hasMetadataFlag() bool {
	return cx.has(OptionalResultsetMetadata) || cx.has(MariaDBCacheMetadata)
}

// Definitions reports whether column definitions follow.
func (m *ColumnCount) Definitions() bool { return m.Metadata != 0 }

func (m *ColumnCount) decode(c *cursor, cx *Context) {
	m.Count = c.lenenc("column_count")
	m.Metadata = 1
	if cx.hasMetadataFlag() {
		if m.short = c.left() == 0; !m.short {
			m.Metadata = c.uint8("metadata_follows")
		}
	}
	m.Rest = c.rest("rest")
}

// Encode fails when the count is 0, which would be an OK, and when definitions are left out where
// that is not agreed.
func (m *ColumnCount) Encode(dst []byte, cx *Context) ([]byte, error) {
	flag := cx.hasMetadataFlag()
	switch {
	case m.Count == 0:
		return dst, fmt.Errorf("encode %s: a result set has one column at least", KindColumnCount)
	case !flag && m.Metadata == 0:
		return dst, fmt.Errorf("encode %s: leaving out the definitions is not agreed", KindColumnCount)
	}
	dst = AppendLenenc(dst, m.Count)
	if flag && !m.short {
		dst = append(dst, m.Metadata)
	}
	return append(dst, m.Rest...), nil
}
