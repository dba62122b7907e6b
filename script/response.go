package script

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// longestMessage is how much of an error message is sent.
const longestMessage = 512

// proxyState is the SQLSTATE of errors that do not set one.
const proxyState = "07000"

// proxyERR is an error of the proxy's own.
func proxyERR(msg string) *mysqlwire.Answer { return mysqlwire.ERRAnswer(1105, proxyState, msg) }

// refused says why no answer can be made of a proxy.response.
type refused struct {
	level Level
	msg   string // followed by the script's path, unless it has a number
	bare  bool
}

func (r *refused) in(path string) string {
	if r.bare {
		return r.msg
	}
	return r.msg + " in " + path
}

func refuse(format string, args ...any) *refused {
	return &refused{level: Message, msg: fmt.Sprintf(format, args...)}
}

// crafted is an answer made of a proxy.response.
type crafted struct {
	answer   *mysqlwire.Answer
	warnings []string
}

// response makes packets of a proxy.response for a client that sent cmd.
func response(v lua.LValue, cmd mysqlwire.Command, cx *mysqlwire.Context) (*crafted, *refused) {
	if v == lua.LNil {
		return nil, refuse("proxy.response isn't set")
	}
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil, refuse("proxy.response has to be a table, is %s", v.Type())
	}
	kind := t.RawGetString("type")
	n, ok := integer(kind)
	switch {
	case kind == lua.LNil:
		return nil, refuse("proxy.response.type isn't set")
	case !ok:
		return nil, refuse("proxy.response.type has to be a number, is %s", kind.Type())
	}
	own := mysqlwire.Context{}
	if cx != nil {
		own = *cx
	}
	own.Command = cmd
	switch n {
	case packetOK:
		if rs, ok := t.RawGetString("resultset").(*lua.LTable); ok {
			return responseRows(rs, cmd, &own)
		}
		return responseOK(t, &own), nil
	case packetERR:
		return responseERR(t), nil
	case packetRaw:
		return responseRaw(t, cmd, &own)
	}
	return nil, &refused{level: Message, msg: fmt.Sprintf("proxy.response.type is unknown: %d", n), bare: true}
}

func responseOK(t *lua.LTable, cx *mysqlwire.Context) *crafted {
	affected, _ := number(t.RawGetString("affected_rows"))
	id, _ := number(t.RawGetString("insert_id"))
	a := mysqlwire.OKAnswer(unsigned(affected), unsigned(id), mysqlwire.StatusAutocommit, 0, "")
	return &crafted{answer: a.WithCaps(cx.Caps)}
}

func responseERR(t *lua.LTable) *crafted {
	msg, ok := text(t.RawGetString("errmsg"))
	if !ok {
		return &crafted{answer: proxyERR("(lua) proxy.response.errmsg is nil")}
	}
	code, ok := integer(t.RawGetString("errcode"))
	if !ok {
		code = 1105
	}
	state, ok := text(t.RawGetString("sqlstate"))
	if !ok {
		state = proxyState
	}
	state = (state + strings.Repeat("\x00", len(proxyState)))[:len(proxyState)]
	e := &mysqlwire.ERR{Code: uint16(code), SQLState: state, Message: msg[:min(len(msg), longestMessage)]}
	payload, _ := e.Encode(nil, nil) // fails on a state of another length only
	return &crafted{answer: &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindERR, Payload: payload}}}}
}

