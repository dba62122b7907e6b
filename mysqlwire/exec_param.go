package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"mydbg/mysqlwire/value"
)

// ExecParam is one value of a COM_STMT_EXECUTE, or one query attribute. It keeps the value as it is
// on the wire: what nobody edits leaves as it came.
type ExecParam struct {
	Name     string // query attributes have one, parameters an empty one
	Type     value.Type
	Unsigned bool
	Null     bool
	Long     bool   // sent before by COM_STMT_SEND_LONG_DATA: Raw is empty
	Raw      []byte // binary form, with its length if the type has one
	typeBits uint8  // second byte of the type without the sign
}

// QueryAttr is a query attribute. On the wire it is a parameter with a name.
type QueryAttr = ExecParam

const unsignedBit = 0x80

// NewExecParam makes a parameter of v. A nil v is NULL.
func NewExecParam(name string, t value.Type, unsigned bool, v value.Value) (ExecParam, error) {
	p := ExecParam{Name: name, Type: t, Unsigned: unsigned}
	err := p.Set(v)
	return p, err
}

// Value is the parameter's value; nil is NULL. The bytes of a Long one are elsewhere: it is nil too.
func (p *ExecParam) Value() (value.Value, error) {
	if p.Null || p.Long {
		return nil, nil
	}
	v, n, err := value.ReadBinary(p.Raw, p.Type, p.Unsigned)
	if err != nil {
		return nil, err
	}
	if n != len(p.Raw) {
		return nil, fmt.Errorf("%s of %d bytes is followed by %d more", p.Type, n, len(p.Raw)-n)
	}
	return v, nil
}

// Set replaces the value, keeping name and type. A nil v makes it NULL.
func (p *ExecParam) Set(v value.Value) error {
	if v == nil {
		p.Null, p.Long, p.Raw = true, false, nil
		return nil
	}
	raw, err := value.AppendBinary(nil, p.Type, p.Unsigned, v)
	if err != nil {
		return err
	}
	p.Null, p.Long, p.Raw = false, false, raw
	return nil
}

// shownBytes is how much of a text String shows.
const shownBytes = 256

// String is the value for a person: a literal of SQL, cut off when it is long.
func (p *ExecParam) String() string { return p.Literal(nil) }

// Literal is String for a text in the character set of the client.
func (p *ExecParam) Literal(cx *Context) string {
	if p.Long {
		return "long data"
	}
	v, err := p.Value()
	if err != nil {
		return showBytes(p.Raw)
	}
	spec := cx.ParamSpec(p.Type, p.Unsigned)
	spec.Binary = false // text is sent as BLOB too
	b, ok := v.([]byte)
	if !ok || len(b) <= shownBytes {
		return spec.Literal(v)
	}
	n, text := len(b), value.DecodeText(spec.Charset, b)
	spec.Charset = nil
	cut := min(shownBytes, len(text)-1)
	for cut > shownBytes-utf8.UTFMax && cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return spec.Literal([]byte(text[:cut])) + fmt.Sprintf("… (%d bytes)", n)
}

// execParams reads n parameters: NULL bitmap, whether types follow, types with names if named, and
// values. Without types they have those of known, whose Long marks count in both cases.
func (c *cursor) execParams(n int, named bool, known []Param) (list []ExecParam, bound bool) {
	if n == 0 {
		return nil, false
	}
	bitmap := c.bytes("null_bitmap", (n+7)/8)
	c.note(func() string { return showNulls(bitmap, n) })
	switch b := c.uint8("new_params_bind_flag"); {
	case c.err != nil:
		return nil, false
	case b > 1:
		c.failf("new_params_bind_flag is %d", b)
		return nil, false
	case b == 1:
		bound = true
		if n > c.left()/2 {
			c.failf("%d parameter types want %d bytes, %d left", n, 2*n, c.left())
			return nil, true
		}
	case n > len(known):
		c.failf("%d parameters without types, %d known", n, len(known))
		return nil, false
	}
	list = make([]ExecParam, n)
	c.execTypes(list, bound, named, known)
	c.execValues(list, bitmap, known)
	if c.err != nil {
		return nil, bound
	}
	return list, bound
}

