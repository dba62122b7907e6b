package rule

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// functions are what conditions call; names that end in _ come from rewriting only.
var functions = []*builtin.Function{
	function("param_", func(a ...any) (any, error) { return param(a[0].([]any), a[1].(int)), nil }, new(func([]any, int) any)),
	function("hook_", func(a ...any) (any, error) { return a[0].(Point).Short(), nil }, new(func(Point) string)),
	function("has_table_", func(a ...any) (any, error) {
		return hasTable(a[0].(string), a[1].([]string), a[2].(string)), nil
	}, new(func(string, []string, string) bool)),
	function("compare_", func(a ...any) (any, error) { return compare(a[0].(string), a[1], a[2]), nil }, new(func(string, any, any) bool)),
}

func function(name string, f func(...any) (any, error), typ any) *builtin.Function {
	return &builtin.Function{Name: name, Func: f, Types: []reflect.Type{reflect.TypeOf(typ).Elem()}}
}

func param(params []any, n int) any {
	if n < 0 || n >= len(params) {
		return nil
	}
	return params[n]
}

// hasTable reports whether name is among tables: orders names any schema's, shop.orders that one,
// also where the statement leaves out its schema because it is db. As on most servers' file
// systems for somebody who types, case is ignored.
func hasTable(name string, tables []string, db string) bool {
	schema, table, qualified := strings.Cut(name, ".")
	for _, t := range tables {
		if strings.EqualFold(t, name) {
			return true
		}
		s, base, ok := strings.Cut(t, ".")
		if !qualified && ok && strings.EqualFold(base, name) {
			return true
		}
		if qualified && !ok && strings.EqualFold(s, table) && strings.EqualFold(schema, db) {
			return true
		}
	}
	return false
}

// compare compares values whose type is known only when the condition runs: parameters and cells.
// As in SQL, a comparison with NULL is never true and text that looks like a number compares with
// numbers. op may begin with "not ".
func compare(op string, a, b any) bool {
	if re, ok := b.(*regexp.Regexp); ok {
		a = plain(a)
		return a != nil && re.MatchString(fmt.Sprint(a)) == (op == "matches")
	}
	a, b = plain(a), plain(b)
	if a == nil || b == nil {
		return false
	}
	if rest, ok := strings.CutPrefix(op, "not "); ok {
		return !compare(rest, a, b)
	}
	if list, ok := b.([]any); ok && op == "in" {
		for _, x := range list {
			if compare("==", a, x) {
				return true
			}
		}
		return false
	}
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	switch op {
	case "matches":
		re, err := regexp.Compile(y)
		return err == nil && re.MatchString(x)
	case "contains":
		return strings.Contains(x, y)
	case "startsWith":
		return strings.HasPrefix(x, y)
	case "endsWith":
		return strings.HasSuffix(x, y)
	}
	c, ok := order(a, b)
	switch op {
	case "==":
		return ok && c == 0
	case "!=":
		return !ok || c != 0
	case "<":
		return ok && c < 0
	case "<=":
		return ok && c <= 0
	case ">":
		return ok && c > 0
	case ">=":
		return ok && c >= 0
	}
	return false
}

// order compares two plain values; ok is false where they cannot be compared.
func order(a, b any) (c int, ok bool) {
	x, textA := a.(string)
	y, textB := b.(string)
	if textA && textB {
		return strings.Compare(x, y), true
	}
	i, intA := a.(int64)
	j, intB := b.(int64)
	if intA && intB {
		return sign(i < j, i > j), true
	}
	f, okA := number(a)
	g, okB := number(b)
	return sign(f < g, f > g), okA && okB
}

func sign(less, more bool) int {
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil
	}
	return 0, false
}

// plain reduces a value to nil, int64, float64, string or []any.
func plain(v any) any {
	switch v := v.(type) {
	case nil, int64, float64, string, []any:
		return v
	case []byte:
		if v == nil {
			return nil
		}
		return string(v)
	case json.Number:
		return string(v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05.999999")
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case fmt.Stringer:
		return v.String()
	}
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return r.Int()
	case r.CanUint():
		if u := r.Uint(); u <= 1<<63-1 {
			return int64(u)
		}
		return float64(r.Uint())
	case r.CanFloat():
		return r.Float()
	case r.Kind() == reflect.Slice || r.Kind() == reflect.Array:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = r.Index(i).Interface()
		}
		return out
	}
	return fmt.Sprint(v)
}

// compareCall recognises what rewriting made of a comparison.
func compareCall(node ast.Node) (*ast.CallNode, bool) {
	c, ok := node.(*ast.CallNode)
	if !ok {
		return nil, false
	}
	id, ok := c.Callee.(*ast.IdentifierNode)
	return c, ok && id.Value == "compare_"
}

// opposite negates an operator of compare.
func opposite(op string) string {
	switch op {
	case "==":
		return "!="
	case "!=":
		return "=="
	case "<":
		return ">="
	case "<=":
		return ">"
	case ">":
		return "<="
	case ">=":
		return "<"
	}
	if rest, ok := strings.CutPrefix(op, "not "); ok {
		return rest
	}
	return "not " + op
}
