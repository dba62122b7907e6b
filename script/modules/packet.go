package modules

import (
	"encoding/binary"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// packet reads what Lua gives to a decoder. Its first failure sticks.
type packet struct {
	rest string
	bad  string // what was being read when the packet ended
}

// bytes takes n bytes, zeros where there are fewer.
func (p *packet) bytes(n int, what string) string {
	if p.bad != "" || n < 0 || n > len(p.rest) {
		p.fail(what)
		return ""
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

func (p *packet) fail(what string) {
	if p.bad == "" {
		p.bad = what
	}
}

// tag takes a byte that has to be c.
func (p *packet) tag(c byte, what string) {
	if p.uint(1, what) != uint64(c) {
		p.fail(what)
	}
}

// uint takes a number of n bytes.
func (p *packet) uint(n int, what string) uint64 {
	var b [8]byte
	copy(b[:], p.bytes(n, what))
	return binary.LittleEndian.Uint64(b[:])
}

// lenenc takes a length-encoded number.
func (p *packet) lenenc(what string) uint64 {
	switch n := p.uint(1, what); n {
	case 0xfb, 0xff:
		p.fail(what)
		return 0
	case 0xfc:
		return p.uint(2, what)
	case 0xfd:
		return p.uint(3, what)
	case 0xfe:
		return p.uint(8, what)
	default:
		return n
	}
}

func (p *packet) lenencString(what string) string {
	n := p.lenenc(what)
	if n > uint64(len(p.rest)) {
		p.fail(what)
		return ""
	}
	return p.bytes(int(n), what)
}

// terminated takes the text before a NUL.
func (p *packet) terminated(what string) string {
	i := strings.IndexByte(p.rest, 0)
	if i < 0 {
		p.fail(what)
		return ""
	}
	s := p.bytes(i, what)
	p.bytes(1, what)
	return s
}

// upToNUL takes the text before a NUL, or all there is.
func (p *packet) upToNUL() string {
	s, rest, _ := strings.Cut(p.rest, "\x00")
	p.rest = rest
	return s
}

// done raises an error if the packet was not what it should be.
func (p *packet) done(l *lua.LState, fn string) {
	if p.bad != "" {
		l.RaiseError("%s() failed: %s", fn, p.bad)
	}
}

// result is the table a decoder makes.
type result struct {
	t *lua.LTable
}

func (r result) num(name string, n uint64) { r.t.RawSetString(name, lua.LNumber(n)) }

// str sets a text that is not empty.
func (r result) str(name, s string) {
	if s != "" {
		r.t.RawSetString(name, lua.LString(s))
	}
}

// fields is the table an encoder is given.
type fields struct {
	l *lua.LState
	t *lua.LTable
}

func (f fields) get(name string) lua.LValue { return f.l.GetField(f.t, name) }

// num is an integer field; what is no number is 0.
func (f fields) num(name string, other uint64) uint64 {
	v := f.get(name)
	if v == lua.LNil {
		return other
	}
	n, _ := lua51.Number(v)
	return lua51.Unsigned(n)
}

func (f fields) str(name string) string {
	s, _ := lua51.Text(f.get(name))
	return s
}

func appendUint(b []byte, n uint64, size int) []byte {
	return append(b, binary.LittleEndian.AppendUint64(nil, n)[:size]...)
}

func appendLenenc(b []byte, n uint64) []byte {
	switch {
	case n < 0xfb:
		return append(b, byte(n))
	case n < 1<<16:
		return appendUint(append(b, 0xfc), n, 2)
	case n < 1<<24:
		return appendUint(append(b, 0xfd), n, 3)
	}
	return appendUint(append(b, 0xfe), n, 8)
}

func appendNUL(b []byte, s string) []byte { return append(append(b, s...), 0) }
