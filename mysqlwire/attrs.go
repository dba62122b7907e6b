package mysqlwire

// Attr is one connection attribute of a login: _client_name, _pid, program_name and others.
type Attr struct{ Name, Value string }

// attrs reads the list of connection attributes: its length in bytes, then names and values.
func (c *cursor) attrs() []Attr {
	end := c.group("connection_attributes")
	defer end()
	n := c.length("length")
	if c.err != nil {
		return nil
	}
	list := make([]Attr, 0, min(n/2, 16)) // two length bytes each at least
	for stop := c.off + n; c.err == nil && c.off < stop; {
		name := c.lenencText("key")
		value := c.lenencText("value")
		if c.err == nil && c.off > stop {
			c.failf("connection attribute %q ends %d bytes past the list", name, c.off-stop)
		}
		list = append(list, Attr{name, value})
	}
	return list
}

func appendAttrs(dst []byte, list []Attr) []byte {
	n := 0
	for _, a := range list {
		n += lenencStringLen(a.Name) + lenencStringLen(a.Value)
	}
	dst = AppendLenenc(dst, uint64(n))
	for _, a := range list {
		dst = AppendLenencString(AppendLenencString(dst, a.Name), a.Value)
	}
	return dst
}

func lenencStringLen(s string) int { return lenencLen(uint64(len(s))) + len(s) }

// lenencLen is how many bytes AppendLenenc takes for v.
func lenencLen(v uint64) int {
	switch {
	case v < 0xfb:
		return 1
	case v < 1<<16:
		return 3
	case v < 1<<24:
		return 4
	}
	return 9
}
