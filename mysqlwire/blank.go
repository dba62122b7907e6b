package mysqlwire

import "bytes"

// Blank is m without secrets, for screens and recordings: a copy in which zeros stand for the
// client's proof or password, as many as it had bytes (asterisks where a zero would end it). Messages
// without secrets are returned as they are. An AuthData is taken for the client's.
func Blank(m Message) Message {
	switch m := m.(type) {
	case *Login:
		b := *m
		b.AuthResponse = bytes.Clone(m.AuthResponse)
		b.blank()
		return &b
	case *ChangeUser:
		b := *m
		b.AuthResponse = bytes.Clone(m.AuthResponse)
		b.blank()
		return &b
	case *AuthData:
		return &AuthData{Data: make([]byte, len(m.Data))}
	case *RegisterSlave:
		b := *m
		b.Password = make([]byte, len(m.Password))
		return &b
	}
	return m
}

func (m *Login) blank() {
	overwrite(m.AuthResponse, m.Caps&(PluginAuthLenencClientData|SecureConnection) == 0)
}

func (m *ChangeUser) blank() { overwrite(m.AuthResponse, m.nulEnded) }

func overwrite(b []byte, nulEnded bool) {
	clear(b)
	if nulEnded {
		for i := range b {
			b[i] = '*'
		}
	}
}

// BlankPayload is Blank for bytes: a copy of the same length, or payload itself where a kind has no
// secrets. What does not decode is zeroed from the first byte that could be secret.
func BlankPayload(k Kind, payload []byte, cx *Context) []byte {
	var open int // bytes in front of anything secret
	switch k {
	case KindLogin:
		open = sslRequestLen
	case KindChangeUser, KindRegisterSlave:
		open = 1
	case KindAuthData:
	default:
		return payload
	}
	b := bytes.Clone(payload)
	m := New(k)
	if m.Decode(b, cx) != nil {
		clear(b[min(open, len(b)):])
		return b
	}
	switch m := m.(type) { // their fields alias b
	case *Login:
		m.blank()
	case *ChangeUser:
		m.blank()
	case *AuthData:
		clear(m.Data)
	case *RegisterSlave:
		clear(m.Password)
	}
	return b
}
