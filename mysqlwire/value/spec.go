package value

import (
	"strconv"
	"strings"
)

// Column flags that matter to values.
const (
	FlagUnsigned uint16 = 0x0020
	FlagZerofill uint16 = 0x0040
	FlagEnum     uint16 = 0x0100
	FlagSet      uint16 = 0x0800
)

// Spec is what is known of a column or a parameter. Its Format and Parse are inverse to each other,
// and meant for cells that a person edits.
type Spec struct {
	Type     Type
	Flags    uint16
	Binary   bool    // bytes, not text, in a type of strings
	Length   uint32  // characters or bits; 0 is not known
	Decimals uint8   // NoDecimals if not fixed or not known
	Charset  Charset // of text; nil is UTF-8
	Ext      string  // of MariaDB: what a string or a geometry is, such as uuid, inet6, json, point; "" is plain
}

func (s Spec) unsigned() bool { return s.Flags&FlagUnsigned != 0 }

// TypeName is the type in words of SQL, "BIGINT UNSIGNED" for example. length counts characters,
// 0 is not known.
func TypeName(t Type, flags uint16, binary bool, length uint32) string {
	return Spec{Type: t, Flags: flags, Binary: binary, Length: length, Decimals: NoDecimals}.Name()
}

// Name is TypeName with the decimals of DECIMAL and times.
func (s Spec) Name() string {
	if s.Ext != "" {
		return strings.ToUpper(s.Ext)
	}
	switch s.Type.class() {
	case integer:
		if s.Type == Year {
			return "YEAR"
		}
		return s.signed(integerNames[s.Type])
	case float:
		return s.signed(s.Type.String())
	case decimal:
		return s.signed("DECIMAL" + s.precision())
	case moment, clock:
		if s.Decimals >= 1 && s.Decimals <= 6 {
			return s.Type.String() + "(" + strconv.Itoa(int(s.Decimals)) + ")"
		}
		return s.Type.String()
	case bytes:
		return s.stringName()
	}
	return s.Type.String()
}

var integerNames = map[Type]string{
	Tiny: "TINYINT", Short: "SMALLINT", Int24: "MEDIUMINT", Long: "INT", LongLong: "BIGINT",
}

func (s Spec) signed(name string) string {
	if s.unsigned() {
		return name + " UNSIGNED"
	}
	return name
}

// precision undoes what servers add to the length: room for a sign and a point.
func (s Spec) precision() string {
	if s.Length == 0 || s.Decimals >= NoDecimals {
		return ""
	}
	n := s.Length
	if !s.unsigned() {
		n--
	}
	if s.Decimals > 0 && n > 0 {
		n--
	}
	return "(" + strconv.Itoa(int(n)) + "," + strconv.Itoa(int(s.Decimals)) + ")"
}

func (s Spec) stringName() string {
	switch {
	case s.Flags&FlagEnum != 0:
		return "ENUM"
	case s.Flags&FlagSet != 0:
		return "SET"
	}
	size := ""
	if s.Length > 0 {
		size = "(" + strconv.FormatUint(uint64(s.Length), 10) + ")"
	}
	switch s.Type {
	case VarChar, VarString:
		if s.Binary {
			return "VARBINARY" + size
		}
		return "VARCHAR" + size
	case String:
		if s.Binary {
			return "BINARY" + size
		}
		return "CHAR" + size
	case Bit:
		return "BIT" + size
	case TinyBlob, Blob, MediumBlob, LongBlob:
		kind := "TEXT"
		if s.Binary {
			kind = "BLOB"
		}
		return s.blobSize() + kind
	}
	return s.Type.String()
}

// blobSize tells TINY, MEDIUM and LONG by length: result sets have all of them as BLOB. Servers
// round the length of TEXT down to whole characters.
func (s Spec) blobSize() string {
	switch {
	case s.Type == TinyBlob:
		return "TINY"
	case s.Type == MediumBlob:
		return "MEDIUM"
	case s.Type == LongBlob:
		return "LONG"
	case s.Length == 0:
		return ""
	case s.Length <= 255:
		return "TINY"
	case s.Length <= 65535:
		return ""
	case s.Length <= 1<<24-1:
		return "MEDIUM"
	}
	return "LONG"
}

// Format is a value as a person reads and edits it: numbers for BIT, a list for VECTOR, WKT
// for GEOMETRY, hexadecimal for bytes that are no text and for types nobody knows. NULL is the text NULL, which Parse takes for a string.
func (s Spec) Format(v Value) string {
	b, ok := v.([]byte)
	if !ok {
		text := Text(v, s.Type, s.Decimals)
		if s.Flags&FlagZerofill != 0 && s.Type.class() == integer && !strings.HasPrefix(text, "-") { // servers have none below 0
			text = pad(text, int(min(s.Length, 255)))
		}
		return text
	}
	switch {
	case s.Type == Bit:
		return s.formatBit(b)
	case s.Type == Vector:
		return formatVector(b)
	case s.Type == Geometry:
		if text, ok := formatGeometry(b); ok {
			return text
		}
		return hexText(b)
	case s.Type.class() == unknown, s.Binary && (!printable(b) || len(b) > 1 && b[0] == '0' && b[1]|0x20 == 'x'):
		return hexText(b)
	}
	return s.text(b)
}

// text is b as UTF-8, hexadecimal where it could not be made b again.
func (s Spec) text(b []byte) string {
	if s.Charset == nil || s.Binary {
		return string(b)
	}
	text, ok := s.Charset.Decode(b)
	if !ok {
		if again, err := s.Charset.Encode(text); err != nil || string(again) != string(b) {
			return hexText(b)
		}
	}
	return text
}

func pad(digits string, width int) string {
	for len(digits) < width {
		digits = "0" + digits
	}
	return digits
}
