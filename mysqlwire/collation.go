package mysqlwire

import "mydbg/mysqlwire/value"

// charLen is the most bytes a character takes in a collation's character set; servers multiply
// column lengths by it. 1 for collations not known.
func charLen(collation uint16) uint32 {
	c := collation
	if c >= 1024 && c < 2048 { // MariaDB's without padding, counted like those with
		c -= 1024
	}
	switch {
	case c == 45 || c == 46 || c >= 224 && c <= 247 || c >= 255 && c <= 323: // utf8mb4
		return 4
	case c == 54 || c == 55 || c == 56 || c == 62 || c >= 101 && c <= 124: // utf16
		return 4
	case c == 60 || c == 61 || c >= 160 && c <= 183 || c >= 248 && c <= 250: // utf32, gb18030
		return 4
	case c == 33 || c == 83 || c == 76 || c >= 192 && c <= 215 || c == 223: // utf8mb3
		return 3
	case c == 12 || c == 91 || c == 97 || c == 98: // ujis, eucjpms
		return 3
	case c == 35 || c == 90 || c >= 128 && c <= 151 || c == 159: // ucs2
		return 2
	case c == 1 || c == 84 || c == 13 || c == 88 || c == 19 || c == 85 || c == 24 || c == 86 || c == 28 || c == 87 || c == 95 || c == 96:
		return 2 // big5, sjis, euckr, gb2312, gbk, cp932
	case c >= 576 && c <= 578 || c >= 2048 && c < 2304: // MariaDB, utf8mb3
		return 3
	case c >= 608 && c <= 610 || c >= 2304 && c < 2560: // MariaDB, utf8mb4
		return 4
	case c >= 640 && c <= 642 || c >= 2560 && c < 2816: // MariaDB, ucs2
		return 2
	case c >= 672 && c <= 674 || c >= 736 && c <= 738 || c >= 2816 && c < 3328: // MariaDB, utf16 and utf32
		return 4
	}
	return 1
}

// Spec is what package value wants to know of the column.
func (m *Column) Spec() value.Spec {
	s := value.Spec{Type: m.Type, Flags: uint16(m.Flags), Decimals: m.Decimals, Length: m.Length}
	switch m.Type {
	case value.VarChar, value.VarString, value.String, value.Enum, value.Set, value.JSON,
		value.TinyBlob, value.MediumBlob, value.LongBlob, value.Blob:
		s.Binary = m.IsBinary() && m.Type != value.JSON
		s.Length = m.Length / charLen(m.Collation)
	}
	return s
}

// TypeName is the column's type in words of SQL: BIGINT UNSIGNED, VARCHAR(80), TEXT, ENUM.
func (m *Column) TypeName() string { return m.Spec().Name() }
