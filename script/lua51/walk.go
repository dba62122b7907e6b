package lua51

import (
	"strings"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// Parse reads a chunk. The name is for its errors, see SyntaxError.
func Parse(src, name string) ([]ast.Stmt, error) { return parse.Parse(strings.NewReader(src), name) }

// Walker visits the expressions of a chunk and knows what its names are where they are used.
type Walker struct {
	// Visit is told each expression before its parts; nil is not called.
	Visit func(w *Walker, e ast.Expr)
	// Assign is told each assignment of one value, and each function statement; value is nil if it is
	// one of several results of a call.
	Assign func(w *Walker, target, value ast.Expr)

	// Iterate is told the line of each loop over an iterator, which calls that.
	Iterate func(line int)

	// Declare is told each local name, with its value if it has one of its own.
	Declare func(w *Walker, name string, value ast.Expr)

	scopes []scope
	depth  int // of functions
}

// scope are the local names of a block.
type scope struct {
	names map[string]bool
	depth int
}

// Walk visits a chunk.
func (w *Walker) Walk(chunk []ast.Stmt) {
	w.scopes, w.depth = nil, 0
	w.block(chunk)
}

// Global reports whether a name is not that of a local variable here.
func (w *Walker) Global(name string) bool {
	_, local := w.local(name)
	return !local
}

func (w *Walker) local(name string) (depth int, ok bool) {
	for i := len(w.scopes) - 1; i >= 0; i-- {
		if w.scopes[i].names[name] {
			return w.scopes[i].depth, true
		}
	}
	return 0, false
}

// Describe is what Lua's messages call an expression, such as "local 'a'"; "" if it has no name.
func (w *Walker) Describe(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.IdentExpr:
		switch depth, ok := w.local(e.Value); {
		case !ok:
			return "global '" + e.Value + "'"
		case depth < w.depth:
			return "upvalue '" + e.Value + "'"
		default:
			return "local '" + e.Value + "'"
		}
	case *ast.AttrGetExpr:
		if key, ok := e.Key.(*ast.StringExpr); ok {
			return "field '" + key.Value + "'"
		}
		return "field '?'"
	}
	return ""
}

func (w *Walker) declare(names ...string) {
	for _, n := range names {
		w.bind(n, nil)
	}
}

func (w *Walker) bind(name string, value ast.Expr) {
	w.scopes[len(w.scopes)-1].names[name] = true
	if w.Declare != nil {
		w.Declare(w, name, value)
	}
}

// inside runs body in a block of its own.
func (w *Walker) inside(names []string, body func()) {
	w.scopes = append(w.scopes, scope{map[string]bool{}, w.depth})
	w.declare(names...)
	body()
	w.scopes = w.scopes[:len(w.scopes)-1]
}

func (w *Walker) block(stmts []ast.Stmt, names ...string) {
	w.inside(names, func() {
		for _, s := range stmts {
			w.stmt(s)
		}
	})
}

func (w *Walker) exprs(list []ast.Expr) {
	for _, e := range list {
		w.expr(e)
	}
}

func (w *Walker) assign(target, value ast.Expr) {
	if w.Assign != nil {
		w.Assign(w, target, value)
	}
}

func (w *Walker) function(f *ast.FunctionExpr, names ...string) {
	names = append(names, f.ParList.Names...)
	if f.ParList.HasVargs {
		names = append(names, "arg")
	}
	w.depth++
	w.block(f.Stmts, names...)
	w.depth--
}

func (w *Walker) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		for i, target := range s.Lhs {
			var value ast.Expr
			if i < len(s.Rhs) {
				value = s.Rhs[i]
			}
			w.assign(target, value)
			if field, ok := target.(*ast.AttrGetExpr); ok {
				w.visit(field)
				w.expr(field.Object)
				w.expr(field.Key)
			}
		}
		w.exprs(s.Rhs)
	case *ast.LocalAssignStmt:
		if len(s.Exprs) == 1 && len(s.Names) == 1 {
			if f, ok := s.Exprs[0].(*ast.FunctionExpr); ok { // local function knows itself
				w.declare(s.Names...)
				w.function(f)
				return
			}
		}
		w.exprs(s.Exprs)
		for i, name := range s.Names {
			var value ast.Expr
			if i < len(s.Exprs) {
				value = s.Exprs[i]
			}
			w.bind(name, value)
		}
	case *ast.FuncCallStmt:
		w.expr(s.Expr)
	case *ast.DoBlockStmt:
		w.block(s.Stmts)
	case *ast.WhileStmt:
		w.expr(s.Condition)
		w.block(s.Stmts)
	case *ast.RepeatStmt:
		w.inside(nil, func() {
			for _, one := range s.Stmts {
				w.stmt(one)
			}
			w.expr(s.Condition)
		})
	case *ast.IfStmt:
		w.expr(s.Condition)
		w.block(s.Then)
		w.block(s.Else)
	case *ast.NumberForStmt:
		w.exprs([]ast.Expr{s.Init, s.Limit, s.Step})
		w.block(s.Stmts, s.Name)
	case *ast.GenericForStmt:
		if w.Iterate != nil {
			w.Iterate(s.Line())
		}
		w.exprs(s.Exprs)
		w.block(s.Stmts, s.Names...)
	case *ast.FuncDefStmt:
		if s.Name.Method != "" {
			w.expr(s.Name.Receiver)
			w.function(s.Func, "self")
			return
		}
		w.assign(s.Name.Func, s.Func)
		if field, ok := s.Name.Func.(*ast.AttrGetExpr); ok {
			w.visit(field)
			w.expr(field.Object)
		}
		w.function(s.Func)
	case *ast.ReturnStmt:
		w.exprs(s.Exprs)
	}
}

func (w *Walker) visit(e ast.Expr) {
	if w.Visit != nil {
		w.Visit(w, e)
	}
}

func (w *Walker) expr(e ast.Expr) {
	if e == nil {
		return
	}
	w.visit(e)
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		w.expr(e.Object)
		w.expr(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			w.expr(f.Key)
			w.expr(f.Value)
		}
	case *ast.FuncCallExpr:
		w.expr(e.Func)
		w.expr(e.Receiver)
		w.exprs(e.Args)
	case *ast.LogicalOpExpr:
		w.expr(e.Lhs)
		w.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		w.expr(e.Lhs)
		w.expr(e.Rhs)
	case *ast.StringConcatOpExpr:
		w.expr(e.Lhs)
		w.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		w.expr(e.Lhs)
		w.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		w.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		w.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		w.expr(e.Expr)
	case *ast.FunctionExpr:
		w.function(e)
	}
}
