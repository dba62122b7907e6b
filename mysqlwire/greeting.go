package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	scrambleHead = 8  // bytes of the scramble in front of the capabilities
	scrambleTail = 13 // least bytes behind them, the last of which is zero
)

// Greeting is Protocol::HandshakeV10, the server's first packet. A server may send ERR instead.
type Greeting struct {
	Version      string
	ConnectionID uint32
	Scramble     []byte // both parts joined, without the zero byte at the end
	// Caps are what the server offers. MariaDB's extended flags are on the wire only while
	// LongPassword is clear.
	Caps       Caps
	Collation  uint8 // low byte of the default collation
	Status     Status
	PluginName string // with PluginAuth

	wire greetingWire
	Rest []byte
}

// greetingWire is what servers send differently from the usual form.
type greetingWire struct {
	filler      byte
	authLen     uint8 // as sent, if authLenOdd
	authLenOdd  bool
	reserved    []byte // nil is zeros; the last four of ten are MariaDB's flags if those are sent
	noNUL       bool   // no zero byte behind the scramble
	pluginNoNUL bool   // some old 5.5 and 5.6 servers
	noPlugin    bool   // payload ends before the plugin name it announces
}

func (m *Greeting) Kind() Kind                           { return KindGreeting }
func (m *Greeting) Decode(src []byte, cx *Context) error { *m = Greeting{}; return decode(m, src, cx) }
func (m *Greeting) fromServer()                          {}

// MariaDB reports whether the server is one. Version 11 and later says so in its text only.
func (m *Greeting) MariaDB() bool {
	return strings.HasPrefix(m.Version, "5.5.5-") || strings.Contains(m.Version, "MariaDB") || m.extended()
}

// ServerVersion is Version without the 5.5.5- that MariaDB 10 puts in front for old replicas.
func (m *Greeting) ServerVersion() string { return strings.TrimPrefix(m.Version, "5.5.5-") }

// extended reports whether MariaDB's flags are sent.
func (m *Greeting) extended() bool { return !m.Caps.Has(LongPassword) && m.Caps>>32 != 0 }

func (m *Greeting) decode(c *cursor, _ *Context) {
	c.tag("protocol_version", 10)
	m.Version = c.nulText("server_version")
	m.ConnectionID = c.uint32("thread_id")
	m.Scramble = append(m.Scramble, c.bytes("auth_plugin_data_part_1", scrambleHead)...)
	m.wire.filler = c.uint8("filler")
	m.Caps = Caps(c.uint16("capability_flags_1"))
	c.note(m.Caps.String)
	m.Collation = c.uint8("character_set")
	c.note(collationName(uint16(m.Collation), m.MariaDB()))
	m.Status = Status(c.uint16("status_flags"))
	c.note(m.Status.String)
	high := Caps(c.uint16("capability_flags_2")) << 16
	c.note(high.String)
	m.Caps |= high
	authLen := c.uint8("auth_plugin_data_len")
	m.decodeReserved(c)

	part2 := c.bytes("auth_plugin_data_part_2", max(scrambleTail, int(authLen)-scrambleHead))
	if n := len(part2); n > 0 && part2[n-1] == 0 {
		part2 = part2[:n-1]
	} else {
		m.wire.noNUL = true
	}
	m.Scramble = append(m.Scramble, part2...)
	if authLen != m.authLen() {
		m.wire.authLen, m.wire.authLenOdd = authLen, true
	}

	if m.Caps.Has(PluginAuth) {
		if c.left() == 0 {
			m.wire.noPlugin = true
		} else {
			m.PluginName, m.wire.pluginNoNUL = c.pluginName("auth_plugin_name")
		}
	}
	m.Rest = c.rest("rest")
}

func (m *Greeting) decodeReserved(c *cursor) {
	if m.Caps.Has(LongPassword) {
		m.wire.reserved = nonZero(c.bytes("reserved", 10))
		return
	}
	m.wire.reserved = nonZero(c.bytes("reserved", 6))
	ext := Caps(c.uint32("mariadb_capability_flags")) << 32
	c.note(ext.String)
	m.Caps |= ext
}

// authLen is the usual length of the scramble as servers announce it.
func (m *Greeting) authLen() uint8 {
	if !m.Caps.Has(PluginAuth) {
		return 0
	}
	return uint8(min(len(m.Scramble)+1, 255))
}

// Encode fails when the scramble is shorter than the 20 bytes every server sends.
func (m *Greeting) Encode(dst []byte, _ *Context) ([]byte, error) {
	tail := len(m.Scramble) - scrambleHead
	if !m.wire.noNUL {
		tail++
	}
	if tail < scrambleTail || tail > 255-scrambleHead {
		return dst, fmt.Errorf("encode %s: scramble of %d bytes, want 20 to 254", KindGreeting, len(m.Scramble))
	}
	if err := noZero(KindGreeting, m.Version, m.PluginName); err != nil {
		return dst, err
	}
	dst = append(dst, 10)
	dst = appendNul(dst, m.Version)
	dst = binary.LittleEndian.AppendUint32(dst, m.ConnectionID)
	dst = append(dst, m.Scramble[:scrambleHead]...)
	dst = append(dst, m.wire.filler)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(m.Caps))
	dst = append(dst, m.Collation)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(m.Status))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(m.Caps>>16))
	if m.wire.authLenOdd {
		dst = append(dst, m.wire.authLen)
	} else {
		dst = append(dst, m.authLen())
	}
	var reserved [10]byte
	copy(reserved[:], m.wire.reserved)
	if !m.Caps.Has(LongPassword) {
		binary.LittleEndian.PutUint32(reserved[6:], uint32(m.Caps>>32))
	}
	dst = append(dst, reserved[:]...)
	dst = append(dst, m.Scramble[scrambleHead:]...)
	if !m.wire.noNUL {
		dst = append(dst, 0)
	}
	if m.Caps.Has(PluginAuth) && (!m.wire.noPlugin || m.PluginName != "") {
		dst = appendPluginName(dst, m.PluginName, m.wire.pluginNoNUL)
	}
	return append(dst, m.Rest...), nil
}

// nonZero is b, or nil if that says the same.
func nonZero(b []byte) []byte {
	for _, x := range b {
		if x != 0 {
			return b
		}
	}
	return nil
}

// appendNul appends s and the zero byte that ends it.
func appendNul(dst []byte, s string) []byte { return append(append(dst, s...), 0) }
