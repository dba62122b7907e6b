package mysqlwire

// StatisticsText answers COM_STATISTICS: one line for people, without a header.
type StatisticsText struct{ Text string }

func (m *StatisticsText) Kind() Kind { return KindStatistics }
func (m *StatisticsText) Decode(src []byte, cx *Context) error {
	*m = StatisticsText{}
	return decode(m, src, cx)
}

func (m *StatisticsText) Encode(dst []byte, _ *Context) ([]byte, error) {
	return append(dst, m.Text...), nil
}
func (m *StatisticsText) fromServer() {}

func (m *StatisticsText) decode(c *cursor, _ *Context) { m.Text = c.restText("text") }