// responseRows makes a result set of the resultset table. Rows are in text, except for a client that
// executes a prepared statement: it could not read them.
func responseRows(rs *lua.LTable, cmd mysqlwire.Command, cx *mysqlwire.Context) (*crafted, *refused) {
	out := &crafted{}
	columns, bad := out.columns(rs.RawGetString("fields"))
	if bad != nil {
		return nil, bad
	}
	rows, ok := rs.RawGetString("rows").(*lua.LTable)
	if !ok {
		return nil, refuse("proxy.response.resultset.rows has to be a table, is %s", rs.RawGetString("rows").Type())
	}
	binary := cmd == mysqlwire.ComStmtExecute
	// The rows are made here, byte by byte as the script has them; the frame around them by mysqlwire.
	set := &mysqlwire.ResultSet{Columns: columns, Status: mysqlwire.StatusAutocommit}
	var text []mysqlwire.Packet
	for i := 1; rows.RawGetInt(i) != lua.LNil; i++ {
		row, ok := rows.RawGetInt(i).(*lua.LTable)
		if !ok {
			return nil, refuse("proxy.response.resultset.rows[%d] has to be a table, is %s", i, rows.RawGetInt(i).Type())
		}
		cells := rowCells(row, len(columns))
		if !binary {
			payload, _ := (&mysqlwire.TextRow{Cells: cells}).Encode([]byte{}, nil) // never fails
			text = append(text, mysqlwire.Packet{Kind: mysqlwire.KindTextRow, Payload: payload})
			continue
		}
		values, err := rowValues(cells, columns)
		if err != nil {
			return nil, refuse("proxy.response.resultset.rows[%d]: %v", i, err)
		}
		set.Rows = append(set.Rows, values)
	}
	packets, err := set.Packets(cx, binary)
	if err != nil {
		return nil, refuse("proxy.response.resultset: %v", err)
	}
	if len(text) > 0 {
		end := packets[len(packets)-1]
		packets = append(append(packets[:len(packets)-1:len(packets)-1], text...), end)
	}
	out.answer = &mysqlwire.Answer{Command: mysqlwire.ComQuery, Packets: packets}
	if binary {
		out.answer.Command = cmd
	}
	return out, nil
}

// columns reads the fields of a resultset table.
func (out *crafted) columns(v lua.LValue) ([]mysqlwire.Column, *refused) {
	fields, ok := v.(*lua.LTable)
	if !ok {
		return nil, refuse("proxy.response.resultset.fields has to be a table, is %s", v.Type())
	}
	var columns []mysqlwire.Column
	for i := 1; fields.RawGetInt(i) != lua.LNil; i++ {
		f, ok := fields.RawGetInt(i).(*lua.LTable)
		if !ok {
			return nil, refuse("proxy.response.resultset.fields[%d] has to be a table, is %s", i, fields.RawGetInt(i).Type())
		}
		name, ok := text(f.RawGetString("name"))
		if !ok {
			name = "no-field-name"
			out.warnings = append(out.warnings, fmt.Sprintf("proxy.response.resultset.fields[%d].name isn't set", i))
		}
		kind, ok := integer(f.RawGetString("type"))
		if !ok {
			kind = int(value.String)
			out.warnings = append(out.warnings, fmt.Sprintf("proxy.response.resultset.fields[%d].type isn't set", i))
		}
		columns = append(columns, mysqlwire.Column{
			Catalog: "def", Name: name, Collation: 8, Length: 32, Type: value.Type(kind), Flags: mysqlwire.ColumnPriKey,
		})
	}
	if len(columns) == 0 {
		return nil, refuse("proxy.response.resultset.fields is empty")
	}
	return columns, nil
}

// rowCells reads n cells: strings up to their first zero byte, numbers as Lua writes them; all else
// is NULL.
func rowCells(row *lua.LTable, n int) [][]byte {
	cells := make([][]byte, n)
	for i := range cells {
		if s, ok := text(row.RawGetInt(i + 1)); ok {
			s, _, _ = strings.Cut(s, "\x00")
			cells[i] = append([]byte{}, s...)
		}
	}
	return cells
}

func rowValues(cells [][]byte, columns []mysqlwire.Column) ([]value.Value, error) {
	values := make([]value.Value, len(cells))
	for i, cell := range cells {
		if cell == nil {
			continue
		}
		v, err := value.FromText(cell, columns[i].Type, columns[i].Unsigned())
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
		values[i] = v
	}
	return values, nil
}

func responseRaw(t *lua.LTable, cmd mysqlwire.Command, cx *mysqlwire.Context) (*crafted, *refused) {
	v := t.RawGetString("packets")
	if v == lua.LNil {
		return nil, refuse("proxy.response.packets isn't set")
	}
	list, ok := v.(*lua.LTable)
	if !ok {
		return nil, refuse("proxy.response.packets has to be a table, is %s", v.Type())
	}
	var payloads [][]byte
	for i := 1; list.RawGetInt(i) != lua.LNil; i++ {
		s, ok := text(list.RawGetInt(i))
		if !ok {
			return nil, refuse("proxy.response.packets[%d] has to be a string, is %s", i, list.RawGetInt(i).Type())
		}
		payloads = append(payloads, []byte(s))
	}
	if len(payloads) == 0 {
		return nil, refuse("proxy.response.packets is empty: the client would wait")
	}
	return &crafted{answer: &mysqlwire.Answer{Command: cmd, Packets: adapt(payloads, cmd, cx)}}, nil
}
