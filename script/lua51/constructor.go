package lua51

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// appendName is the function that appends values to a table, hidden as the one for ".." is.
const appendName = "(append)"

// itemsPerFlush is after how many items gopher-lua moves them from registers into the table.
const itemsPerFlush = 50

// mostFlushes is how often it does so; what comes after is lost.
const mostFlushes = 511

// constructor mends the constructors of tables that are miscompiled: those that end with a field whose
// value is a call, those where fields or a call with several values follow 50 items, and large ones. Items
// of these get their indexes as keys.
func constructor(e *ast.TableExpr) ast.Expr {
	items, fields := 0, 0
	for _, f := range e.Fields {
		f.Key, f.Value = rewriteExpr(f.Key), rewriteExpr(f.Value)
		if f.Key != nil {
			f.Value = single(f.Value)
			fields++
		} else {
			items++
		}
	}
	if items < itemsPerFlush {
		return e
	}
	last := e.Fields[len(e.Fields)-1]
	several := last.Key == nil && isSeveral(last.Value)
	if several {
		items--
	}
	if fields == 0 && items <= itemsPerFlush*mostFlushes && !(several && items%itemsPerFlush == 0) {
		return e
	}
	if several {
		e.Fields = e.Fields[:len(e.Fields)-1]
	}
	n := 0
	for _, f := range e.Fields {
		if f.Key == nil {
			n++
			f.Key, f.Value = number(n, f.Value), single(f.Value)
		}
	}
	if !several {
		return e
	}
	hidden := at(&ast.AttrGetExpr{Object: at(&ast.StringExpr{}, e), Key: at(&ast.StringExpr{Value: appendName}, e)}, e)
	return at(&ast.FuncCallExpr{Func: hidden, Args: []ast.Expr{e, number(n, e), last.Value}, AdjustRet: true}, e)
}

func number(n int, of ast.PositionHolder) ast.Expr {
	return at(&ast.NumberExpr{Value: strconv.Itoa(n)}, of)
}

// isSeveral reports whether an expression may have any number of values.
func isSeveral(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// appendValues is the hidden function: a table, how many items it has, and values.
func appendValues(l *lua.LState) int {
	t, n := tableArg(l, 1, appendName), IntArg(l, 2, appendName)
	for i := 3; i <= l.GetTop(); i++ {
		t.RawSetInt(n+i-2, l.Get(i))
	}
	l.SetTop(1)
	return 1
}
