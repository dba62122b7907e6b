package modules

import (
	"encoding/binary"
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// Types of the parameters of a prepared statement, as they are on the wire.
const (
	typeTiny       = 1
	typeShort      = 2
	typeLong       = 3
	typeFloat      = 4
	typeDouble     = 5
	typeNull       = 6
	typeTimestamp  = 7
	typeLongLong   = 8
	typeInt24      = 9
	typeDate       = 10
	typeTime       = 11
	typeDatetime   = 12
	typeNewDecimal = 246
	typeTinyBlob   = 249
	typeMediumBlob = 250
	typeLongBlob   = 251
	typeBlob       = 252
	typeVarString  = 253
	typeString     = 254
)

func fromPrepare(p *packet, r result) {
	p.tag(0x16, "it is no COM_STMT_PREPARE")
	r.str("stmt_text", p.rest)
}

func fromPrepareOK(p *packet, r result) {
	p.tag(0, "it is no answer to COM_STMT_PREPARE")
	r.num("stmt_id", p.uint(4, "stmt_id is missing"))
	r.num("num_columns", p.uint(2, "num_columns is missing"))
	r.num("num_params", p.uint(2, "num_params is missing"))
	p.bytes(1, "warnings is missing")
	r.num("warnings", p.uint(2, "warnings is missing"))
}

func fromClose(p *packet, r result) {
	p.tag(0x19, "it is no COM_STMT_CLOSE")
	r.num("stmt_id", p.uint(4, "stmt_id is missing"))
}

func executeID(l *lua.LState) int {
	p := packet{rest: stringArg(l, 1)}
	p.tag(0x17, "it is no COM_STMT_EXECUTE")
	id := p.uint(4, "stmt_id is missing")
	p.done(l, "stmt_id_from_stmt_execute_packet")
	l.Push(lua.LNumber(id))
	return 1
}

func fromExecute(l *lua.LState) int {
	p, r := packet{rest: stringArg(l, 1)}, result{l.NewTable()}
	n := integerArg(l, 2)
	if n < 0 || n > math.MaxUint16 {
		badArg(l, 2, "a number of parameters from 0 to 65535 expected")
	}
	p.tag(0x17, "it is no COM_STMT_EXECUTE")
	r.num("stmt_id", p.uint(4, "stmt_id is missing"))
	r.num("flags", p.uint(1, "flags is missing"))
	r.num("iteration_count", p.uint(4, "iteration_count is missing"))
	bound := false
	if n > 0 {
		nulls := p.bytes((n+7)/8, "the NULL flags are cut")
		bound = p.uint(1, "new_params_bound is missing") == 1
		if bound && p.bad == "" {
			r.t.RawSetString("params", parameters(l, &p, nulls, n))
		}
	}
	p.done(l, "from_stmt_execute_packet")
	r.t.RawSetString("new_params_bound", lua.LBool(bound))
	l.Push(r.t)
	return 1
}

func parameters(l *lua.LState, p *packet, nulls string, n int) *lua.LTable {
	types := p.bytes(2*n, "the types of the parameters are cut")
	list := l.CreateTable(n, 0)
	for i := 0; i < n && p.bad == ""; i++ {
		one := l.NewTable()
		one.RawSetString("type", lua.LNumber(types[2*i]))
		if nulls[i/8]>>(i%8)&1 == 0 {
			one.RawSetString("value", parameter(l, p, types[2*i]))
		}
		list.Append(one)
	}
	return list
}

// parameter takes one value. Numbers up to 32 bits are unsigned whatever the statement says, as in the
// original.
func parameter(l *lua.LState, p *packet, kind byte) lua.LValue {
	const cut = "a parameter is cut"
	switch kind {
	case typeTiny:
		return lua.LNumber(p.uint(1, cut))
	case typeShort:
		return lua.LNumber(p.uint(2, cut))
	case typeLong:
		return lua.LNumber(p.uint(4, cut))
	case typeLongLong:
		return lua.LNumber(int64(p.uint(8, cut)))
	case typeFloat:
		return lua.LNumber(math.Float32frombits(uint32(p.uint(4, cut))))
	case typeDouble:
		return lua.LNumber(math.Float64frombits(p.uint(8, cut)))
	case typeBlob, typeMediumBlob, typeLongBlob, typeString, typeVarString:
		return lua.LString(p.lenencString(cut))
	case typeDate, typeDatetime, typeTimestamp:
		return lua.LString(p.date(kind == typeDate))
	case typeTime:
		return lua.LString(p.time())
	case typeNull:
		return lua.LNil
	case typeTinyBlob, typeInt24, typeNewDecimal:
		l.RaiseError("can't decode type %d yet", kind)
	}
	p.fail(fmt.Sprintf("a parameter is of type %d", kind))
	return lua.LNil
}

// moment takes the length and the bytes of a date or a time, which leave out zeros at the end.
func (p *packet) moment() (b [12]byte) {
	const cut = "a date is cut"
	n := p.uint(1, cut)
	if n > uint64(len(b)) {
		p.fail("a date is too long")
		return b
	}
	copy(b[:], p.bytes(int(n), cut))
	return b
}

// date writes microseconds with nine digits, as the original does.
func (p *packet) date(only bool) string {
	b := p.moment()
	s := fmt.Sprintf("%04d-%02d-%02d", binary.LittleEndian.Uint16(b[:]), b[2], b[3])
	if only {
		return s
	}
	return s + fmt.Sprintf(" %02d:%02d:%02d.%09d", b[4], b[5], b[6], binary.LittleEndian.Uint32(b[7:]))
}

func (p *packet) time() string {
	b := p.moment()
	sign := ""
	if b[0] != 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%d %02d:%02d:%02d.%09d", sign, binary.LittleEndian.Uint32(b[1:]), b[5], b[6], b[7], binary.LittleEndian.Uint32(b[8:]))
}
