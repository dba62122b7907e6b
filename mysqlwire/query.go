package mysqlwire

import (
	"fmt"
	"slices"

	"mydbg/mysqlwire/value"
)

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

// WithAttribute is a copy in which attribute i (from 0) has type t and value v; nil is NULL.
func (m *Query) WithAttribute(i int, t value.Type, unsigned bool, v value.Value) (*Query, error) {
	if i < 0 || i >= len(m.Attributes) {
		return nil, fmt.Errorf("set query attribute %d: there are %d", i+1, len(m.Attributes))
	}
	a, err := NewExecParam(m.Attributes[i].Name, t, unsigned, v)
	if err != nil {
		return nil, fmt.Errorf("set query attribute %s: %w", m.Attributes[i].Name, err)
	}
	q := *m
	q.Attributes = slices.Clone(m.Attributes)
	q.Attributes[i] = a
	return &q, nil
}

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
