package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"mydbg/mysqlwire/value"
)

// cursor reads a payload field by field. Its first failure sticks: later reads return zero
// values, and done reports it. Names cost nothing unless a trace is attached.
type cursor struct {
	b     []byte
	off   int
	err   *DecodeError
	trace *trace
	cx    *Context // under a trace: says how texts are shown
}

// trace collects fields as the cursor reads them.
type trace struct {
	top  []Field
	open []Field // groups begun and not ended, outermost first
}

func (t *trace) add(f Field) {
	if n := len(t.open); n > 0 {
		t.open[n-1].Children = append(t.open[n-1].Children, f)
	} else {
		t.top = append(t.top, f)
	}
}

func (t *trace) end(off int) {
	n := len(t.open) - 1
	g := t.open[n]
	t.open = t.open[:n]
	g.Len = off - g.Off
	t.add(g)
}

func (t *trace) finish(off int) []Field {
	for len(t.open) > 0 {
		t.end(off)
	}
	return t.top
}

// decode runs m's decoder over all of src.
func decode(m Message, src []byte, cx *Context) error {
	c := cursor{b: src}
	m.decode(&c, cx)
	return c.done(m.Kind())
}

// done reports the first failure. Bytes left over are a failure too: a decoder that tolerates
// them ends with rest.
func (c *cursor) done(k Kind) error {
	if c.err == nil && c.off < len(c.b) {
		c.fail(strconv.Itoa(len(c.b)-c.off) + " bytes left over")
	}
	if c.err == nil {
		return nil
	}
	c.err.Kind = k
	return c.err
}

func (c *cursor) fail(msg string) {
	if c.err == nil {
		c.err = &DecodeError{Off: c.off, Msg: msg}
	}
}

func (c *cursor) failf(format string, args ...any) {
	if c.err == nil {
		c.fail(fmt.Sprintf(format, args...))
	}
}

// left is how many bytes have not been read; 0 after a failure.
func (c *cursor) left() int {
	if c.err != nil {
		return 0
	}
	return len(c.b) - c.off
}

// peek is the next byte without reading it.
func (c *cursor) peek() (byte, bool) {
	if c.left() == 0 {
		return 0, false
	}
	return c.b[c.off], true
}

// group opens a named group of fields; the returned function closes it.
func (c *cursor) group(name string) func() {
	if c.trace == nil {
		return func() {}
	}
	c.trace.open = append(c.trace.open, Field{Name: name, Off: c.off})
	return func() { c.trace.end(c.off) }
}

// note replaces the value shown for the field read last. The text is only made under a trace.
func (c *cursor) note(text func() string) {
	if c.trace == nil || c.err != nil {
		return
	}
	fields := c.trace.top
	if n := len(c.trace.open); n > 0 {
		fields = c.trace.open[n-1].Children
	}
	if len(fields) > 0 {
		fields[len(fields)-1].Value = text()
	}
}

// take reads n bytes; traced says how to show them.
func (c *cursor) take(name string, n int, shown func([]byte) string) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.b)-c.off {
		c.failf("%s wants %d bytes, %d left", name, n, len(c.b)-c.off)
		return nil
	}
	v := c.b[c.off : c.off+n : c.off+n]
	if c.trace != nil {
		c.trace.add(Field{Name: name, Value: shown(v), Off: c.off, Len: n})
	}
	c.off += n
	return v
}

func showUint(b []byte) string {
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return strconv.FormatUint(v, 10)
}
func showString(b []byte) string { return strconv.Quote(string(b)) }
func showBytes(b []byte) string {
	if len(b) > 32 {
		return fmt.Sprintf("%x… (%d bytes)", b[:32], len(b))
	}
	return fmt.Sprintf("%x", b)
}

