package lua51

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// Some things of gopher-lua cannot be mended in its libraries, so code is rewritten before it is compiled:
//
//   - "a, b = b, a" assigns to a local a before it reads it, "p = f() and x" leaves a local p as it was
//     if f() is nil or false. The values go into locals of their own first.
//   - A loop whose body begins with a condition that is constant may not end. Such conditions go.
//   - "local a = x, y" mixes up what comes after. The values that are too many get names.
//   - "{1, x = f()}" and constructors with 50 items or more lose or repeat items, see constructor.
//   - ".." writes numbers with all their digits. It becomes a call of a hidden function of strings.

// concatName is the function that stands for "..", a field that strings have and pairs does not show.
const concatName = "(concat)"

func rewriteBlock(block []ast.Stmt) []ast.Stmt {
	for i, s := range block {
		block[i] = rewriteStmt(s)
	}
	return block
}

func rewriteStmt(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		rewriteAll(s.Lhs)
		rewriteAll(s.Rhs)
		return splitAssignment(s)
	case *ast.LocalAssignStmt:
		rewriteAll(s.Exprs)
		s.Names = enough(s.Names, len(s.Exprs))
	case *ast.FuncCallStmt:
		s.Expr = rewriteExpr(s.Expr)
	case *ast.DoBlockStmt:
		rewriteBlock(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = rewriteExpr(simple(s.Condition))
		rewriteBlock(s.Stmts)
		if v, known := truth(s.Condition); known && !v {
			return at(&ast.DoBlockStmt{}, s)
		}
	case *ast.RepeatStmt:
		s.Condition = rewriteExpr(s.Condition)
		rewriteBlock(s.Stmts)
	case *ast.IfStmt:
		s.Condition = rewriteExpr(simple(s.Condition))
		rewriteBlock(s.Then)
		rewriteBlock(s.Else)
		if v, known := truth(s.Condition); known {
			if v {
				return at(&ast.DoBlockStmt{Stmts: s.Then}, s)
			}
			return at(&ast.DoBlockStmt{Stmts: s.Else}, s)
		}
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = rewriteExpr(s.Init), rewriteExpr(s.Limit), rewriteExpr(s.Step)
		rewriteBlock(s.Stmts)
	case *ast.GenericForStmt:
		rewriteAll(s.Exprs)
		rewriteBlock(s.Stmts)
	case *ast.FuncDefStmt:
		rewriteBlock(s.Func.Stmts)
	case *ast.ReturnStmt:
		rewriteAll(s.Exprs)
	}
	return s
}

func rewriteAll(exprs []ast.Expr) {
	for i, e := range exprs {
		exprs[i] = rewriteExpr(e)
	}
}

func rewriteExpr(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		e.Object, e.Key = rewriteExpr(e.Object), rewriteExpr(e.Key)
	case *ast.TableExpr:
		return constructor(e)
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = rewriteExpr(e.Func), rewriteExpr(e.Receiver)
		rewriteAll(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = rewriteExpr(e.Lhs), rewriteExpr(e.Rhs)
		if v, known := truth(e.Lhs); known && v == (e.Operator == "and") {
			return single(e.Rhs)
		} else if known {
			return e.Lhs
		}
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = rewriteExpr(e.Lhs), rewriteExpr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = rewriteExpr(e.Lhs), rewriteExpr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = rewriteExpr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = rewriteExpr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = rewriteExpr(e.Expr)
	case *ast.FunctionExpr:
		rewriteBlock(e.Stmts)
	case *ast.StringConcatOpExpr:
		return concatenation(e)
	}
	return e // nil, too
}

// at gives a made node the place of the one it is for.
func at[N ast.PositionHolder](n N, of ast.PositionHolder) N {
	n.SetLine(of.Line())
	n.SetLastLine(of.LastLine())
	return n
}

// splitAssignment has targets assigned to last, from right to left as Lua does, after all values and the
// objects and keys of fields are known.
func splitAssignment(s *ast.AssignStmt) ast.Stmt {
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		if _, ok := s.Lhs[0].(*ast.IdentExpr); !ok {
			return s
		}
		switch rhs := s.Rhs[0].(type) {
		case *ast.FuncCallExpr:
			rhs.AdjustRet = false // one value is taken anyway, and "p = (f(p))" is miscompiled
			return s
		case *ast.LogicalOpExpr: // "p = f() and x" leaves p what it was if f() is nil
		default:
			return s
		}
	}
	assigned := map[string]bool{}
	for _, lhs := range s.Lhs {
		if id, ok := lhs.(*ast.IdentExpr); ok {
			assigned[id.Value] = true
		}
	}
	var block []ast.Stmt
	temporary := func(name string, e ast.Expr) ast.Expr {
		block = append(block, at(&ast.LocalAssignStmt{Names: []string{name}, Exprs: []ast.Expr{e}}, s))
		return at(&ast.IdentExpr{Value: name}, s)
	}
	// once is e where it stays the same whatever is assigned meanwhile, else a local with its value.
	once := func(name string, e ast.Expr) ast.Expr {
		switch e := e.(type) {
		case *ast.StringExpr, *ast.NumberExpr:
			return e
		case *ast.IdentExpr:
			if !assigned[e.Value] {
				return e
			}
		}
		return temporary(name, e)
	}
	var names []string
	var last []ast.Stmt
	for i, lhs := range s.Lhs {
		n := strconv.Itoa(i)
		if field, ok := lhs.(*ast.AttrGetExpr); ok {
			field.Object = once("(object "+n+")", field.Object)
			field.Key = once("(key "+n+")", field.Key)
		}
		name := "(value " + n + ")"
		names = append(names, name)
		one := at(&ast.AssignStmt{Lhs: []ast.Expr{lhs}, Rhs: []ast.Expr{at(&ast.IdentExpr{Value: name}, s)}}, s)
		last = append([]ast.Stmt{one}, last...)
	}
	block = append(block, at(&ast.LocalAssignStmt{Names: enough(names, len(s.Rhs)), Exprs: s.Rhs}, s))
	return at(&ast.DoBlockStmt{Stmts: append(block, last...)}, s)
}

