package mysqlwire

import "encoding/binary"

// ChangeUser is COM_CHANGE_USER. The capabilities of the session, which stay, say which fields it has.
type ChangeUser struct {
	User         string
	AuthResponse []byte // secret: see Blank
	DB           string
	Collation    uint16
	PluginName   string // with PluginAuth
	Attrs        []Attr // with ConnectAttrs

	absent      Caps // fields at the end that the client left out; Protocol41 stands for the collation
	pluginNoNUL bool
	nulEnded    bool // the auth response was
	Rest        []byte
}

func (m *ChangeUser) Kind() Kind { return KindChangeUser }
func (m *ChangeUser) Decode(src []byte, cx *Context) error {
	*m = ChangeUser{}
	return decode(m, src, cx)
}
func (m *ChangeUser) fromClient() {}

// changeUserCaps are the capabilities that shape the packet. Its auth response has a length of one
// byte even where a login's is length-encoded.
func changeUserCaps(cx *Context) Caps {
	caps := Protocol41
	if cx != nil {
		caps |= cx.Caps & (SecureConnection | PluginAuth | ConnectAttrs)
	}
	return caps
}

func (m *ChangeUser) decode(c *cursor, cx *Context) {
	caps := changeUserCaps(cx)
	c.command(ComChangeUser)
	m.User = c.nulText("user")
	m.AuthResponse = c.authResponse(caps)
	m.nulEnded = !caps.Has(SecureConnection)
	m.DB = c.nulText("database")
	if c.left() == 0 {
		m.absent |= Protocol41
	} else {
		m.Collation = c.uint16("character_set")
		c.note(collationName(m.Collation, cx != nil && cx.MariaDB))
	}
	if caps.Has(PluginAuth) {
		if c.left() == 0 {
			m.absent |= PluginAuth
		} else {
			m.PluginName, m.pluginNoNUL = c.pluginName("auth_plugin_name")
		}
	}
	if caps.Has(ConnectAttrs) {
		if c.left() == 0 {
			m.absent |= ConnectAttrs
		} else {
			m.Attrs = c.attrs()
		}
	}
	m.Rest = c.rest("rest")
}

func (m *ChangeUser) Encode(dst []byte, cx *Context) ([]byte, error) {
	if err := noZero(KindChangeUser, m.User, m.DB, m.PluginName); err != nil {
		return dst, err
	}
	has := changeUserCaps(cx)
	out := appendNul(append(dst, byte(ComChangeUser)), m.User)
	out, err := appendAuthResponse(out, KindChangeUser, has, m.AuthResponse)
	if err != nil {
		return dst, err
	}
	out = appendNul(out, m.DB)
	if !m.lateFields() {
		has &^= m.absent
	}
	if has.Has(Protocol41) {
		out = binary.LittleEndian.AppendUint16(out, m.Collation)
	}
	if has.Has(PluginAuth) {
		out = appendPluginName(out, m.PluginName, m.pluginNoNUL && !has.Has(ConnectAttrs))
	}
	if has.Has(ConnectAttrs) {
		out = appendAttrs(out, m.Attrs)
	}
	return append(out, m.Rest...), nil
}

// lateFields reports whether a field that the client had left out has been set since. All are sent then.
func (m *ChangeUser) lateFields() bool {
	return m.absent.Has(Protocol41) && m.Collation != 0 || m.absent.Has(PluginAuth) && m.PluginName != "" ||
		m.absent.Has(ConnectAttrs) && len(m.Attrs) > 0
}
