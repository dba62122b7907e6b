package mysqlwire

import "bytes"

// AuthSwitch is Protocol::AuthSwitchRequest: the client starts again with another plugin and, as a
// rule, a fresh scramble.
type AuthSwitch struct {
	PluginName string
	Data       []byte // as sent: a scramble has a zero byte at its end
	noNUL      bool
}

func (m *AuthSwitch) Kind() Kind { return KindAuthSwitch }
func (m *AuthSwitch) Decode(src []byte, cx *Context) error {
	*m = AuthSwitch{}
	return decode(m, src, cx)
}
func (m *AuthSwitch) fromServer() {}

// Scramble is Data without the zero byte behind it.
func (m *AuthSwitch) Scramble() []byte { return trimScramble(m.Data) }

func (m *AuthSwitch) decode(c *cursor, _ *Context) {
	c.tag("header", 0xfe)
	m.PluginName, m.noNUL = c.pluginName("plugin_name")
	m.Data = c.rest("plugin_provided_data")
}

func (m *AuthSwitch) Encode(dst []byte, _ *Context) ([]byte, error) {
	return appendPlugin(append(dst, 0xfe), KindAuthSwitch, m.PluginName, m.Data, m.noNUL)
}

// OldAuth is Protocol::OldAuthSwitchRequest, which asks for the password hash of MySQL before 4.1.
type OldAuth struct{}

func (m *OldAuth) Kind() Kind                                    { return KindOldAuth }
func (m *OldAuth) Decode(src []byte, cx *Context) error          { return decode(m, src, cx) }
func (m *OldAuth) Encode(dst []byte, _ *Context) ([]byte, error) { return append(dst, 0xfe), nil }
func (m *OldAuth) decode(c *cursor, _ *Context)                  { c.tag("header", 0xfe) }
func (m *OldAuth) fromServer()                                   {}

// trimScramble cuts the zero byte that servers send behind a scramble of 20 or 32 bytes.
func trimScramble(b []byte) []byte {
	if n := len(b); (n == 21 || n == 33) && b[n-1] == 0 {
		return b[:n-1]
	}
	return b
}

// pluginName reads a plugin's name. At the very end of a payload its zero byte may be missing.
func (c *cursor) pluginName(field string) (name string, noNUL bool) {
	if c.err == nil && bytes.IndexByte(c.b[c.off:], 0) < 0 {
		return c.restText(field), true
	}
	return c.nulText(field), false
}

func appendPluginName(dst []byte, name string, noNUL bool) []byte {
	if noNUL {
		return append(dst, name...)
	}
	return appendNul(dst, name)
}

func appendPlugin(dst []byte, k Kind, name string, data []byte, noNUL bool) ([]byte, error) {
	if err := noZero(k, name); err != nil {
		return dst, err
	}
	return append(appendPluginName(dst, name, noNUL && len(data) == 0), data...), nil
}
