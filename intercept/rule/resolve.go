package rule

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// resolve finds what each name means and refuses names that mean nothing. It runs before types
// are checked.
func resolve(src string, root *ast.Node) error {
	errorAsFlag(root)
	r := &resolver{src: src, lets: map[string]bool{}, callees: map[ast.Node]bool{}, beside: map[ast.Node]ast.Node{}}
	ast.Walk(root, scope{r})
	ast.Walk(root, r)
	if r.err != nil {
		return r.err
	}
	return nil
}

// errorAsFlag lets people write `error` alone for "there is one", and compare it with its code.
func errorAsFlag(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == "error" {
			n.Value = "failed"
		}
	case *ast.UnaryNode:
		if isNot(n) {
			errorAsFlag(&n.Node)
		}
	case *ast.BinaryNode:
		if _, ok := logical(n.Operator); ok {
			errorAsFlag(&n.Left)
			errorAsFlag(&n.Right)
			return
		}
		id, ok := n.Left.(*ast.IdentifierNode)
		if !ok || id.Value != "error" || !compares(n.Operator) {
			return
		}
		if _, ok := n.Right.(*ast.NilNode); ok {
			flag := ast.Node(&ast.IdentifierNode{Value: "failed"})
			flag.SetLocation(id.Location())
			if n.Operator == "==" {
				flag = &ast.UnaryNode{Operator: "not", Node: flag}
			}
			ast.Patch(node, flag)
			return
		}
		n.Left = errorPart("code", id)
	}
}

func errorPart(name string, old ast.Node) ast.Node {
	base := &ast.IdentifierNode{Value: "error"}
	base.SetLocation(old.Location())
	part := &ast.StringNode{Value: name}
	part.SetLocation(old.Location())
	n := &ast.MemberNode{Node: base, Property: part}
	n.SetLocation(old.Location())
	return n
}

// compares tells the operators that set two values beside each other.
func compares(op string) bool {
	switch op {
	case "==", "!=", "<", "<=", ">", ">=", "in", "matches", "contains", "startsWith", "endsWith":
		return true
	}
	return false
}

type resolver struct {
	src     string
	lets    map[string]bool       // names made by let
	callees map[ast.Node]bool     // names that are called
	beside  map[ast.Node]ast.Node // what a name is compared with
	err     *SyntaxError
}

// scope collects what resolver must know of a name's surroundings.
type scope struct{ *resolver }

func (s scope) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode:
		s.lets[n.Name] = true
	case *ast.CallNode:
		s.callees[n.Callee] = true
	case *ast.BinaryNode:
		if compares(n.Operator) {
			s.beside[n.Left], s.beside[n.Right] = n.Right, n.Left
		}
	}
}

func (r *resolver) Visit(node *ast.Node) {
	if r.err != nil {
		return
	}
	switch n := (*node).(type) {
	case *ast.CallNode:
		r.call(n)
	case *ast.IdentifierNode:
		if !r.callees[n] && !r.lets[n.Value] {
			r.field(node, n)
		}
	}
}

func (r *resolver) call(n *ast.CallNode) {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return
	}
	if id.Value != "param" {
		r.err = errorAt(r.src, id, fmt.Sprintf("unknown function %q", id.Value))
		if near := Nearest(id.Value, append([]string{"param"}, functionNames()...)); near != "" {
			r.err.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		return
	}
	if len(n.Arguments) != 1 {
		r.err = errorAt(r.src, id, "param takes one number")
		r.err.Hint = "param(0) is the first parameter"
		return
	}
	if s, ok := n.Arguments[0].(*ast.StringNode); ok {
		r.err = errorAt(r.src, s, "param takes a number")
		r.err.Hint = "param(0) is the first parameter"
		return
	}
	params := &ast.IdentifierNode{Value: "params"}
	params.SetLocation(id.Location())
	id.Value = "param_"
	n.Arguments = []ast.Node{params, n.Arguments[0]}
}

func (r *resolver) field(node *ast.Node, n *ast.IdentifierNode) {
	f, ok := fieldsByName[n.Value]
	if !ok {
		r.unknown(n)
		return
	}
	switch f.Name {
	case "hook":
		at := &ast.IdentifierNode{Value: "at_"}
		at.SetLocation(n.Location())
		callee := &ast.IdentifierNode{Value: "hook_"}
		callee.SetLocation(n.Location())
		ast.Patch(node, &ast.CallNode{Callee: callee, Arguments: []ast.Node{at}})
	case "failed":
		zero := &ast.IntegerNode{}
		zero.SetLocation(n.Location())
		ast.Patch(node, &ast.BinaryNode{Operator: "!=", Left: errorPart("code", n), Right: zero})
	case "sqlstate":
		*node = errorPart("sqlstate", n)
	case "msg":
		*node = errorPart("message", n)
	default:
		n.Value = f.exprName
	}
}

func (r *resolver) unknown(n *ast.IdentifierNode) {
	r.err = errorAt(r.src, n, fmt.Sprintf("unknown field %q", n.Value))
	if hint, ok := otherNames[n.Value]; ok {
		r.err.Hint = hint
		return
	}
	other := r.beside[n]
	if other != nil && textual(other) {
		r.err.Hint = fmt.Sprintf("put text in quotes: %q", n.Value)
		return
	}
	names := make([]string, 0, len(fields)+len(derived))
	for _, f := range Fields() {
		names = append(names, f.Name)
	}
	if near := Nearest(n.Value, names); near != "" {
		r.err.Hint = fmt.Sprintf("did you mean %q?", near)
	}
}

// otherNames are names people bring from SQL and other tools.
var otherNames = map[string]string{
	"table":    `use "NAME" in tables`,
	"query":    `use sql, or cmd == "query"`,
	"last_id":  `did you mean "last_insert_id"?`,
	"time":     "use ms, the milliseconds to the answer",
	"database": `did you mean "db"?`,
	"schema":   `did you mean "db"?`,
	"errno":    "use error.code",
	"select":   `use verb == "SELECT"`,
	"update":   `use verb == "UPDATE"`,
	"null":     "use nil",
	"NULL":     "use nil",
}

// textual reports whether a node, resolved or not, is a field that holds text.
func textual(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		f, ok := fieldsByName[n.Value]
		return ok && (f.Type == "text" || f.Type == "list of text")
	case *ast.CallNode:
		id, ok := n.Callee.(*ast.IdentifierNode)
		return ok && id.Value == "hook_"
	case *ast.MemberNode:
		return true
	}
	return false
}

// functionNames are the functions conditions may call, beside param.
func functionNames() []string {
	var out []string
	for name := range config().Builtins {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
