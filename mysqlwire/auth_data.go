package mysqlwire

// AuthData is a plugin's own packet without header. Clients send nothing else during the exchange;
// MariaDB servers send it where MySQL's send AuthMore. It may be empty.
type AuthData struct{ Data []byte } // secret from clients: see Blank

func (m *AuthData) Kind() Kind                                    { return KindAuthData }
func (m *AuthData) Decode(src []byte, cx *Context) error          { return decode(m, src, cx) }
func (m *AuthData) Encode(dst []byte, _ *Context) ([]byte, error) { return append(dst, m.Data...), nil }
func (m *AuthData) decode(c *cursor, _ *Context)                  { m.Data = c.rest("data") }
func (m *AuthData) fromClient()                                   {}
func (m *AuthData) fromServer()                                   {}
