package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mydbg/mysqlwire/value"
)

// BulkFlags are the flags of a COM_STMT_BULK_EXECUTE.
type BulkFlags uint16

const (
	BulkUnitResults BulkFlags = 64  // answer with a result set, one row per row sent
	BulkSendTypes   BulkFlags = 128 // types follow
)

func (f BulkFlags) String() string {
	var names []string
	if f&BulkSendTypes != 0 {
		names = append(names, "SEND_TYPES_TO_SERVER")
	}
	if f&BulkUnitResults != 0 {
		names = append(names, "SEND_UNIT_RESULTS")
	}
	if f &^= BulkSendTypes | BulkUnitResults; f != 0 || names == nil {
		names = append(names, strconv.Itoa(int(f)))
	}
	return strings.Join(names, " ")
}

// BulkIndicator says what a bulk execute has for one parameter of one row.
type BulkIndicator uint8

const (
	BulkValueFollows BulkIndicator = iota
	BulkNull
	BulkDefault
	BulkIgnore
)

func (i BulkIndicator) String() string {
	if names := [...]string{"value", "NULL", "DEFAULT", "IGNORE"}; int(i) < len(names) {
		return names[i]
	}
	return "indicator " + itoa(int(i))
}

// BulkType is the type of one parameter of a bulk execute.
type BulkType struct {
	Type     value.Type
	Unsigned bool
	typeBits uint8 // second byte without the sign
}

// BulkValue is one parameter of one row.
type BulkValue struct {
	Indicator BulkIndicator
	Raw       []byte // binary form, with BulkValueFollows only
}

// Value is the value of a parameter of type t; nil unless BulkValueFollows.
func (v BulkValue) Value(t BulkType) (value.Value, error) {
	if v.Indicator != BulkValueFollows {
		return nil, nil
	}
	return v.param(t).Value()
}

// Text is the value for a person, or the indicator's name.
func (v BulkValue) Text(t BulkType) string { return v.Literal(t, nil) }

// Literal is Text for a text in the character set of the client.
func (v BulkValue) Literal(t BulkType, cx *Context) string {
	if v.Indicator != BulkValueFollows {
		return v.Indicator.String()
	}
	return v.param(t).Literal(cx)
}

func (v BulkValue) param(t BulkType) *ExecParam {
	return &ExecParam{Type: t.Type, Unsigned: t.Unsigned, Raw: v.Raw}
}

// StmtBulkExecute is MariaDB's COM_STMT_BULK_EXECUTE: one statement, many rows of parameters.
type StmtBulkExecute struct {
	StmtID uint32
	Flags  BulkFlags
	Types  []BulkType    // one per parameter; on the wire with BulkSendTypes
	Rows   [][]BulkValue // as long as Types, each
	// Undecoded is all after Flags when the context does not know the statement or its types.
	Undecoded []byte
}

func (m *StmtBulkExecute) Kind() Kind { return KindStmtBulkExecute }
func (m *StmtBulkExecute) Decode(src []byte, cx *Context) error {
	*m = StmtBulkExecute{}
	return decode(m, src, cx)
}
func (m *StmtBulkExecute) fromClient() {}

// WithValue is a copy in which parameter i of a row (both from 0) has value v; nil is NULL. The type is that
// of all rows and stays.
func (m *StmtBulkExecute) WithValue(row, i int, v value.Value) (*StmtBulkExecute, error) {
	if row < 0 || row >= len(m.Rows) || i < 0 || i >= len(m.Rows[row]) {
		return nil, fmt.Errorf("there is no parameter %d of row %d", i+1, row+1)
	}
	to := BulkValue{Indicator: BulkNull}
	if v != nil {
		raw, err := value.AppendBinary(nil, m.Types[i].Type, m.Types[i].Unsigned, v)
		if err != nil {
			return nil, err
		}
		to = BulkValue{Indicator: BulkValueFollows, Raw: raw}
	}
	b := *m
	b.Rows = slices.Clone(m.Rows)
	b.Rows[row] = slices.Clone(m.Rows[row])
	b.Rows[row][i] = to
	return &b, nil
}

// WithTypes is a copy that sends its types, for a server that does not know them. Types and Rows must
// have been decoded.
func (m *StmtBulkExecute) WithTypes() *StmtBulkExecute {
	typed := *m
	typed.Flags |= BulkSendTypes
	return &typed
}

func (m *StmtBulkExecute) decode(c *cursor, cx *Context) {
	c.command(ComStmtBulkExecute)
	m.StmtID = c.uint32("statement_id")
	m.Flags = BulkFlags(c.uint16("bulk_flags"))
	c.note(m.Flags.String)
	if cx == nil || !cx.ParamsKnown || !m.decodeTypes(c, cx.Params) {
		m.Undecoded = c.rest("parameters")
		return
	}
	for row := 1; c.left() > 0; row++ {
		m.decodeRow(c, row)
	}
}

// decodeTypes reports whether rows can be read. Nothing has been read when they cannot.
func (m *StmtBulkExecute) decodeTypes(c *cursor, known []Param) bool {
	if len(known) == 0 {
		return false
	}
	if m.Flags&BulkSendTypes == 0 {
		for _, p := range known {
			if !p.Bound {
				m.Types = nil
				return false
			}
			m.Types = append(m.Types, BulkType{Type: p.Type, Unsigned: p.Unsigned})
		}
		return true
	}
	defer c.group("parameter_types")()
	for range known {
		t := BulkType{Type: value.Type(c.uint8("parameter_type"))}
		c.note(t.Type.String)
		flag := c.uint8("parameter_flag")
		t.Unsigned, t.typeBits = flag&unsignedBit != 0, flag&^unsignedBit
		if c.err != nil {
			break
		}
		m.Types = append(m.Types, t)
	}
	return true
}

func (m *StmtBulkExecute) decodeRow(c *cursor, row int) {
	if c.trace != nil {
		defer c.group("row " + itoa(row))()
	}
	vs := make([]BulkValue, 0, min(len(m.Types), c.left()))
	for i, t := range m.Types {
		v := BulkValue{Indicator: BulkIndicator(c.uint8("parameter_indicator"))}
		c.note(v.Indicator.String)
		switch {
		case v.Indicator > BulkIgnore:
			c.failf("parameter_indicator is %d", v.Indicator)
		case v.Indicator == BulkValueFollows:
			v.Raw = c.binaryValue(i, v.param(t))
		}
		if c.err != nil {
			return
		}
		vs = append(vs, v)
	}
	m.Rows = append(m.Rows, vs)
}

func (m *StmtBulkExecute) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, byte(ComStmtBulkExecute))
	dst = binary.LittleEndian.AppendUint32(dst, m.StmtID)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(m.Flags))
	if m.Undecoded != nil {
		return append(dst, m.Undecoded...), nil
	}
	if m.Flags&BulkSendTypes != 0 {
		for _, t := range m.Types {
			flag := t.typeBits
			if t.Unsigned {
				flag |= unsignedBit
			}
			dst = append(dst, byte(t.Type), flag)
		}
	}
	for _, row := range m.Rows {
		for _, v := range row {
			dst = append(dst, byte(v.Indicator))
			if v.Indicator == BulkValueFollows {
				dst = append(dst, v.Raw...)
			}
		}
	}
	return dst, nil
}
