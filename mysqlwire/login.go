package mysqlwire

import (
	"bytes"
	"fmt"
	"strings"
)

// Login is Protocol::HandshakeResponse41. Its own Caps, not the context's, say which fields it has.
type Login struct {
	// Caps are what the client wants. MariaDB's extended flags are on the wire only while
	// LongPassword is clear.
	Caps         Caps
	MaxPacket    uint32
	Collation    uint8
	User         string
	AuthResponse []byte // secret: see Blank
	DB           string // with ConnectWithDB
	PluginName   string // with PluginAuth
	Attrs        []Attr // with ConnectAttrs
	ZstdLevel    uint8  // with ZstdCompressionAlgorithm

	reserved    []byte // nil is zeros
	absent      Caps   // announce fields at the end that the client left out
	pluginNoNUL bool
	Rest        []byte
}

func (m *Login) Kind() Kind                           { return KindLogin }
func (m *Login) Decode(src []byte, cx *Context) error { *m = Login{}; return decode(m, src, cx) }
func (m *Login) fromClient()                          {}

// Attr is the value of a connection attribute; empty if the client did not send it.
func (m *Login) Attr(name string) string {
	for _, a := range m.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

func (m *Login) decode(c *cursor, _ *Context) {
	m.Caps, m.MaxPacket, m.Collation, m.reserved = c.loginHead()
	m.User = c.nulText("username")
	m.AuthResponse = c.authResponse(m.Caps)
	for _, f := range []struct {
		when Caps
		read func()
	}{
		{ConnectWithDB, func() { m.DB = c.nulText("database") }},
		{PluginAuth, func() { m.PluginName, m.pluginNoNUL = c.pluginName("client_plugin_name") }},
		{ConnectAttrs, func() { m.Attrs = c.attrs() }},
		{ZstdCompressionAlgorithm, func() { m.ZstdLevel = c.uint8("zstd_compression_level") }},
	} {
		switch {
		case !m.Caps.Has(f.when):
		case c.left() == 0:
			m.absent |= f.when
		default:
			f.read()
		}
	}
	m.Rest = c.rest("rest")
}

// Encode fails when a text holds a zero byte or the auth response does not fit its length field.
func (m *Login) Encode(dst []byte, _ *Context) ([]byte, error) {
	if err := noZero(KindLogin, m.User, m.DB, m.PluginName); err != nil {
		return dst, err
	}
	out := appendLoginHead(dst, m.Caps, m.MaxPacket, m.Collation, m.reserved)
	out = appendNul(out, m.User)
	out, err := appendAuthResponse(out, KindLogin, m.Caps, m.AuthResponse)
	if err != nil {
		return dst, err
	}
	has := m.Caps
	if !m.lateFields() {
		has &^= m.absent
	}
	if has.Has(ConnectWithDB) {
		out = appendNul(out, m.DB)
	}
	if has.Has(PluginAuth) {
		out = appendPluginName(out, m.PluginName, m.pluginNoNUL && !has.Has(ConnectAttrs) && !has.Has(ZstdCompressionAlgorithm))
	}
	if has.Has(ConnectAttrs) {
		out = appendAttrs(out, m.Attrs)
	}
	if has.Has(ZstdCompressionAlgorithm) {
		out = append(out, m.ZstdLevel)
	}
	return append(out, m.Rest...), nil
}

// lateFields reports whether a field that the client had left out has been set since. All are
// sent then, because none can follow one that is missing.
func (m *Login) lateFields() bool {
	return m.absent.Has(ConnectWithDB) && m.DB != "" || m.absent.Has(PluginAuth) && m.PluginName != "" ||
		m.absent.Has(ConnectAttrs) && len(m.Attrs) > 0 || m.absent.Has(ZstdCompressionAlgorithm) && m.ZstdLevel != 0
}

// authResponse reads the client's proof in the form that caps ask for.
func (c *cursor) authResponse(caps Caps) []byte {
	const name = "auth_response"
	switch {
	case caps.Has(PluginAuthLenencClientData):
		return c.lenencBytes(name)
	case caps.Has(SecureConnection):
		n := int(c.uint8("auth_response_length"))
		return c.bytes(name, n)
	}
	if c.err != nil {
		return nil
	}
	n := bytes.IndexByte(c.b[c.off:], 0)
	if n < 0 {
		c.fail(name + " has no terminating zero byte")
		return nil
	}
	return c.take(name, n+1, func(b []byte) string { return showBytes(b[:n]) })[:n:n]
}

func appendAuthResponse(dst []byte, k Kind, caps Caps, b []byte) ([]byte, error) {
	switch {
	case caps.Has(PluginAuthLenencClientData):
		return AppendLenencString(dst, b), nil
	case caps.Has(SecureConnection):
		if len(b) > 255 {
			return dst, fmt.Errorf("encode %s: auth response of %d bytes, 255 fit", k, len(b))
		}
		return append(append(dst, byte(len(b))), b...), nil
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return dst, fmt.Errorf("encode %s: zero byte in the auth response", k)
	}
	return append(append(dst, b...), 0), nil
}

// noZero checks texts that a zero byte ends on the wire.
func noZero(k Kind, texts ...string) error {
	for _, s := range texts {
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("encode %s: zero byte in %q", k, s)
		}
	}
	return nil
}
