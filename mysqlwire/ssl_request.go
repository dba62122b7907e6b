package mysqlwire

import "encoding/binary"

const sslRequestLen = 32

// SSLRequest is Protocol::SSLRequest: the first part of a Login alone. TLS starts with the
// client's next byte, and the Login follows inside.
type SSLRequest struct {
	Caps      Caps
	MaxPacket uint32
	Collation uint8
	reserved  []byte // nil is zeros
}

// IsSSLRequest reports whether a client's first payload asks for TLS rather than logs in.
func IsSSLRequest(payload []byte) bool {
	return len(payload) == sslRequestLen && Caps(binary.LittleEndian.Uint32(payload)).Has(SSL)
}

func (m *SSLRequest) Kind() Kind { return KindSSLRequest }
func (m *SSLRequest) Decode(src []byte, cx *Context) error {
	*m = SSLRequest{}
	return decode(m, src, cx)
}
func (m *SSLRequest) fromClient() {}

func (m *SSLRequest) decode(c *cursor, _ *Context) {
	m.Caps, m.MaxPacket, m.Collation, m.reserved = c.loginHead()
}

func (m *SSLRequest) Encode(dst []byte, _ *Context) ([]byte, error) {
	return appendLoginHead(dst, m.Caps, m.MaxPacket, m.Collation, m.reserved), nil
}

// loginHead reads what SSLRequest and Login begin with.
func (c *cursor) loginHead() (caps Caps, maxPacket uint32, collation uint8, reserved []byte) {
	if c.left() >= 2 && !Caps(binary.LittleEndian.Uint16(c.b[c.off:])).Has(Protocol41) {
		c.fail("client speaks the protocol before MySQL 4.1 (HandshakeResponse320)")
		return 0, 0, 0, nil
	}
	caps = Caps(c.uint32("client_flag"))
	c.note(caps.String)
	maxPacket = c.uint32("max_packet_size")
	collation = c.uint8("character_set")
	c.note(collationName(uint16(collation), false))
	if caps.Has(LongPassword) {
		return caps, maxPacket, collation, nonZero(c.bytes("filler", 23))
	}
	reserved = nonZero(c.bytes("filler", 19))
	ext := Caps(c.uint32("mariadb_client_flag")) << 32
	c.note(ext.String)
	return caps | ext, maxPacket, collation, reserved
}

func appendLoginHead(dst []byte, caps Caps, maxPacket uint32, collation uint8, reserved []byte) []byte {
	var head [sslRequestLen]byte
	binary.LittleEndian.PutUint32(head[0:], uint32(caps))
	binary.LittleEndian.PutUint32(head[4:], maxPacket)
	head[8] = collation
	copy(head[9:], reserved)
	if !caps.Has(LongPassword) {
		binary.LittleEndian.PutUint32(head[28:], uint32(caps>>32))
	}
	return append(dst, head[:]...)
}