func (c *cursor) uint8(name string) uint8 {
	if b := c.take(name, 1, showUint); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16(name string) uint16 {
	if b := c.take(name, 2, showUint); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint24(name string) uint32 {
	if b := c.take(name, 3, showUint); b != nil {
		return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	}
	return 0
}

func (c *cursor) uint32(name string) uint32 {
	if b := c.take(name, 4, showUint); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64(name string) uint64 {
	if b := c.take(name, 8, showUint); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// tag reads one byte that must be want.
func (c *cursor) tag(name string, want byte) {
	off := c.off
	if got := c.uint8(name); c.err == nil && got != want {
		c.off = off
		c.failf("%s is 0x%02x, want 0x%02x", name, got, want)
	}
}

// bytes reads n bytes that alias the payload.
func (c *cursor) bytes(name string, n int) []byte { return c.take(name, n, showBytes) }

// text reads n bytes as a string.
func (c *cursor) text(name string, n int) string { return string(c.take(name, n, showString)) }

// rest reads all that is left. It is nil when nothing is.
func (c *cursor) rest(name string) []byte {
	if c.left() == 0 {
		return nil
	}
	return c.take(name, c.left(), showBytes)
}

// restText is rest for text.
func (c *cursor) restText(name string) string {
	if c.left() == 0 {
		return ""
	}
	return string(c.take(name, c.left(), showString))
}

// restClient and lenencResult are restText and lenencText for what is in a character set of the
// connection. The string has the bytes as sent; only what is shown is UTF-8.
func (c *cursor) restClient(name string) string {
	if c.left() == 0 {
		return ""
	}
	return string(c.take(name, c.left(), c.cx.showClient))
}

func (c *cursor) lenencResult(name string) string {
	return string(c.lenencString(name, c.cx.showResult))
}

// nulText reads a string ended by a zero byte.
func (c *cursor) nulText(name string) string {
	if c.err != nil {
		return ""
	}
	for i := c.off; i < len(c.b); i++ {
		if c.b[i] == 0 {
			s := c.take(name, i+1-c.off, func(b []byte) string { return showString(b[:len(b)-1]) })
			return string(s[:len(s)-1])
		}
	}
	c.failf("%s has no terminating zero byte", name)
	return ""
}

// lenenc reads a length-encoded integer. 0xfb (NULL) and 0xff are failures here.
func (c *cursor) lenenc(name string) uint64 {
	if c.err != nil {
		return 0
	}
	v, n, ok := ReadLenenc(c.b[c.off:])
	if !ok {
		c.failf("%s is not a length-encoded integer", name)
		return 0
	}
	c.take(name, n, func([]byte) string { return strconv.FormatUint(v, 10) })
	return v
}

// length reads a length-encoded integer that sizes something in this payload.
func (c *cursor) length(name string) int {
	v := c.lenenc(name)
	if v > uint64(c.left()) {
		c.failf("%s is %d, %d bytes left", name, v, c.left())
		return 0
	}
	return int(v)
}

// lenencBytes reads a length-encoded string as one field, length included.
func (c *cursor) lenencBytes(name string) []byte { return c.lenencString(name, showBytes) }

// lenencText is lenencBytes for text.
func (c *cursor) lenencText(name string) string { return string(c.lenencString(name, showString)) }

func (c *cursor) lenencString(name string, shown func([]byte) string) []byte {
	if c.err != nil {
		return nil
	}
	v, n, ok := ReadLenenc(c.b[c.off:])
	if !ok {
		c.failf("%s is not a length-encoded string", name)
		return nil
	}
	if v > uint64(len(c.b)-c.off-n) {
		c.failf("%s has length %d, %d bytes left", name, v, len(c.b)-c.off-n)
		return nil
	}
	b := c.take(name, n+int(v), func(b []byte) string { return shown(b[n:]) })
	return b[n:]
}

// ReadLenenc is value.ReadLenenc.
func ReadLenenc(b []byte) (v uint64, n int, ok bool) { return value.ReadLenenc(b) }

// AppendLenenc is value.AppendLenenc.
func AppendLenenc(dst []byte, v uint64) []byte { return value.AppendLenenc(dst, v) }

// AppendLenencString appends s behind its length.
func AppendLenencString[T string | []byte](dst []byte, s T) []byte {
	return append(AppendLenenc(dst, uint64(len(s))), s...)
}