func (c *cursor) execTypes(list []ExecParam, bound, named bool, known []Param) {
	if !bound {
		for i := range list {
			if !known[i].Bound {
				c.failf("type of parameter %d is not known", i+1)
				return
			}
			list[i].Type, list[i].Unsigned = known[i].Type, known[i].Unsigned
		}
		return
	}
	defer c.group("parameter_types")()
	for i := range list {
		p := &list[i]
		t := c.uint16("parameter_type")
		p.Type, p.Unsigned, p.typeBits = value.Type(t), t>>8&unsignedBit != 0, uint8(t>>8)&^unsignedBit
		c.note(p.typeName)
		if named {
			p.Name = c.lenencText("parameter_name")
		}
	}
}

func (c *cursor) execValues(list []ExecParam, bitmap []byte, known []Param) {
	if c.err != nil {
		return
	}
	defer c.group("parameter_values")()
	for i := range list {
		p := &list[i]
		p.Null = bitmap[i/8]>>(i%8)&1 != 0
		p.Long = i < len(known) && known[i].Long
		if p.Null || p.Long {
			continue
		}
		p.Raw = c.binaryValue(i, p)
		if c.err != nil {
			return
		}
	}
}

// binaryValue reads parameter i, whose type is known, as one field.
func (c *cursor) binaryValue(i int, p *ExecParam) []byte {
	if c.err != nil {
		return nil
	}
	n, ok := binaryLen(c.b[c.off:], p.Type)
	if !ok {
		c.failf("parameter %d, %s, wants %d bytes, %d left", i+1, p.Type, n, c.left())
		return nil
	}
	name := "parameter " + itoa(i+1)
	if p.Name != "" {
		name = p.Name
	}
	return c.take(name, n, func(b []byte) string {
		shown := *p
		shown.Raw = b
		return p.typeName() + " " + shown.Literal(c.cx)
	})
}

// binaryLen is how many bytes the binary form of a value of type t takes. It does not look at what
// the bytes mean: a value nobody understands still has a length.
func binaryLen(b []byte, t value.Type) (n int, ok bool) {
	switch t {
	case value.Null:
		return 0, true
	case value.Tiny:
		n = 1
	case value.Short, value.Year:
		n = 2
	case value.Long, value.Int24, value.Float:
		n = 4
	case value.LongLong, value.Double:
		n = 8
	case value.Date, value.DateTime, value.Timestamp, value.Time:
		n = 1
		if len(b) > 0 {
			n += int(b[0])
		}
	default:
		size, head, isInt := ReadLenenc(b)
		if !isInt || size > uint64(len(b)-head) {
			return head, false
		}
		n = head + int(size)
	}
	return n, n <= len(b)
}

func (p *ExecParam) typeName() string {
	if p.Unsigned {
		return p.Type.String() + " unsigned"
	}
	return p.Type.String()
}

func showNulls(bitmap []byte, n int) string {
	return nullNames(n, func(i int) bool { return bitmap[i/8]>>(i%8)&1 != 0 }, func(i int) string { return itoa(i + 1) })
}

// nullNames lists what is NULL of n things, the first few by name: a hostile packet has a great many.
func nullNames(n int, null func(int) bool, name func(int) string) string {
	const most = 64
	var s strings.Builder
	count := 0
	for i := range n {
		if !null(i) {
			continue
		}
		if count++; count <= most {
			s.WriteByte(' ')
			s.WriteString(name(i))
		}
	}
	switch {
	case count == 0:
		return "none"
	case count > most:
		return "NULL:" + s.String() + " and " + itoa(count-most) + " more"
	}
	return "NULL:" + s.String()
}

// appendExecParams writes what execParams reads.
func appendExecParams(dst []byte, list []ExecParam, bound, named bool) []byte {
	if len(list) == 0 {
		return dst
	}
	off := len(dst)
	dst = append(dst, make([]byte, (len(list)+7)/8)...)
	for i, p := range list {
		if p.Null {
			dst[off+i/8] |= 1 << (i % 8)
		}
	}
	if !bound {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		for _, p := range list {
			t := uint16(p.Type) | uint16(p.typeBits)<<8
			if p.Unsigned {
				t |= unsignedBit << 8
			}
			dst = binary.LittleEndian.AppendUint16(dst, t)
			if named {
				dst = AppendLenencString(dst, p.Name)
			}
		}
	}
	for _, p := range list {
		if !p.Null && !p.Long {
			dst = append(dst, p.Raw...)
		}
	}
	return dst
}
