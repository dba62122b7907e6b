package mysqlwire

import "strings"

// Refresh is COM_REFRESH. Gone in MySQL 9 in favour of FLUSH.
type Refresh struct {
	Flags uint8
	Rest  []byte
}

func (m *Refresh) Kind() Kind                           { return KindRefresh }
func (m *Refresh) Decode(src []byte, cx *Context) error { return decode(m, src, cx) }
func (m *Refresh) fromClient()                          {}

func (m *Refresh) decode(c *cursor, _ *Context) {
	c.command(ComRefresh)
	m.Flags = c.uint8("sub_command")
	c.note(func() string {
		var names []string
		for i, n := range [8]string{"GRANT", "LOG", "TABLES", "HOSTS", "STATUS", "THREADS", "REPLICA", "MASTER"} {
			if m.Flags>>i&1 != 0 {
				names = append(names, n)
			}
		}
		return strings.Join(names, " ")
	})
	m.Rest = c.rest("rest")
}

func (m *Refresh) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(append(dst, byte(ComRefresh), m.Flags), m.Rest...), nil
}
