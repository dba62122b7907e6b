package mysqlwire

import "fmt"

// Query is COM_QUERY.
type Query struct {
	// Attributes are on the wire only when QueryAttributes is agreed. An attribute without a name
	// is a value for a ? in the text, which servers do not use yet.
	Attributes []QueryAttr
	SQL        string // in the character set of the client, see Context.ClientText
}

func (m *Query) Kind() Kind                           { return KindQuery }
func (m *Query) Decode(src []byte, cx *Context) error { *m = Query{}; return decode(m, src, cx) }
func (m *Query) fromClient()                          {}

// WithSQL is a copy with another text and the same attributes.
func (m *Query) WithSQL(sql string) *Query { return &Query{Attributes: m.Attributes, SQL: sql} }

func (m *Query) decode(c *cursor, cx *Context) {
	c.command(ComQuery)
	if cx.has(QueryAttributes) {
		n := c.paramCount()
		if sets := c.lenenc("parameter_set_count"); c.err == nil && sets != 1 {
			c.failf("parameter_set_count is %d, want 1", sets)
		}
		var bound bool
		m.Attributes, bound = c.execParams(n, true, nil)
		if n > 0 && !bound {
			c.fail("query attributes without types")
		}
	}
	m.SQL = c.restClient("query")
}

// Encode fails when there are attributes and they are not agreed.
func (m *Query) Encode(dst []byte, cx *Context) ([]byte, error) {
	if !cx.has(QueryAttributes) {
		if len(m.Attributes) > 0 {
			return dst, fmt.Errorf("encode %s: attributes, but QUERY_ATTRIBUTES is not agreed", KindQuery)
		}
		return append(append(dst, byte(ComQuery)), m.SQL...), nil
	}
	dst = append(dst, byte(ComQuery))
	dst = append(AppendLenenc(dst, uint64(len(m.Attributes))), 1)
	dst = appendExecParams(dst, m.Attributes, true, true)
	return append(dst, m.SQL...), nil
}

// paramCount reads how many parameters follow; each takes a bit at least.
func (c *cursor) paramCount() int {
	n := c.lenenc("parameter_count")
	if c.err == nil && n > 8*uint64(c.left()) {
		c.failf("parameter_count is %d, %d bytes left", n, c.left())
		return 0
	}
	return int(n)
}
