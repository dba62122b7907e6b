package mysqlwire

// FieldList is COM_FIELD_LIST: the columns of a table. Deprecated, but clients with completion send it.
type FieldList struct {
	Table    string
	Wildcard string
}

func (m *FieldList) Kind() Kind { return KindFieldList }
func (m *FieldList) Decode(src []byte, cx *Context) error {
	*m = FieldList{}
	return decode(m, src, cx)
}
func (m *FieldList) fromClient() {}

func (m *FieldList) decode(c *cursor, _ *Context) {
	c.command(ComFieldList)
	m.Table = c.nulText("table")
	m.Wildcard = c.restClient("wildcard")
}

func (m *FieldList) Encode(dst []byte, _ *Context) ([]byte, error) {
	if err := noZero(KindFieldList, m.Table); err != nil {
		return dst, err
	}
	dst = append(dst, byte(ComFieldList))
	dst = appendNul(dst, m.Table)
	return append(dst, m.Wildcard...), nil
}
