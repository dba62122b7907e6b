package edit

import (
	"fmt"
	"slices"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// param is a parameter of an execute, or a query attribute, being edited.
type param struct {
	was      mysqlwire.ExecParam
	typ      value.Type
	unsigned bool
	null     bool
	text     text
	shown    string // text as it was before any edit
	cx       *mysqlwire.Context

	fixed     bool   // its type cannot be changed
	indicator string // DEFAULT or IGNORE of a bulk execute
}

// paramTypes are those that clients send.
var paramTypes = []value.Type{
	value.Tiny, value.Short, value.Long, value.LongLong, value.Float, value.Double, value.NewDecimal, value.VarString, value.String,
	value.Blob, value.Date, value.DateTime, value.Timestamp, value.Time, value.Year,
}

func newParam(p mysqlwire.ExecParam, cx *mysqlwire.Context) param {
	e := param{was: p, cx: cx, typ: p.Type, unsigned: p.Unsigned, null: p.Null}
	if v, err := p.Value(); err == nil && v != nil {
		e.shown = e.spec().Format(v)
	}
	e.text = oneLine(e.shown)
	return e
}

// spec is how the value is read and written.
func (p *param) spec() value.Spec { return p.cx.ParamSpec(p.typ, p.unsigned) }

func (p *param) typeName() string {
	if p.unsigned {
		return p.typ.String() + " unsigned"
	}
	return p.typ.String()
}

// cycle goes to the next type, or the one before; integers are signed and unsigned.
func (p *param) cycle(by int) {
	type kind struct {
		t        value.Type
		unsigned bool
	}
	var all []kind
	for _, t := range paramTypes {
		all = append(all, kind{t, false})
		if t <= value.Long || t == value.LongLong {
			all = append(all, kind{t, true})
		}
	}
	at := slices.Index(all, kind{p.typ, p.unsigned})
	next := all[((at+by)%len(all)+len(all))%len(all)]
	p.typ, p.unsigned = next.t, next.unsigned
}

// begins chooses the first type behind the present one whose name begins with a letter.
func (p *param) begins(letter string) bool {
	was, unsigned := p.typ, p.unsigned
	for range 2 * len(paramTypes) {
		p.cycle(1)
		if p.typ != was && strings.HasPrefix(strings.ToLower(p.typ.String()), strings.ToLower(letter)) {
			return true
		}
	}
	p.typ, p.unsigned = was, unsigned
	return false
}

// touched reports whether it is not what the client sent any more.
func (p *param) touched() bool {
	return p.typ != p.was.Type || p.unsigned != p.was.Unsigned || p.null != p.was.Null ||
		!p.null && p.text.String() != p.shown
}

// value is what was typed; nil is NULL.
func (p *param) value() (value.Value, error) {
	if p.null {
		return nil, nil
	}
	return p.spec().Parse(p.text.String())
}

// maxBulk is how many values of a bulk execute are put into a form; more are for the hex editor.
const maxBulk = 1000

// paramsOf are the parameters of a command as the form has them: those of an execute, the query attributes
// behind them or of a query, or all rows of a bulk execute.
func paramsOf(m mysqlwire.Message, cx *mysqlwire.Context) []param {
	var from []mysqlwire.ExecParam
	switch m := m.(type) {
	case *mysqlwire.Query:
		from = m.Attributes
	case *mysqlwire.StmtExecute:
		from = m.Params
	case *mysqlwire.StmtBulkExecute:
		return bulkParams(m, cx)
	}
	var params []param
	for _, p := range from {
		params = append(params, newParam(p, cx))
	}
	return params
}

// bulkParams are the values of a bulk execute, row by row. A type is that of a column, so it stays.
func bulkParams(m *mysqlwire.StmtBulkExecute, cx *mysqlwire.Context) []param {
	var params []param
	for r, row := range m.Rows {
		for i, v := range row {
			t := m.Types[i]
			p := newParam(mysqlwire.ExecParam{
				Name: fmt.Sprintf("%d row %d", i, r+1), Type: t.Type, Unsigned: t.Unsigned, Null: v.Indicator == mysqlwire.BulkNull, Raw: v.Raw,
			}, cx)
			p.fixed = true
			if v.Indicator > mysqlwire.BulkNull {
				p.indicator = v.Indicator.String()
			}
			params = append(params, p)
		}
	}
	return params
}

// kept says why a value cannot be edited; "" if it can.
func (p *param) kept() string {
	if p.was.Long {
		return "long data, sent ahead"
	}
	return p.indicator
}

// apply puts the edits into m. Errors name the parameter.
func apply[M mysqlwire.Message](m M, params []param, with func(m M, i int, t value.Type, unsigned bool, v value.Value) (M, error)) (M, error) {
	var none M
	for i := range params {
		p := &params[i]
		if !p.touched() {
			continue
		}
		v, err := p.value()
		if err != nil {
			return none, fmt.Errorf("parameter %s: %w", p.name(i), err)
		}
		if m, err = with(m, i, p.typ, p.unsigned, v); err != nil {
			return none, fmt.Errorf("parameter %s: %w", p.name(i), err)
		}
	}
	return m, nil
}

// name is what a parameter is called: its number from 0, as in conditions, or an attribute's name.
func (p *param) name(i int) string {
	if p.was.Name != "" {
		return p.was.Name
	}
	return itoa(i)
}
