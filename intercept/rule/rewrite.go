package rule

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// rewrite turns comparisons into what they mean in this language: verbs without regard to case,
// digests by their first digits, tables by their last name, values of unknown type as SQL compares
// them. It needs the types of a check.
func rewrite(src string, root *ast.Node) error {
	r := &rewriter{src: src}
	ast.Walk(root, r)
	if r.err != nil {
		return r.err
	}
	return nil
}

type rewriter struct {
	src string
	err *SyntaxError
}

func (r *rewriter) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || r.err != nil || !compares(n.Operator) {
		return
	}
	if name := fieldName(n.Right); name != "" && (n.Operator == "==" || n.Operator == "!=") && fieldName(n.Left) == "" {
		n.Left, n.Right = n.Right, n.Left // "UPDATE" == verb
	}
	if n.Operator == "in" && fieldName(n.Right) == "tables" {
		r.replace(node, "has_table_", n.Left, n.Right, &ast.IdentifierNode{Value: "db"})
		return
	}
	switch name := fieldName(n.Left); name {
	case "hook", "cmd", "verb", "dir":
		for _, s := range texts(n.Right) {
			r.word(name, n.Operator, s)
		}
	case "digest":
		r.digest(node, n)
		return
	}
	if isAny(n.Left) || isAny(n.Right) {
		r.compareAny(node, n)
	}
}

func (r *rewriter) replace(node *ast.Node, name string, args ...ast.Node) {
	at := (*node).Location()
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(at)
	for _, a := range args {
		if a.Location().To == 0 {
			a.SetLocation(at)
		}
	}
	ast.Patch(node, &ast.CallNode{Callee: callee, Arguments: args})
}

// word brings a constant into the form the field has, and refuses one it never has.
func (r *rewriter) word(field, op string, s *ast.StringNode) {
	if op == "matches" {
		s.Value = "(?i)" + s.Value
		return
	}
	partial := op != "==" && op != "!=" && op != "in"
	if field == "verb" {
		s.Value = strings.ToUpper(s.Value)
		return
	}
	low := strings.ToLower(s.Value)
	if partial {
		s.Value = low
		return
	}
	known, ok := low, true
	switch field {
	case "hook":
		p, err := ParsePoint(low)
		known, ok = p.Short(), err == nil
	case "cmd":
		known, ok = parseCommand(low)
	case "dir":
		ok = low == "client" || low == "server"
	}
	if !ok {
		values := knownValues(field)
		r.err = errorAt(r.src, s, fmt.Sprintf("%s is never %q", field, s.Value))
		r.err.Hint = "known are " + strings.Join(values, ", ")
		if near := Nearest(low, values); near != "" {
			r.err.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		return
	}
	s.Value = known
}

// digestLen is the length of a whole digest; shorter ones are its beginning.
const digestLen = 64

func (r *rewriter) digest(node *ast.Node, n *ast.BinaryNode) {
	all := texts(n.Right)
	short := false
	for _, s := range all {
		s.Value = strings.ToLower(s.Value)
		short = short || len(s.Value) < digestLen
	}
	if !short || n.Operator != "==" && n.Operator != "!=" && n.Operator != "in" {
		return
	}
	var starts ast.Node
	for _, s := range all {
		var one ast.Node = &ast.BinaryNode{Operator: "startsWith", Left: &ast.IdentifierNode{Value: "digest"}, Right: s}
		if starts != nil {
			one = &ast.BinaryNode{Operator: "or", Left: starts, Right: one}
		}
		starts = one
	}
	if n.Operator == "!=" {
		starts = &ast.UnaryNode{Operator: "not", Node: starts}
	}
	ast.Patch(node, starts)
}

func (r *rewriter) compareAny(node *ast.Node, n *ast.BinaryNode) {
	if isNil(n.Left) || isNil(n.Right) {
		return // x == nil asks for NULL, as it is
	}
	right := n.Right
	if s, ok := right.(*ast.StringNode); ok && n.Operator == "matches" {
		right = &ast.ConstantNode{Value: regexp.MustCompile(s.Value)} // checked before
	}
	r.replace(node, "compare_", &ast.StringNode{Value: n.Operator}, n.Left, right)
}

func isAny(node ast.Node) bool { return node.Type().Kind() == reflect.Interface }

func isNil(node ast.Node) bool {
	_, ok := node.(*ast.NilNode)
	return ok
}

// texts are the texts of a constant or of a list of them.
func texts(node ast.Node) []*ast.StringNode {
	switch n := node.(type) {
	case *ast.StringNode:
		return []*ast.StringNode{n}
	case *ast.ArrayNode:
		var out []*ast.StringNode
		for _, x := range n.Nodes {
			s, ok := x.(*ast.StringNode)
			if !ok {
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	return nil
}

// fieldName is the name of the field a node is, or "".
func fieldName(node ast.Node) string {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return fieldsByExpr[n.Value].Name
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && id.Value == "hook_" {
			return "hook"
		}
	}
	return ""
}

// hookTest answers a comparison of hook with constants, where p is set.
func hookTest(node ast.Node, p Point) (holds, ok bool) {
	if p == 0 {
		return false, false
	}
	n, names := hookNames(node)
	if n == nil {
		return false, false
	}
	for _, s := range names {
		holds = holds || s.Value == p.Short()
	}
	return holds != (n.Operator == "!="), true
}

func hookNames(node ast.Node) (*ast.BinaryNode, []*ast.StringNode) {
	n, ok := node.(*ast.BinaryNode)
	if !ok || fieldName(n.Left) != "hook" || n.Operator != "==" && n.Operator != "!=" && n.Operator != "in" {
		return nil, nil
	}
	names := texts(n.Right)
	if len(names) == 0 {
		return nil, nil
	}
	return n, names
}

// namedHooks are the points a condition names with hook == or hook in.
func namedHooks(root ast.Node) []Point {
	var v hookFinder
	ast.Walk(&root, &v)
	var out []Point
	for _, p := range Points() {
		if v.found[p] {
			out = append(out, p)
		}
	}
	return out
}

type hookFinder struct{ found [Disconnect + 1]bool }

func (v *hookFinder) Visit(node *ast.Node) {
	n, names := hookNames(*node)
	if n == nil || n.Operator == "!=" {
		return
	}
	for _, s := range names {
		if p, err := ParsePoint(s.Value); err == nil {
			v.found[p] = true
		}
	}
}