// truth is whether a constant counts as true.
func truth(e ast.Expr) (v, known bool) {
	switch e.(type) {
	case *ast.NilExpr, *ast.FalseExpr:
		return false, true
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	}
	return false, false
}

// simple is a condition without the constants in it that decide nothing.
func simple(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.UnaryNotOpExpr:
		if v, known := truth(simple(e.Expr)); known {
			if v {
				return at(&ast.FalseExpr{}, e)
			}
			return at(&ast.TrueExpr{}, e)
		}
	case *ast.LogicalOpExpr:
		lhs, rhs := simple(e.Lhs), simple(e.Rhs)
		if v, known := truth(lhs); known {
			if v == (e.Operator == "and") {
				return rhs
			}
			return lhs
		}
		return at(&ast.LogicalOpExpr{Operator: e.Operator, Lhs: lhs, Rhs: rhs}, e)
	}
	return e
}

// single is e cut to one value.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// enough adds names for values that nobody wants.
func enough(names []string, values int) []string {
	for len(names) < values {
		names = append(names, "(unused "+strconv.Itoa(len(names))+")")
	}
	return names
}

// concatenation is a chain of ".." as a call, or as a constant.
func concatenation(e *ast.StringConcatOpExpr) ast.Expr {
	var parts []ast.Expr
	constant := true
	add := func(p ast.Expr) {
		p = single(rewriteExpr(p))
		_, isText := p.(*ast.StringExpr)
		constant = constant && isText
		parts = append(parts, p)
	}
	for {
		add(e.Lhs)
		next, ok := e.Rhs.(*ast.StringConcatOpExpr)
		if !ok {
			add(e.Rhs)
			break
		}
		e = next
	}
	if constant {
		text := ""
		for _, p := range parts {
			text += p.(*ast.StringExpr).Value
		}
		return at(&ast.StringExpr{Value: text}, e)
	}
	hidden := at(&ast.AttrGetExpr{Object: at(&ast.StringExpr{}, e), Key: at(&ast.StringExpr{Value: concatName}, e)}, e)
	return at(&ast.FuncCallExpr{Func: hidden, Args: parts, AdjustRet: true}, e)
}

// openConcat hides the functions that stand for ".." and in constructors.
func (b *Libs) openConcat() {
	l := b.l
	hidden, meta := l.NewTable(), l.NewTable()
	hidden.RawSetString(concatName, l.NewClosure(b.concat, mending))
	hidden.RawSetString(appendName, l.NewFunction(appendValues))
	meta.RawSetString("__index", hidden)
	l.GetGlobal("string").(*lua.LTable).Metatable = meta
}

func (b *Libs) concat(l *lua.LState) int {
	n := l.GetTop()
	if s, ok := joined(l, 1, n); ok {
		l.Push(lua.LString(s))
		return 1
	}
	v := l.Get(n)
	for i := n - 1; i >= 1; i-- {
		left := l.Get(i)
		a, ok1 := Text(left)
		z, ok2 := Text(v)
		if ok1 && ok2 {
			v = lua.LString(a + z)
			continue
		}
		fn := l.GetMetaField(left, "__concat")
		if fn == lua.LNil {
			fn = l.GetMetaField(v, "__concat")
		}
		if fn == lua.LNil {
			bad := v
			if !ok1 {
				bad = left
			}
			l.RaiseError("attempt to concatenate a %s value", bad.Type())
		}
		l.Push(fn)
		l.Push(left)
		l.Push(v)
		l.Call(2, 1)
		v = l.Get(-1)
		l.Pop(1)
	}
	l.Push(v)
	return 1
}

// joined is arguments from to to as one text, if all are strings or numbers.
func joined(l *lua.LState, from, to int) (string, bool) {
	var room [256]byte
	out := room[:0]
	for i := from; i <= to; i++ {
		switch v := l.Get(i).(type) {
		case lua.LString:
			out = append(out, v...)
		case lua.LNumber:
			out = append(out, NumberText(v)...)
		default:
			return "", false
		}
	}
	return string(out), true
}
