package mysqlwire

// AuthMore is Protocol::AuthMoreData: a server's packet inside a plugin's exchange.
type AuthMore struct{ Data []byte }

func (m *AuthMore) Kind() Kind                           { return KindAuthMore }
func (m *AuthMore) Decode(src []byte, cx *Context) error { *m = AuthMore{}; return decode(m, src, cx) }
func (m *AuthMore) fromServer()                          {}

func (m *AuthMore) decode(c *cursor, _ *Context) {
	c.tag("header", 0x01)
	m.Data = c.rest("authentication_method_data")
	if len(m.Data) > 0 {
		c.note(func() string { return showAuthMore(m.Data) })
	}
}

func (m *AuthMore) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(append(dst, 0x01), m.Data...), nil
}

// showAuthMore names what caching_sha2_password says in one byte, and keys in PEM.
func showAuthMore(b []byte) string {
	switch {
	case len(b) == 1 && b[0] == 3:
		return "03 fast_auth_success"
	case len(b) == 1 && b[0] == 4:
		return "04 perform_full_authentication"
	case len(b) > 10 && string(b[:10]) == "-----BEGIN":
		return showString(b)
	}
	return showBytes(b)
}
