package lua51

import (
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openTable replaces the table library where its errors and its limits differ.
func (b *Libs) openTable() {
	lib := b.l.GetGlobal("table").(*lua.LTable)
	for name, fn := range map[string]lua.LGFunction{
		"concat": tableConcat, "insert": tableInsert, "remove": tableRemove, "sort": b.tableSort,
		"foreach": tableForEach, "foreachi": tableForEachI,
		"maxn": func(l *lua.LState) int {
			most := lua.LNumber(0)
			tableArg(l, 1, "maxn").ForEach(func(k, _ lua.LValue) {
				if n, ok := k.(lua.LNumber); ok && n > most {
					most = n
				}
			})
			l.Push(most)
			return 1
		},
		"getn": func(l *lua.LState) int {
			l.Push(lua.LNumber(tableArg(l, 1, "getn").Len()))
			return 1
		},
		"setn": func(l *lua.LState) int {
			l.RaiseError("'setn' is obsolete")
			return 0
		},
	} {
		lib.RawSetString(name, b.l.NewFunction(fn))
	}
}

func tableConcat(l *lua.LState) int {
	t := tableArg(l, 1, "concat")
	separator := ""
	if l.Get(2) != lua.LNil {
		separator = StringArg(l, 2, "concat")
	}
	from := OptInt(l, 3, "concat", 1)
	to := t.Len()
	if l.Get(4) != lua.LNil {
		to = IntArg(l, 4, "concat")
	}
	var out strings.Builder
	for i := from; i <= to; i++ {
		v := t.RawGet(lua.LNumber(i))
		s, ok := Text(v)
		if !ok {
			l.RaiseError("invalid value (%s) at index %d in table for 'concat'", v.Type(), i)
		}
		out.WriteString(s)
		if i < to {
			out.WriteString(separator)
		}
	}
	l.Push(lua.LString(out.String()))
	return 1
}

func tableInsert(l *lua.LState) int {
	t := tableArg(l, 1, "insert")
	switch l.GetTop() {
	case 2:
		t.RawSetInt(t.Len()+1, l.Get(2))
	case 3:
		at, last := IntArg(l, 2, "insert"), t.Len()+1
		for i := last; i > at; i-- {
			t.RawSetInt(i, t.RawGetInt(i-1))
		}
		t.RawSetInt(at, l.Get(3))
	default:
		l.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

func tableRemove(l *lua.LState) int {
	t := tableArg(l, 1, "remove")
	n := t.Len()
	at := OptInt(l, 2, "remove", n)
	if at < 1 || at > n {
		return 0
	}
	l.Push(t.RawGetInt(at))
	for ; at < n; at++ {
		t.RawSetInt(at, t.RawGetInt(at+1))
	}
	t.RawSetInt(n, lua.LNil)
	return 1
}

// sorter sorts by Lua's order or by a function of the script.
type sorter struct {
	l    *lua.LState
	less *lua.LFunction
	list []lua.LValue
}

func (s *sorter) Len() int      { return len(s.list) }
func (s *sorter) Swap(i, j int) { s.list[i], s.list[j] = s.list[j], s.list[i] }
func (s *sorter) Less(i, j int) bool {
	a, b := s.list[i], s.list[j]
	if s.less == nil {
		return s.l.LessThan(a, b)
	}
	s.l.Push(s.less)
	s.l.Push(a)
	s.l.Push(b)
	s.l.Call(2, 1)
	yes := lua.LVAsBool(s.l.Get(-1))
	s.l.Pop(1)
	return yes
}

func (b *Libs) tableSort(l *lua.LState) int {
	t := tableArg(l, 1, "sort")
	s := &sorter{l: l}
	if l.Get(2) != lua.LNil {
		s.less = functionArg(l, 2, "sort")
	}
	for i := 1; i <= t.Len(); i++ {
		s.list = append(s.list, t.RawGetInt(i))
	}
	sort.Sort(s)
	for i, v := range s.list {
		t.RawSetInt(i+1, v)
	}
	return 0
}

func functionArg(l *lua.LState, n int, name string) *lua.LFunction {
	fn, ok := l.Get(n).(*lua.LFunction)
	if !ok {
		ArgError(l, n, name, "function expected, got "+TypeName(l, n))
	}
	return fn
}

// visit calls fn(k, v) and reports whether it returned something.
func visit(l *lua.LState, fn *lua.LFunction, k, v lua.LValue) bool {
	l.Push(fn)
	l.Push(k)
	l.Push(v)
	l.Call(2, 1)
	if l.Get(-1) != lua.LNil {
		return true
	}
	l.Pop(1)
	return false
}

func tableForEach(l *lua.LState) int {
	t, fn := tableArg(l, 1, "foreach"), functionArg(l, 2, "foreach")
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if visit(l, fn, k, v) {
			return 1
		}
	}
	return 0
}

func tableForEachI(l *lua.LState) int {
	t, fn := tableArg(l, 1, "foreachi"), functionArg(l, 2, "foreachi")
	for i := 1; i <= t.Len(); i++ {
		if visit(l, fn, lua.LNumber(i), t.RawGetInt(i)) {
			return 1
		}
	}
	return 0
}
