package mysqlwire

// NextFactor is Protocol::AuthNextFactor: one factor is proven, the next one begins.
type NextFactor struct {
	PluginName string
	Data       []byte
	noNUL      bool
}

func (m *NextFactor) Kind() Kind { return KindNextFactor }
func (m *NextFactor) Decode(src []byte, cx *Context) error {
	*m = NextFactor{}
	return decode(m, src, cx)
}
func (m *NextFactor) fromServer() {}

// Scramble is Data without the zero byte behind it.
func (m *NextFactor) Scramble() []byte { return trimScramble(m.Data) }

func (m *NextFactor) decode(c *cursor, _ *Context) {
	c.tag("header", 0x02)
	m.PluginName, m.noNUL = c.pluginName("plugin_name")
	m.Data = c.rest("plugin_provided_data")
}

func (m *NextFactor) Encode(dst []byte, _ *Context) ([]byte, error) {
	return appendPlugin(append(dst, 0x02), KindNextFactor, m.PluginName, m.Data, m.noNUL)
}
