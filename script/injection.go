package script

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// injection is the argument of read_query_result. It stays valid after the hook.
type injection struct {
	entry *entry
	ev    *intercept.Event

	read    bool // results is made
	results []mysqlwire.Result
}

func (u *universe) injIndex(l *lua.LState) int {
	inj := self[*injection](l, "injection")
	var v lua.LValue = lua.LNil
	switch k := key(l); k {
	case "id", "type":
		v = lua.LNumber(inj.entry.id)
	case "query":
		v = lua.LString(inj.entry.packet)
	case "query_time":
		v = since(inj.entry.queued, inj.ev.Timing.First)
	case "response_time":
		v = since(inj.entry.queued, inj.ev.Timing.Last)
	case "resultset":
		v = u.userdata(u.kinds.result, &result{inj: inj})
	default:
		u.say(Message, "inj[%s] ... not found", k)
	}
	l.Push(v)
	return 1
}

// since is a time in microseconds.
func since(from, to time.Time) lua.LNumber {
	return lua.LNumber(max(to.Sub(from).Microseconds(), 0))
}

// parse takes the answer apart, as far as it can be read.
func (inj *injection) parse() []mysqlwire.Result {
	if !inj.read && inj.ev.Answer != nil {
		inj.results, _ = inj.ev.Answer.Results(inj.ev.Context) // the rest is unreadable: see what there is
	}
	inj.read = true
	return inj.results
}

// first is the first result; nil without one.
func (inj *injection) first() *mysqlwire.Result {
	if r := inj.parse(); len(r) > 0 {
		return &r[0]
	}
	return nil
}

// result is inj.resultset. It has a cursor of its own for its rows.
type result struct {
	inj  *injection
	next int
}

func (u *universe) resultIndex(l *lua.LState) int {
	r := self[*result](l, "resultset")
	k := key(l)
	switch k {
	case "fields", "rows", "raw":
		if !r.inj.entry.need || r.inj.ev.Answer == nil {
			l.RaiseError(".resultset.%s isn't available if 'resultset_is_needed ~= true'", k)
		}
		l.Push(u.resultPart(l, r, k))
		return 1
	}
	l.Push(u.resultNumber(l, r, k))
	return 1
}

func (u *universe) resultPart(l *lua.LState, r *result, k string) lua.LValue {
	first := r.inj.first()
	switch k {
	case "fields":
		f := fields{}
		if first != nil && first.Prepared == nil {
			f.columns = first.Columns
		}
		return u.userdata(u.kinds.fields, f)
	case "raw":
		if p := r.inj.ev.Answer.Packets; len(p) > 0 {
			return lua.LString(p[0].Payload)
		}
		return lua.LNil
	}
	if first == nil || !first.HasRows() {
		return lua.LNil
	}
	r.next = 0
	return l.NewFunction(r.iterate)
}

// iterate returns the next row: cells as strings, NULL as nil.
func (r *result) iterate(l *lua.LState) int {
	rows := &r.inj.first().Rows
	if r.next >= rows.Len() {
		return 0
	}
	row, err := rows.Row(r.next)
	if err != nil {
		l.RaiseError("row-data is invalid")
	}
	r.next++
	t := l.CreateTable(row.Len(), 0)
	for i := range row.Len() {
		if b := row.Bytes(i); b != nil {
			t.RawSetInt(i+1, lua.LString(b))
		}
	}
	l.Push(t)
	return 1
}

// resultNumber is what is known of an answer whether it was kept or not.
func (u *universe) resultNumber(l *lua.LState, r *result, k string) lua.LValue {
	ev := r.inj.ev
	counts := ev.Counts
	if cmd := mysqlwire.Command(r.inj.entry.packet[0]); cmd != mysqlwire.ComQuery && cmd != mysqlwire.ComStmtExecute {
		counts = intercept.Counts{Results: 1} // the original tells nothing of other commands
	}
	failed := counts.Error != nil
	switch k {
	case "row_count":
		return lua.LNumber(counts.Rows)
	case "bytes":
		return lua.LNumber(counts.RowBytes)
	case "flags":
		return statusFlags(l, counts.Status, failed)
	case "warning_count":
		return lua.LNumber(counts.Warnings)
	case "affected_rows", "insert_id":
		affected, id, known := r.inj.last(&counts)
		switch {
		case !known:
			return lua.LNil
		case k == "insert_id":
			return lua.LNumber(id)
		}
		return lua.LNumber(affected)
	case "query_status":
		switch {
		case failed:
			return lua.LNumber(packetERR)
		case counts.Results > 0:
			return lua.LNumber(packetOK)
		}
	}
	return lua.LNil
}

// last is what the last result of the answer says it changed; false of a result set.
func (inj *injection) last(counts *intercept.Counts) (affected, id uint64, known bool) {
	results := inj.parse()
	if len(results) > 0 && counts.Results > 0 {
		r := results[len(results)-1]
		switch {
		case r.OK != nil:
			return r.OK.AffectedRows, r.OK.LastInsertID, true
		case r.ERR != nil:
			return 0, 0, len(results) == 1 && !r.HasRows()
		case r.HasRows():
			return 0, 0, false
		}
	}
	// It was not kept: an answer with columns was a result set.
	return counts.Affected, counts.LastInsertID, counts.Cols == 0
}

func statusFlags(l *lua.LState, s mysqlwire.Status, failed bool) lua.LValue {
	if failed {
		s = 0
	}
	t := l.NewTable()
	t.RawSetString("in_trans", lua.LBool(s.Has(mysqlwire.StatusInTrans)))
	t.RawSetString("auto_commit", lua.LBool(s.Has(mysqlwire.StatusAutocommit)))
	t.RawSetString("no_good_index_used", lua.LBool(s.Has(mysqlwire.StatusNoGoodIndexUsed)))
	t.RawSetString("no_index_used", lua.LBool(s.Has(mysqlwire.StatusNoIndexUsed)))
	return t
}

// fields is inj.resultset.fields.
type fields struct {
	columns []mysqlwire.Column
}

func (u *universe) fieldsIndex(l *lua.LState) int {
	f := self[fields](l, "fields")
	n := intArg(l, 2, "?")
	if n < 1 || n > len(f.columns) {
		l.Push(lua.LNil)
	} else {
		l.Push(u.userdata(u.kinds.field, &f.columns[n-1]))
	}
	return 1
}

// fieldIndex reads a column; empty texts are nil.
func fieldIndex(l *lua.LState) int {
	c := self[*mysqlwire.Column](l, "field")
	s := ""
	switch key(l) {
	case "type":
		l.Push(lua.LNumber(c.Type))
		return 1
	case "name":
		s = c.Name
	case "org_name":
		s = c.OrgName
	case "table":
		s = c.Table
	case "org_table":
		s = c.OrgTable
	}
	if s == "" {
		l.Push(lua.LNil)
	} else {
		l.Push(lua.LString(s))
	}
	return 1
}
